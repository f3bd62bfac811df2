import { connect } from 'node:net';
import fc from 'fast-check';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { apiOver, HeardLog } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly parameter?: string; readonly pointer?: string; readonly code: string }[];
}

const rows = '/v1/products/fact_sales/rows';
const query = '/v1/products/fact_sales/query';
const deep = (depth: number): object => (depth === 0 ? {} : { not: deep(depth - 1) });

/** A request, its status and code, and the places and codes of its mistakes. */
const badUrls: readonly (readonly [string, number, string, string?])[] = [
  [`${rows}?select=chanel`, 400, 'query-invalid', 'select unknown-column'],
  [`${rows}?select=`, 400, 'query-invalid', 'select out-of-range'],
  [`${rows}?filter[chanel][eq]=web`, 400, 'query-invalid', 'filter[chanel][eq] unknown-column'],
  [`${rows}?filter[quantity][eq]=two`, 400, 'query-invalid', 'filter[quantity][eq] wrong-type'],
  [`${rows}?filter[quantity][is]=2`, 400, 'query-invalid', 'filter[quantity][is] unknown-operator'],
  [`${rows}?filter[quantity][in]=1,x`, 400, 'query-invalid', 'filter[quantity][in] wrong-type'],
  [`${rows}?filter[quantity]=2`, 400, 'request-invalid', 'filter[quantity] unknown-parameter'],
  [`${rows}?filter=2`, 400, 'request-invalid', 'filter unknown-parameter'],
  [`${rows}?filter[order_date][gt]=2026-02-30`, 400, 'query-invalid', 'filter[order_date][gt] wrong-type'],
  [`${rows}?sort=-nothing`, 400, 'query-invalid', 'sort unknown-column'],
  [`${rows}?limit=0`, 400, 'query-invalid', 'limit out-of-range'],
  [`${rows}?limit=10001`, 400, 'query-invalid', 'limit out-of-range'],
  [`${rows}?limit=1&limit=2`, 400, 'request-invalid', 'limit duplicate'],
  [`${rows}?cursor=nonsense`, 400, 'query-invalid', 'cursor bad-cursor'],
  [`${rows}?limt=3&measure=count()`, 400, 'request-invalid', 'limt unknown-parameter, measure unknown-parameter'],
  [`${rows}?count=maybe&decimals=x`, 400, 'request-invalid', 'decimals wrong-type, count wrong-type'],
  [`${rows}?select=%E0%A4%A`, 400, 'request-invalid', 'select bad-encoding'],
  [`${rows}?release=0`, 400, 'request-invalid', 'release wrong-type'],
  [`${rows}?release=2`, 404, 'release-not-found'],
  [`${rows}?format=xml`, 400, 'request-invalid', 'format wrong-type'],
  [`${rows}?format=parquet`, 406, 'request-not-acceptable'],
  [`${rows}/no-such-key?format=csv`, 400, 'request-invalid', 'format wrong-type'],
  [`${rows}/no-such-key`, 404, 'row-not-found'],
  [`${rows}/a~b`, 400, 'query-invalid', 'key bad-key'],
  [`${rows}/%2500`, 404, 'row-not-found'],
  ['/v1/products/dim_date/rows/%2500', 404, 'row-not-found'],
  ['/v1/products/dim_date/rows/today', 400, 'query-invalid', 'key wrong-type'],
  ['/v1/products/agg_daily_sales/rows/2026-02-01', 400, 'query-invalid', 'key bad-key'],
  ['/v1/products/fact_sales/aggregate', 400, 'query-invalid', 'measure out-of-range'],
  [
    '/v1/products/fact_sales/aggregate?measure=count(),median(quantity)',
    400,
    'query-invalid',
    'measure unknown-measure',
  ],
  ['/v1/products/fact_sales/aggregate?group=month(channel)&measure=count()', 400, 'query-invalid', 'group not-allowed'],
  [
    '/v1/products/fact_sales/aggregate?measure=count()&having[n][gt]=1',
    400,
    'query-invalid',
    'having[n][gt] unknown-column',
  ],
  ['/v1/products/orders/rows', 404, 'product-not-found'],
  ['/v1/products/__proto__', 404, 'product-not-found'],
  ['/v1/products?release=x', 400, 'request-invalid', 'release wrong-type'],
  ['/v1/releases?limit=101', 400, 'request-invalid', 'limit out-of-range'],
  ['/v1/releases/first', 404, 'release-not-found'],
  ['/v1/admin/runs/none', 404, 'run-not-found'],
  ['/v1/nothing', 404, 'request-not-found'],
  ['/problems/constructor', 404, 'request-not-found'],
  [`${rows}/%zz`, 400, 'request-unreadable'],
  [query, 405, 'request-method'],
];

