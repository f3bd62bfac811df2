import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { scopes, type Scope } from '../edge/caller.js';
import { apiOver, HeardLog } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';
import { askGraphql } from '../testing/graphql-client.js';

let shop: DemoLake;
let app: NestFastifyApplication;
const held = new Set<Scope>(scopes);
const log = new HeardLog();

beforeAll(async () => {
  shop = await DemoLake.make();
  app = await apiOver(shop, { caller: { id: 'tester', scopes: held }, log });
});

afterEach(() => {
  for (const scope of scopes) held.add(scope);
  expect(log.errors.splice(0)).toEqual([]);
});

afterAll(async () => {
  await app.close();
  await shop.remove();
});

const ask = <T = Record<string, unknown>>(query: string, variables: object = {}) =>
  askGraphql<T>(app, query, variables);
const get = (query: string, headers: Readonly<Record<string, string>> = {}, more = '') =>
  app.inject({ url: `/graphql?query=${encodeURIComponent(query)}${more}`, headers });

interface Connection {
  readonly nodes: readonly Readonly<Record<string, unknown>>[];
  readonly edges: readonly { readonly cursor: string }[];
  readonly totalCount: number;
  readonly release: { readonly id: string };
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string;
    readonly endCursor: string;
  };
}

it('answers rows with what they refer to, single rows and groups, and says what they are of', async () => {
  const { status, headers, data, extensions } = await ask(`{
    factSales(first: 2, filter: {product: {category: {eq: "Electronics"}}}) {
      nodes { netLineTotal product { category } date { __typename } }
      totalCount
      release { id asOf publishedAt }
    }
    factSalesAggregate(groupBy: [product_category], orderBy: [{column: sum_netLineTotal, direction: DESC}], first: 1) {
      keys { product_category channel }
      count
      sum { netLineTotal }
    }
  }`);
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'x-release': '1',
    'x-data-as-of': '2026-02-17',
    'x-contract': 'dim_date@1, dim_product@1, fact_sales@1',
    'cache-control': 'private',
    etag: expect.stringMatching(/^"[\w-]{27}"$/),
    vary: 'Accept, Accept-Encoding, Authorization, X-Release',
  });
  const row = {
    netLineTotal: expect.stringMatching(/^\d+\.\d\d$/),
    product: { category: 'Electronics' },
    date: { __typename: 'DimDate' },
  };
  expect(data).toEqual({
    factSales: {
      nodes: [row, row],
      totalCount: expect.any(Number),
      release: { id: '1', asOf: '2026-02-17', publishedAt: shop.answers.current?.published_at },
    },
    factSalesAggregate: [
      {
        keys: { product_category: 'Electronics', channel: null },
        count: expect.any(Number),
        sum: { netLineTotal: expect.stringMatching(/^\d+\.\d\d$/) },
      },
    ],
  });
  expect(extensions).toMatchObject({ release: 1, asOf: '2026-02-17', maskedColumns: [], cost: expect.any(Number) });
});

it('asks nothing by a variable that was not given, and takes null for null', async () => {
  const document = `query ($eq: String, $ne: StringFilter, $not: FactSalesFilter, $in: [String!], $first: Int) {
    factSales(first: $first, filter: {channel: {eq: $eq, in: $in}, orderStatus: $ne, not: $not}) { totalCount }
  }`;
  const count = async (variables: object) =>
    (await ask<{ factSales?: Connection }>(document, variables)).data.factSales?.totalCount;
  const all = (await ask<{ rows: Connection }>('{ rows: factSales { totalCount } }')).data.rows.totalCount;
  const web = await count({ eq: 'web' });
  expect(web).toBeGreaterThan(0);
  expect(web).toBeLessThan(all);
  expect(await count({})).toBe(all);
  expect(await count({ eq: null })).toBe(0);
  expect(await count({ not: { channel: { ne: 'web' } } })).toBe(web);
  expect(await count({ in: ['web'], first: 1 })).toBe(web);
});

