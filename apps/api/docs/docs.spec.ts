import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { shopCatalogue } from '#products';
import { apiOver } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';
import { openApiDocument } from './openapi-document.js';

const run = promisify(execFile);

describe('the OpenAPI document', () => {
  let shop: DemoLake;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    shop = await DemoLake.make();
    app = await apiOver(shop);
    await app.listen(0, '127.0.0.1');
  });

  afterAll(async () => {
    await app.close();
    await shop.remove();
  });

  it('is printed to docs/openapi.json by `npm run docs`', () => {
    const printed: unknown = JSON.parse(readFileSync('docs/openapi.json', 'utf8'));
    expect(printed).toEqual(JSON.parse(JSON.stringify(openApiDocument(shopCatalogue()))));
  });

  it('is served at /docs-json, and shown at /docs', async () => {
    const json = await app.inject('/docs-json');
    expect(json.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument(shopCatalogue()))));
    expect((await app.inject('/docs')).body).toContain('swagger-ui');
    expect((await app.inject('/docs/swagger-ui-bundle.js')).statusCode).toBe(200);
  });

  it('names every route there is, and no other', () => {
    const { paths } = openApiDocument(shop.catalogue);
    const documented = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations as object).map((method) => {
        const route = path.replace(/^(\/v1\/products\/)[a-z_]+/, '$1:').replaceAll(/\{\w+\}/g, ':');
        return `${method.toUpperCase()} ${route}`;
      }),
    );
    const routes = routesOf(app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false }));
    const ours = routes.filter((route) => !/ (\/docs|\/graphql|\*|\/$)/.test(route));
    expect([...new Set(documented)].sort()).toEqual(ours.sort());
  });

  it('makes a TypeScript client that compiles, refuses what is not there, and works', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'client-'));
    try {
      const bin = (name: string) => resolve('node_modules/.bin', name);
      await symlink(resolve('node_modules'), join(folder, 'node_modules'));
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
      await writeFile(join(folder, 'openapi.json'), (await app.inject('/docs-json')).body);
      await mkdir(join(folder, 'out'));
      await run(bin('openapi-typescript'), ['openapi.json', '-o', 'shop.d.ts'], { cwd: folder });
      await writeFile(join(folder, 'client.ts'), CLIENT);
      const strict = ['--strict', '--noUncheckedIndexedAccess', '--skipLibCheck', '--types', 'node'];
      await run(
        bin('tsc'),
        [
          'client.ts',
          '--outDir',
          'out',
          '--module',
          'nodenext',
          '--target',
          'es2022',
          '--lib',
          'es2023,dom',
          ...strict,
        ],
        { cwd: folder },
      ).catch((error: unknown) => {
        throw new Error((error as { stdout: string }).stdout);
      });
      const { stdout } = await run('node', ['out/client.js', await app.getUrl()], { cwd: folder });
      expect(JSON.parse(stdout)).toEqual({
        rows: 3,
        amount: 'number',
        isPage: true,
        isSame: true,
        isAsked: true,
        groups: ['channel', 'order_date_month', 'net', 'count'],
        wrong: 'row-not-found',
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** `GET /v1/products/:` of the tree that Fastify prints. */
function routesOf(tree: string): string[] {
  const above: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] =
      /^((?:[│ ] {3})*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?/.exec(line) ?? [];
    if (part === '') return [];
    above.splice(indent.length / 4, above.length, part);
    const path = above.join('').replaceAll(/:\w+/g, ':');
    return methods.split(', ').flatMap((method) => (method === '' || method === 'HEAD' ? [] : [`${method} ${path}`]));
  });
}

/** What somebody writes against the generated types. */
const CLIENT = `
import createClient from 'openapi-fetch';
import type { paths } from './shop.js';

const shop = createClient<paths, 'application/json' | 'application/problem+json'>({ baseUrl: process.argv[2] ?? '' });

const rows = await shop.GET('/v1/products/fact_sales/rows', {
  params: {
    query: {
      select: ['sales_key', 'net_line_total', 'product.category'],
      'filter[channel]': { in: 'web,mobile' },
      'filter[product.category]': { ne: 'Beauty' },
      sort: ['-net_line_total'],
      limit: 3,
      count: true,
    },
  },
});
const first = rows.data?.data[0];
const amount: number | null | undefined = first?.net_line_total;
const key: string | undefined = first?.sales_key;
const row = await shop.GET('/v1/products/fact_sales/rows/{key}', { params: { path: { key: key ?? '' } } });
const asked = await shop.POST('/v1/products/fact_sales/query', {
  body: { select: ['sales_key'], where: { sales_key: { eq: key }, product: { category: { ne: 'Beauty' } } }, limit: 1 },
});
const groups = await shop.GET('/v1/products/fact_sales/aggregate', {
  params: { query: { group: ['channel', 'month(order_date)'], measure: ['net:sum(net_line_total)', 'count()'], limit: 2 } },
});
const wrong = await shop.GET('/v1/products/fact_sales/rows/{key}', { params: { path: { key: 'no such key' } } });

// @ts-expect-error there is no such column
await shop.GET('/v1/products/fact_sales/rows', { params: { query: { select: ['chanel'] } } });
// @ts-expect-error a flag is no text
await shop.POST('/v1/products/fact_sales/query', { body: { where: { is_weekend: { eq: 'yes' } } } });
// @ts-expect-error a date is no number
const day: number | undefined = row.data?.data.order_date;
void day;

console.log(JSON.stringify({
  rows: rows.data?.data.length,
  amount: typeof amount,
  isPage: (rows.data?.page.total ?? 0) > 3,
  isSame: row.data?.data.net_line_total === amount,
  isAsked: asked.data?.data[0]?.sales_key === key,
  groups: Object.keys(groups.data?.data[0] ?? {}),
  wrong: wrong.error?.code,
}));
`;
