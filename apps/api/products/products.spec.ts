import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { restKey } from '#serving';
import { scopes, type Scope } from '../edge/caller.js';
import { apiOver } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';

interface Page {
  readonly data: readonly Record<string, string | number | boolean | null>[];
  readonly page: { readonly next_cursor: string | null; readonly total?: number };
  readonly release: { readonly id: number };
}

describe('products over REST', () => {
  let shop: DemoLake;
  let app: NestFastifyApplication;
  const held = new Set<Scope>(scopes);

  beforeAll(async () => {
    shop = await DemoLake.make();
    app = await apiOver(shop, { caller: { id: 'tester', scopes: held } });
  });

  afterAll(async () => {
    await app.close();
    await shop.remove();
  });

  const get = (path: string, headers: Record<string, string> = {}) =>
    app.inject({ url: `/v1/products/${path}`, headers });
  const pageOf = async (path: string) => (await get(path)).json<Page>();
  const codeOf = async (path: string) => {
    const { statusCode, body } = await get(path);
    return [statusCode, (JSON.parse(body) as { code: string }).code];
  };
  const gold = () => shop.catalogue.tables.filter(({ contract }) => contract.layer === 'gold');

  it('gives all rows of every table, digit by digit the same in JSON pages, NDJSON and CSV', async () => {
    for (const { contract } of gold()) {
      const name = contract.name.replace('gold/', '');
      const whole = await get(`${name}/rows?format=ndjson`);
      const lines = whole.body.trimEnd().split('\n');
      const texts: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body } = await get(`${name}/rows?limit=900&count=true${cursor === '' ? '' : `&cursor=${cursor}`}`);
        texts.push(body.slice('{"data":['.length, body.lastIndexOf('],"page"')));
        const { page } = JSON.parse(body) as Page;
        expect(page.total).toBe(lines.length);
        cursor = page.next_cursor;
      }
      expect(texts.join(',')).toBe(lines.join(','));
      const csv = await get(`${name}/rows`, { accept: 'text/csv;q=0.9, application/json;q=0.1' });
      expect(csv.body.split('\r\n')).toHaveLength(lines.length + 2);
      expect(csv.body.split('\r\n')[0]).toBe(Object.keys(contract.columns).join(','));
      expect(csv.headers['content-disposition']).toBe(`attachment; filename="${name}-release-1.csv"`);
    }
  });

  it('writes decimals with the digits of their scale, or as text, and the platform’s columns only when named', async () => {
    const path = 'fact_sales/rows?limit=1&select=quantity,net_line_total,_run_id';
    expect((await get(path)).body).toMatch(/"net_line_total":\d+\.\d\d,"_run_id":"/);
    expect((await get(`${path}&decimals=string`)).body).toMatch(/"quantity":\d+,"net_line_total":"\d+\.\d\d"/);
    const { data } = await pageOf('fact_sales/rows?limit=1');
    expect(Object.keys(data[0] ?? {})).not.toContain('_run_id');
  });

  it('filters by all conditions, lists with commas, NULL and relations', async () => {
    const { data: all } = await pageOf(
      'fact_sales/rows?limit=10000&select=sales_key,channel,quantity,product.category',
    );
    const keys = async (filter: string) => {
      const { data } = await pageOf(`fact_sales/rows?limit=10000&select=sales_key&${filter}`);
      return data.map((row) => row['sales_key']);
    };
    const matching = (test: (row: Page['data'][number]) => boolean) => all.filter(test).map((row) => row['sales_key']);
    const web = matching(({ channel }) => channel === 'web' || channel === 'mobile');
    expect(web.length).toBeGreaterThan(0);
    expect(await keys('filter[channel][in]=web,mobile')).toEqual(web);
    expect(await keys('filter%5Bchannel%5D%5Bin%5D%5B%5D=web&filter%5Bchannel%5D%5Bin%5D%5B%5D=mobile')).toEqual(web);
    expect(await keys('filter[channel][in][]=web,mobile')).toEqual([]);
    expect(await keys('filter[channel][in]=')).toEqual([]);
    expect(await keys('filter[quantity][gt]=1&filter[quantity][lte]=2&filter[product.category][ne]=Beauty')).toEqual(
      matching((row) => row['quantity'] === 2 && row['product.category'] !== 'Beauty'),
    );
    expect(await keys('filter[product.category][null]=true')).toEqual(
      matching((row) => row['product.category'] === null),
    );
  });

  it('groups as asked by URL and by body alike', async () => {
    const byUrl = await get(
      'fact_sales/aggregate?group=product.category,month(order_date)&measure=net:sum(net_line_total),count()' +
        '&having[count][gte]=3&sort=-net&filter[is_cancelled][eq]=false&limit=5',
    );
    const byBody = await app.inject({
      method: 'POST',
      url: '/v1/products/fact_sales/query',
      payload: {
        group: ['product.category', 'month(order_date)'],
        measures: ['net:sum(net_line_total)', 'count()'],
        having: { count: { gte: 3 } },
        sort: ['-net'],
        where: { is_cancelled: { eq: false } },
        limit: 5,
      },
    });
    const { data } = byUrl.json<Page>();
    expect(data).toHaveLength(5);
    expect(Object.keys(data[0] ?? {})).toEqual(['product.category', 'order_date_month', 'net', 'count']);
    expect(byBody.json<Page>().data).toEqual(data);
    const month = await pageOf('fact_sales/aggregate?measure=sum(net_line_total)');
    const daily = await pageOf('agg_daily_sales/aggregate?measure=sum(net_revenue)');
    expect(month.data[0]?.['sum_net_line_total']).toBe(daily.data[0]?.['sum_net_revenue']);
  });

  it('finds every row by its key', async () => {
    const { data } = await pageOf('agg_daily_sales/rows?limit=25&sort=channel');
    const contract = shop.catalogue.byName.get('gold/agg_daily_sales')?.contract;
    if (contract === undefined) throw new Error('no contract');
    for (const row of data) {
      const key = encodeURIComponent(restKey(row, contract));
      expect((await get(`agg_daily_sales/rows/${key}`)).json()).toMatchObject({ data: row, release: { id: 1 } });
    }
    const day = String(data[0]?.['order_date']);
    expect(await codeOf(`agg_daily_sales/rows/${day}~no such channel`)).toEqual([404, 'row-not-found']);
    expect(await codeOf(`agg_daily_sales/rows/${day}`)).toEqual([400, 'query-invalid']);
  });

  it('says of each answer what release and contract it has, and gives it once to whoever has it', async () => {
    const path = 'agg_daily_sales/rows?limit=3';
    const first = await get(path);
    expect(first.headers).toMatchObject({
      'x-release': '1',
      'x-data-as-of': '2026-02-17',
      'x-contract': 'agg_daily_sales@1',
      'cache-control': 'private',
      vary: 'Accept, Accept-Encoding, Authorization, X-Release',
      'content-type': 'application/json; charset=utf-8',
    });
    const etag = String(first.headers.etag);
    expect(etag).toMatch(/^"[\w-]+"$/);
    const { headers: repeated, body } = await get(path);
    expect(body).toBe(first.body);
    const lasting = (headers: typeof repeated) => ({ ...headers, date: '', 'x-request-id': '' });
    expect(lasting(repeated)).toEqual(lasting(first.headers));
    for (const pinned of [path, `${path}&release=1`, `${path}&decimals=number`]) {
      const unchanged = await get(pinned, { 'if-none-match': `"other", W/${etag}` });
      expect([unchanged.statusCode, unchanged.body, unchanged.headers.etag]).toEqual([304, '', etag]);
    }
    for (const form of ['json', 'csv']) {
      const any = await get(`${path}&format=${form}`, { 'if-none-match': '*' });
      expect([any.statusCode, any.body]).toEqual([304, '']);
    }
    const nothing = await get('fact_sales/rows/no-such-key', { 'if-none-match': '*' });
    expect(nothing.statusCode).toBe(404);
    expect((await get('agg_daily_sales')).headers).toMatchObject({ 'x-contract': 'agg_daily_sales@1' });
    expect((await get(`${path}&release=1`)).headers['cache-control']).toBe('private, immutable');
    expect((await get(path, { 'x-release': '1' })).headers['cache-control']).toBe('private');
    expect((await get(`${path}&decimals=string`)).headers.etag).not.toBe(etag);
    const head = await app.inject({ method: 'HEAD', url: `/v1/products/${path}` });
    expect([head.statusCode, head.body, head.headers.etag]).toEqual([200, '', etag]);
    const stream = await app.inject({ method: 'HEAD', url: `/v1/products/${path}&format=csv` });
    expect([stream.statusCode, stream.body, stream.headers['content-length']]).toEqual([200, '', undefined]);
  });

  it('comes in the form that Accept ranks highest, by the range that says most of it', async () => {
    for (const [accept, form] of [
      ['', 'application/json'],
      ['*/*', 'application/json'],
      ['text/html, */*;q=0.1', 'application/json'],
      ['text/csv, */*', 'text/csv'],
      ['text/*, application/json;q=0.9', 'text/csv'],
      ['application/json;q=0.1, */*', 'text/csv'],
      ['application/json;q=0, application/*', 'application/x-ndjson'],
      ['application/json;q=0, text/csv;q=0, */*', 'application/x-ndjson'],
      ['application/json;Q=0.2, TEXT/CSV;q=0.3', 'text/csv'],
      ['*/*;q=0', 'application/problem+json'],
      ['application/json;q=0', 'application/problem+json'],
      ['text/html', 'application/problem+json'],
    ] as const) {
      const { headers, statusCode } = await get('agg_daily_sales/rows?limit=1', { accept });
      expect([accept, String(headers['content-type']).split(';')[0]]).toEqual([accept, form]);
      expect(statusCode).toBe(form === 'application/problem+json' ? 406 : 200);
    }
  });

  it('hides personal columns from a caller without pii:read, and gives nothing to one without products:read', async () => {
    const path = 'dim_customer/rows?limit=1&select=customer_sk,email_hash';
    const open = await get(path);
    expect(open.json<Page>().data[0]?.['email_hash']).toMatch(/^[0-9a-f]{64}$/);
    try {
      held.delete('pii:read');
      const masked = await get(path);
      expect(masked.json<Page>().data[0]?.['email_hash']).toBeNull();
      expect(masked.headers['x-masked-columns']).toBe('email_hash');
      expect(masked.headers.etag).not.toBe(open.headers.etag);
      const refused = await get('dim_customer/rows?filter[email_hash][eq]=x&sort=last_name');
      expect(refused.statusCode).toBe(403);
      expect(refused.json()).toMatchObject({ code: 'pii-scope-required', errors: [{ parameter: 'filter' }, {}] });
      held.delete('products:read');
      expect(await codeOf(path)).toEqual([403, 'request-scope-required']);
    } finally {
      for (const scope of scopes) held.add(scope);
    }
  });

  it('gives the same bytes of a release, and goes on with its cursors, whatever is published later', async () => {
    const questions = [
      'fact_sales/rows?release=1&limit=7&sort=-order_date&count=true',
      'fact_sales/rows?release=1&format=csv',
      'fact_sales/aggregate?release=1&group=month(order_date)&measure=avg(net_line_total)',
      'agg_daily_sales/rows?release=1',
    ];
    const before = await Promise.all(questions.map((question) => get(question)));
    const { page, data } = await pageOf('fact_sales/rows?limit=1500&select=sales_key');
    for (const number of [2, 3]) {
      await shop.publishMore();
      const after = await Promise.all(questions.map((question) => get(question)));
      expect(after.map(({ body, headers }) => [body, headers.etag])).toEqual(
        before.map(({ body, headers }) => [body, headers.etag]),
      );
      const newest = await get('fact_sales/rows?limit=1&count=true');
      expect(newest.headers['x-release']).toBe(String(number));
      expect(newest.json<Page>().page.total).toBe((before[0]?.json<Page>().page.total ?? 0) + number - 1);
    }
    const rest = await get(`fact_sales/rows?limit=1500&select=sales_key&cursor=${page.next_cursor}`);
    expect(rest.headers['x-release']).toBe('1');
    const whole = await pageOf('fact_sales/rows?release=1&limit=10000&select=sales_key');
    expect([...data, ...rest.json<Page>().data]).toEqual(whole.data);
    expect(await codeOf(`fact_sales/rows?limit=5&cursor=${page.next_cursor}`)).toEqual([400, 'cursor-mismatch']);
    expect((await get('dim_date/rows', { 'x-release': '2' })).headers['x-release']).toBe('2');
    expect((await app.inject('/v1/releases/2')).json()).toMatchObject({ data: { id: 2, parent: 1 } });
    const releases = (await app.inject('/v1/releases?limit=2')).json<{ data: unknown[]; page: object }>();
    expect(releases).toMatchObject({ data: [{ id: 3 }, { id: 2 }], page: { next_cursor: '2' } });

    const { data: nowhere } = await pageOf('agg_daily_sales/rows?filter[channel][null]=true');
    const day = String(nowhere[0]?.['order_date']);
    // a NULL part, its % encoded as that of any part, or written as it is
    for (const key of [`${day}~%2500`, `${day}~%00`]) {
      expect((await pageOf(`agg_daily_sales/rows/${key}`)).data).toEqual(nowhere[0]);
    }

    await rm(join(shop.folder, 'lake/_releases/00000000000000000001.json'));
    expect(await codeOf('dim_product/rows?release=1')).toEqual([410, 'release-gone']);
    expect(await codeOf(`fact_sales/rows?limit=1500&select=sales_key&cursor=${page.next_cursor}`)).toEqual([
      410,
      'release-gone',
    ]);
    expect(await codeOf('dim_product/rows?release=9')).toEqual([404, 'release-not-found']);
  });
});