it('finds each row by its key, NULL parts included, and wants every part', async () => {
  const { data } = await ask<{ rows: Connection }>(
    '{ rows: aggDailySales(first: 50) { nodes { orderDate channel } } }',
  );
  for (const key of data.rows.nodes.slice(0, 3)) {
    const document =
      'query ($day: Date, $channel: String) { row: aggDailySalesByKey(orderDate: $day, channel: $channel) { orderDate channel } }';
    const found = await ask(document, { day: key['orderDate'], channel: key['channel'] });
    expect(found.data).toEqual({ row: key });
  }
  const none = await ask('{ row: aggDailySalesByKey(orderDate: "2026-01-01", channel: null) { orderDate } }');
  expect(none).toMatchObject({ data: { row: null } });
  const missing = await ask('{ row: aggDailySalesByKey(orderDate: "2026-01-01") { orderDate } }');
  expect(missing.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', errors: [{ pointer: '/channel' }] } }]);
});

describe('what cannot be answered', () => {
  const deep = (levels: number): object => (levels === 0 ? { channel: { eq: 'web' } } : { not: deep(levels - 1) });
  const byFilter = 'query ($filter: FactSalesFilter) { factSales(filter: $filter) { totalCount } }';
  it.each<[string, string, object, string, number, string?]>([
    ['an unknown column', '{ factSales { nodes { nope } } }', {}, 'BAD_USER_INPUT', 400],
    ['an unknown column in a variable', byFilter, { filter: { nope: { eq: 1 } } }, 'BAD_USER_INPUT', 400],
    ['a wrong type', '{ factSales(filter: {quantity: {eq: "two"}}) { totalCount } }', {}, 'BAD_USER_INPUT', 400],
    [
      'a wrong date',
      byFilter,
      { filter: { orderDate: { gte: '2026-02-30' } } },
      'BAD_USER_INPUT',
      400,
      '/filter/orderDate/gte',
    ],
    ['null for a condition', byFilter, { filter: { channel: null } }, 'BAD_USER_INPUT', 400, '/filter/channel'],
    ['a bad cursor', '{ factSales(after: "x") { totalCount } }', {}, 'BAD_USER_INPUT', 400],
    ['a release that never was', '{ factSales(release: 99) { totalCount } }', {}, 'BAD_USER_INPUT', 404],
    [
      'a release that is no number',
      '{ factSales(release: "now") { totalCount } }',
      {},
      'BAD_USER_INPUT',
      400,
      '/release',
    ],
    ['no rows', '{ factSales(first: 0) { totalCount } }', {}, 'BAD_USER_INPUT', 400, '/first'],
    ['too many rows', '{ factSales(last: 10001) { totalCount } }', {}, 'BAD_USER_INPUT', 400, '/last'],
    ['both directions', '{ factSales(first: 1, last: 1) { totalCount } }', {}, 'BAD_USER_INPUT', 400, '/last'],
    [
      'a group order by what is not grouped by',
      '{ factSalesAggregate(orderBy: [{column: channel}]) { count } }',
      {},
      'BAD_USER_INPUT',
      400,
      '/orderBy/0',
    ],
    ['a filter that nests too deep', byFilter, { filter: deep(20) }, 'QUERY_TOO_DEEP', 400],
    ['variables that nest far too deep', byFilter, { filter: deep(2_000) }, 'QUERY_TOO_DEEP', 400],
    ['selections that nest too deep', `{ ${'a { '.repeat(30)} b ${'}'.repeat(30)} }`, {}, 'QUERY_TOO_DEEP', 400],
    [
      'too many values in a list',
      byFilter,
      { filter: { salesKey: { in: Array(10_001).fill('x') } } },
      'QUERY_TOO_COSTLY',
      400,
    ],
    ['too long a document', `{ ${'a '.repeat(20_000)} }`, {}, 'QUERY_TOO_COSTLY', 400],
    [
      'too many rows in all',
      `{ ${[...'abcdefgh'].map((name) => `${name}: factSales(first: 10000) { nodes { ${[...'abcdefghijklmnop'].map((c) => `${c}: channel`).join(' ')} } }`).join(' ')} }`,
      {},
      'QUERY_TOO_COSTLY',
      400,
    ],
    [
      'too many fields',
      `{ ${Array.from({ length: 51 }, (_, n) => `a${n}: dimDate(first: 1) { totalCount }`).join(' ')} }`,
      {},
      'QUERY_TOO_COSTLY',
      400,
    ],
    ['no document', '', {}, 'BAD_USER_INPUT', 400],
    ['broken syntax', '{ factSales', {}, 'BAD_USER_INPUT', 400],
    [
      'an unknown run request',
      'mutation { triggerRun(input: {asOf: "soon"}) { runId } }',
      {},
      'BAD_USER_INPUT',
      400,
      '/input/asOf',
    ],
    [
      'a key that no run can have',
      'mutation { triggerRun(input: {idempotencyKey: "a b"}) { runId } }',
      {},
      'BAD_USER_INPUT',
      400,
      '/input/idempotencyKey',
    ],
    [
      'a key of another type',
      '{ aggDailySalesByKey(channel: "web", orderDate: "today") { channel } }',
      {},
      'BAD_USER_INPUT',
      400,
      '/orderDate',
    ],
    ['a bad cursor backward', '{ factSales(before: "x") { totalCount } }', {}, 'BAD_USER_INPUT', 400, '/before'],
    ['a kind of operation that there is not', 'subscription { releasePublished { id } }', {}, 'BAD_USER_INPUT', 400],
    [
      'values that nest too deep',
      `{ factSales(filter: ${'{not: '.repeat(3_000)}{}${'}'.repeat(3_000)}) { totalCount } }`,
      {},
      'QUERY_TOO_DEEP',
      400,
    ],
  ])('%s', async (_, document, variables, code, status, ...[pointer]) => {
    const { errors, status: httpStatus } = await ask(document, variables);
    const { extensions } = errors?.[0] ?? {};
    expect(extensions).toMatchObject({ code, status, requestId: expect.stringMatching(/./) });
    expect(extensions?.errors).not.toHaveLength(0);
    expect(httpStatus).toBeLessThan(500);
    if (pointer !== undefined) expect(extensions?.errors).toMatchObject([{ pointer }]);
  });

  it('a cursor of another order', async () => {
    const { data } = await ask<{ rows: Connection }>('{ rows: factSales(first: 1) { pageInfo { endCursor } } }');
    const document =
      'query ($after: String) { factSales(after: $after, orderBy: [{column: quantity}]) { totalCount } }';
    const { errors } = await ask(document, { after: data.rows.pageInfo.endCursor });
    expect(errors).toMatchObject([{ path: ['factSales'], extensions: { code: 'CURSOR_MISMATCH', status: 400 } }]);
  });

  it('what is not JSON, what is no document, and mutations by GET', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const text = { 'content-type': 'text/plain' };
    const json = { 'content-type': 'application/json' };
    const post = (headers: Readonly<Record<string, string>>, payload: string) =>
      app.inject({ method: 'POST', url: '/graphql', headers, payload });
    const document = 'query=mutation{triggerRun{runId}}';
    for (const [reply, status] of [
      [await post(form, document), 415],
      [await post(text, document), 415],
      [await post(json, '{"query'), 400],
      [await post(json, `{"variables": ${'{"not":'.repeat(100_000)}1${'}'.repeat(100_000)}}`), 400],
      [await post(json, '[{"query": "{ __typename }"}]'), 400],
      [await get('mutation { triggerRun { runId } }'), 405],
      [await get('{ __typename }', {}, '&release=x'), 400],
    ] as const) {
      expect(reply.statusCode).toBe(status);
      expect(JSON.parse(reply.body)).toMatchObject({ errors: [{ extensions: { status } }] });
    }
  });
});