const badBodies: readonly (readonly [string | Buffer | object | undefined, number, string, string?])[] = [
  [undefined, 400, 'query-invalid', ' wrong-type'],
  ['{"where":', 400, 'request-unreadable'],
  ['', 400, 'request-unreadable'],
  ['[]', 400, 'query-invalid', ' wrong-type'],
  ['{"__proto__":{"a":1}}', 400, 'request-unreadable'],
  [{ limit: 10001 }, 400, 'query-invalid', '/limit out-of-range'],
  [{ where: deep(40) }, 400, 'query-invalid', `/where${'/not'.repeat(17)} too-deep`],
  [{ where: { product: { category: { eq: 1 } } } }, 400, 'query-invalid', '/where/product/category/eq wrong-type'],
  [{ where: { channel: { in: 'web' } } }, 400, 'query-invalid', '/where/channel/in wrong-type'],
  [{ selct: [] }, 400, 'query-invalid', '/selct unknown-property'],
  [{ select: ['a'], sort: ['b'] }, 400, 'query-invalid', '/select/0 unknown-column, /sort/0 unknown-column'],
  [`{"cursor":"${'x'.repeat(1_100_000)}"}`, 413, 'request-too-large'],
];

describe('bad requests', () => {
  let shop: DemoLake;
  let app: NestFastifyApplication;
  const log = new HeardLog();

  beforeAll(async () => {
    shop = await DemoLake.make();
    app = await apiOver(shop, { log });
  });

  afterAll(async () => {
    await app.close();
    await shop.remove();
  });

  const seen = (statusCode: number, body: string) => {
    const { status, code, errors } = JSON.parse(body) as Problem;
    expect(status).toBe(statusCode);
    const places = errors?.map((mistake) => `${mistake.parameter ?? mistake.pointer} ${mistake.code}`).join(', ');
    return [statusCode, code, places];
  };

  it('in a URL are told with status, code and the name of every wrong parameter', async () => {
    for (const [url, status, code, places] of badUrls) {
      const { statusCode, headers, body } = await app.inject(url);
      expect([url, ...seen(statusCode, body)]).toEqual([url, status, code, places]);
      expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
      const type = await app.inject(`/problems/${code}`);
      expect(type.json()).toMatchObject({ code, status });
    }
  });

  it('in a body are told with a pointer to every mistake', async () => {
    for (const [payload, status, code, places] of badBodies) {
      const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
      const { statusCode, body } = await app.inject({
        method: 'POST',
        url: query,
        headers,
        ...(payload === undefined ? {} : { payload }),
      });
      expect([...seen(statusCode, body)]).toEqual([status, code, places]);
    }
    const form = await app.inject({
      method: 'POST',
      url: query,
      payload: 'a=b',
      headers: { 'content-type': 'text/plain' },
    });
    expect(seen(form.statusCode, form.body)).toEqual([415, 'request-media-type', undefined]);
  });

  it('by host and origin get nothing, whatever they ask', async () => {
    const ask = async (headers: Record<string, string>, url = rows) => {
      const { statusCode, body } = await app.inject({ url: `${url}?limit=1`, headers });
      return statusCode === 200 ? 'answered' : (JSON.parse(body) as Problem).code;
    };
    for (const host of ['localhost:3000', '127.0.0.1', '127.9.9.9:80', '[::1]:3000', 'data.example.com']) {
      expect([host, await ask({ host })]).toEqual([host, 'answered']);
    }
    for (const host of [
      'evil.example',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      'a@localhost',
      '10.0.0.1',
    ]) {
      expect([host, await ask({ host })]).toEqual([host, 'request-misdirected']);
    }
    expect(await ask({ host: 'localhost:3000', origin: 'http://localhost:3000' })).toBe('answered');
    expect(await ask({ host: 'data.example.com', origin: 'https://data.example.com' })).toBe('answered');
    for (const origin of ['http://evil.example', 'http://localhost:8080', 'null']) {
      expect([origin, await ask({ host: 'localhost:3000', origin })]).toEqual([origin, 'request-cross-origin']);
      expect(await ask({ host: 'localhost:3000', origin }, '/health/live')).toBe('request-cross-origin');
    }
  });

  it('name the methods that work, and the formats that there are', async () => {
    const wrong = await app.inject({ method: 'DELETE', url: '/v1/admin/runs' });
    expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, 'GET, HEAD, POST']);
    const format = await app.inject({ url: rows, headers: { accept: 'image/png' } });
    expect([format.statusCode, format.body]).toEqual([406, expect.stringContaining('application/x-ndjson')]);
  });

  it('that are no HTTP are answered too', async () => {
    await app.listen(0, '127.0.0.1');
    const { port } = new URL(await app.getUrl());
    const answer = (text: string) =>
      new Promise<string>((resolve, reject) => {
        let heard = '';
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
        socket
          .on('data', (chunk) => (heard += chunk.toString()))
          .on('close', () => resolve(heard))
          .on('error', reject);
      });
    expect(await answer('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [^]*"code":"request-unreadable"/);
    const long = `GET /?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    expect(await answer(long)).toMatch(/^HTTP\/1.1 431 [^]*"code":"request-headers-too-large"/);
  });

  it('of any kind never make the server fail', async () => {
    const piece = fc.oneof(
      fc.constantFrom('filter', 'having', 'select', 'sort', 'group', 'measure', 'limit', 'cursor', 'release', 'count'),
      fc.constantFrom('[', ']', '&', '=', ',', '~', '%', '%00', '%2500', '%7E', '.', '/', '-', '(', ')', ':'),
      fc.constantFrom(
        'channel',
        'quantity',
        'order_date',
        'product.category',
        'is_weekend',
        'sum(',
        'count()',
        'month(',
      ),
      fc.constantFrom('eq', 'in', 'null', 'like', 'contains', '9'.repeat(50), '1e400', '-0', 'true', '2026-02-17'),
      fc.string({ unit: 'binary', maxLength: 5 }).map(inUrl),
    );
    const filter = fc
      .tuple(
        fc.constantFrom(
          'channel',
          'quantity',
          'order_date',
          'unit_price',
          'product.category',
          'is_weekend',
          'customer_sk',
        ),
        fc.constantFrom('eq', 'ne', 'gt', 'lte', 'in', 'nin', 'null', 'like', 'icontains', 'ends'),
        fc.oneof(piece, fc.string({ unit: 'grapheme', maxLength: 8 }).map(inUrl)),
      )
      .map(([column, operator, value]) => `filter[${column}][${operator}]=${value}`);
    const url = fc
      .tuple(
        fc.constantFrom('rows', 'aggregate', 'rows/', ''),
        fc.array(fc.oneof(piece, filter), { maxLength: 8 }),
        fc.constantFrom('', '?', '&'),
      )
      .map(
        ([door, parts, glue]) =>
          `/v1/products/fact_sales/${door}${glue === '' ? '' : '?'}${parts.join(glue === '&' ? '&' : '')}`,
      );
    const body = fc.oneof(
      fc.json(),
      fc
        .record(
          {
            select: fc.oneof(fc.array(piece, { maxLength: 3 }), fc.anything()),
            where: fc.oneof(
              fc.dictionary(piece, fc.dictionary(piece, fc.anything(), { maxKeys: 2 }), { maxKeys: 3 }),
              fc.anything(),
            ),
            sort: fc.array(piece, { maxLength: 2 }),
            limit: fc.anything(),
            group: fc.array(piece, { maxLength: 2 }),
            measures: fc.array(piece, { maxLength: 2 }),
            having: fc.anything(),
            cursor: fc.anything(),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))),
    );
    const headers = { 'content-type': 'application/json' };
    await fc.assert(
      fc.asyncProperty(url, body, async (target, payload) => {
        const answers = [await app.inject(target), await app.inject({ method: 'POST', url: query, payload, headers })];
        for (const { statusCode, body } of answers) {
          expect(statusCode).toBeLessThan(500);
          if (statusCode >= 400) expect((JSON.parse(body) as Problem).request_id).not.toBe('');
        }
      }),
      { numRuns: 150 },
    );
    expect(log.errors).toEqual([]);
    expect((await app.inject('/health/ready')).json()).toMatchObject({ status: 'ok' });
  });
});

/** Whatever stands in a URL; half characters cannot. */
function inUrl(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, ''));
}