it('pages forward and backward through each row once while releases are published, whatever a page selects', async () => {
  const expected = await ask<{ rows: Connection }>(
    '{ rows: factSales(first: 10000) { nodes { salesKey } totalCount release { id } } }',
  );
  const all = expected.data.rows.nodes.map(({ salesKey }) => salesKey);
  const { id } = expected.data.rows.release;
  const document = (columns: string) => `query ($first: Int, $after: String, $last: Int, $before: String) {
    rows: factSales(first: $first, after: $after, last: $last, before: $before) {
      nodes { salesKey ${columns} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } release { id }
    }
  }`;
  const found = { forward: [] as unknown[], backward: [] as unknown[] };
  let after: string | undefined;
  let before: string | undefined;
  for (let page = 0; page < 20; page += 1) {
    const columns = page % 2 === 0 ? '' : 'product { category }';
    const forward = await ask<{ rows: Connection }>(document(columns), { first: 700, after });
    found.forward.push(...forward.data.rows.nodes.map(({ salesKey }) => salesKey));
    expect(forward.data.rows.release.id).toBe(id);
    const { pageInfo } = forward.data.rows;
    expect(pageInfo.hasPreviousPage).toBe(after !== undefined);
    if (page === 0) await shop.publishMore();
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
    before ??= forward.data.rows.pageInfo.endCursor;
  }
  expect(found.forward).toEqual(all);
  for (;;) {
    const { data } = await ask<{ rows: Connection }>(document('quantity'), { last: 200, before });
    found.backward.unshift(...data.rows.nodes.map(({ salesKey }) => salesKey));
    expect(data.rows.pageInfo.hasNextPage).toBe(true);
    if (!data.rows.pageInfo.hasPreviousPage) break;
    before = data.rows.pageInfo.startCursor;
  }
  expect(found.backward).toEqual(all.slice(0, 699));
  const { data } = await ask<{ rows: Connection }>('{ rows: factSales { totalCount } }');
  expect(data.rows.totalCount).toBe(all.length + 1);
});

it('gives a release the same bytes after more were published, and all fields of an operation one release', async () => {
  const document = `query ($release: ID) {
    factSales(release: $release, first: 5, orderBy: [{column: product_brand}]) { edges { cursor node { salesKey } } totalCount }
    groups: factSalesAggregate(release: $release, groupBy: [orderDate_month]) { keys { orderDate_month } sum { netLineTotal } }
  }`;
  const release = String(shop.answers.current?.number);
  const first = await ask(document, { release });
  await shop.publishMore();
  const again = await ask(document, { release });
  expect(again.text).toBe(first.text);
  expect(again.headers.etag).toBe(first.headers.etag);
  const newest = await ask<{ factSales: Connection }>(document);
  expect(newest.text).not.toBe(first.text);
  const { body } = await get('{ factSales { totalCount release { id } } }', { 'x-release': release });
  expect(JSON.parse(body)).toMatchObject({
    data: { factSales: { release: { id: release } } },
    extensions: { release: Number(release) },
  });
});

it('keeps answers until a table that they read changes, and answers 304 to who has them', async () => {
  const dates = '{ dimDate(first: 3) { nodes { fullDate } } }';
  const sales = '{ factSales { totalCount } releases(first: 1) { id } }';
  const first = await get(dates);
  expect(first.headers).toMatchObject({
    'cache-control': 'private',
    'x-release': String(shop.answers.current?.number),
  });
  const kept = await get(dates);
  expect(kept.rawPayload).toEqual(first.rawPayload);
  expect(kept.headers.etag).toBe(first.headers.etag);
  const unchanged = await get(dates, { 'if-none-match': String(first.headers.etag) });
  expect([unchanged.statusCode, unchanged.body]).toEqual([304, '']);
  expect((await get(sales)).headers).toMatchObject({ etag: expect.stringMatching(/^W\//) });
  await shop.publishMore();
  const later = await get(dates);
  expect(later.headers).toMatchObject({ etag: first.headers.etag, 'x-release': String(shop.answers.current?.number) });
  expect(later.rawPayload).toEqual(first.rawPayload);
  const [release] = (JSON.parse((await get(sales)).body) as { data: { releases: { id: string }[] } }).data.releases;
  expect(release?.id).toBe(String(shop.answers.current?.number));
});

it('keeps the answer, and not the refusal of a form that it does not come in', async () => {
  const products = '{ dimProduct(first: 2) { nodes { productSk } } }';
  const first = await get(products);
  const refused = await get(products, { accept: 'text/csv' });
  expect(refused.statusCode).toBe(406);
  expect(refused.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT', status: 406 } }] });
  const again = await get(products);
  expect([again.statusCode, again.body]).toEqual([200, first.body]);
  const runs = async () => (await ask<{ runs: object[] }>('{ runs { runId } }')).data.runs;
  const before = await runs();
  const headers = { accept: 'application/json;q=0, text/*' };
  const payload = { query: 'mutation { triggerRun { runId } }' };
  expect((await app.inject({ method: 'POST', url: '/graphql', headers, payload })).statusCode).toBe(406);
  expect(await runs()).toEqual(before);
});

it('hides personal columns from a caller without pii:read, and refuses what scopes do not cover', async () => {
  const document = '{ rows: factSales(first: 1) { nodes { salesKey customer { firstName customerId } } } }';
  const open = await ask<{ rows: Connection }>(document);
  expect(open.data.rows.nodes).toMatchObject([{ customer: { firstName: expect.any(String) } }]);
  held.delete('pii:read');
  const masked = await ask<{ rows: Connection }>(document);
  expect(masked.data.rows.nodes).toMatchObject([{ customer: { firstName: null } }]);
  expect(masked.extensions.maskedColumns).toContain('customer.firstName');
  expect(masked.headers['x-masked-columns']).toContain('customer.firstName');
  const asked = await ask('{ factSales(filter: {customer: {firstName: {eq: "Ann"}}}) { totalCount } }');
  expect(asked.errors).toMatchObject([{ extensions: { code: 'PII_SCOPE_REQUIRED', status: 403 } }]);
  held.delete('products:read');
  held.delete('runs:admin');
  for (const field of [document, '{ releases { id } }', '{ products { name } }', '{ runs { runId } }']) {
    expect((await ask(field)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', status: 403 } }]);
  }
});

it('shows products, releases and runs as the other doors do, and queues runs', async () => {
  const { data } = await ask<Record<string, object[]>>(`mutation {
    triggerRun(input: {asOf: "2026-02-17", tables: ["fact_sales"], reason: "test"}) { runId state request { asOf tables } }
  }`);
  const request = { asOf: '2026-02-17', tables: ['gold/fact_sales'] };
  expect(data).toEqual({ triggerRun: { runId: 'run-1', state: 'queued', request } });
  const { data: state, headers } = await ask<Record<string, object[]>>(`{
    runs { runId requestedBy report { mode } }
    run(id: "run-1") { state stages { stage } }
    release(id: 1) { id mode changedTables completeUntil { source until } tables { table rows changedIn } checks { name passed } }
    products { name field table columns { name field type pii } freshness { rows } inputs relations { to } }
  }`);
  expect(headers['cache-control']).toBe('private, no-cache');
  expect(state).toMatchObject({
    runs: [{ runId: 'run-1', requestedBy: 'tester', report: null }],
    run: { state: 'queued', stages: [] },
    release: { id: '1', mode: 'full', changedTables: expect.arrayContaining(['gold/fact_sales']) },
    products: expect.arrayContaining([
      expect.objectContaining({
        name: 'fact_sales',
        field: 'factSales',
        relations: expect.arrayContaining([{ to: 'gold/dim_product' }]),
      }),
    ]),
  });
});

it('gives browsers a page that needs no other server', async () => {
  const { headers, body } = await app.inject({ url: '/graphql', headers: { accept: 'text/html,*/*;q=0.8' } });
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(body).toContain('graphiql-container');
  expect(body).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)=["']?(?:https?:)?\/\//);
});

it('says that a release is gone when its record is', async () => {
  const folder = join(shop.folder, 'lake/_releases');
  const oldest = (await readdir(folder)).filter((name) => name.endsWith('1.json')).toSorted()[0] ?? '';
  const { data } = await ask<{ rows: Connection }>(
    '{ rows: factSales(release: 1, first: 1) { pageInfo { endCursor } } }',
  );
  await rm(join(folder, oldest));
  const gone = [{ path: ['factSales'], extensions: { code: 'RELEASE_GONE', status: 410 } }];
  expect((await ask('{ factSales(release: 1) { totalCount } }')).errors).toMatchObject(gone);
  const next = 'query ($after: String) { factSales(first: 1, after: $after) { nodes { salesKey } } }';
  expect((await ask(next, { after: data.rows.pageInfo.endCursor })).errors).toMatchObject(gone);
});
