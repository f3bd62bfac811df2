import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { restKey } from '#serving';
import { scopes, type Scope } from '../edge/caller.js';
import { apiOver } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';
import { askGraphql } from '../testing/graphql-client.js';

interface Shown {
  readonly table: string;
  readonly load: number;
  readonly file: string;
  readonly line: number | null;
  readonly row: number;
  readonly record: string | null;
  readonly repair: { readonly record: string | null } | null;
}

interface Page {
  readonly data: readonly Shown[];
  readonly sources: readonly { readonly table: string; readonly rows: number }[];
  readonly through: readonly { readonly table: string; readonly rows: number }[];
  readonly shared: readonly { readonly table: string; readonly rows: number; readonly how: string }[];
  readonly page: { readonly next_cursor: string | null; readonly total: number };
  readonly release: { readonly id: number };
}

describe('provenance', () => {
  let shop: DemoLake;
  let app: NestFastifyApplication;
  const held = new Set<Scope>(scopes);

  beforeAll(async () => {
    shop = await DemoLake.make(0.5, '2025-12-01');
    app = await apiOver(shop, { caller: { id: 'tester', scopes: held } });
  });

  afterAll(async () => {
    await app.close();
    await shop.remove();
  });

  const get = (path: string, headers: Record<string, string> = {}) =>
    app.inject({ url: `/v1/products/${path}`, headers });
  const page = async (path: string) => (await get(path)).json<Page>();
  const codeOf = async (path: string) => {
    const { statusCode, body } = await get(path);
    return [statusCode, (JSON.parse(body) as { code: string }).code];
  };
  const withoutPii = async <T>(work: () => Promise<T>): Promise<T> => {
    held.delete('pii:read');
    try {
      return await work();
    } finally {
      held.add('pii:read');
    }
  };
  /** A row of a product and its key, as a part of a URL. */
  async function aRow(product: string, more = '') {
    const { data } = (await get(`${product}/rows?limit=1${more}`)).json<{ data: [Record<string, string>] }>();
    const contract = shop.catalogue.byName.get(`gold/${product}`)?.contract;
    if (contract === undefined) throw new Error(product);
    return { row: data[0], key: encodeURIComponent(restKey(data[0], contract)) };
  }

  it('of a row of every product is the same on pages of any size, and names what weighs in as a whole', async () => {
    for (const { contract } of shop.catalogue.tables.filter(({ contract }) => contract.layer === 'gold')) {
      const product = contract.name.replace('gold/', '');
      const { key } = await aRow(product);
      const whole = await page(`${product}/rows/${key}/provenance?limit=1000`);
      const parts: Shown[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const part: Page = await page(
          `${product}/rows/${key}/provenance?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        parts.push(...part.data);
        expect(part.page.total).toBe(whole.data.length);
        expect(part.sources).toEqual(whole.sources);
        cursor = part.page.next_cursor;
      }
      expect(parts).toEqual(whole.data);
      expect(whole.sources.map(({ rows }) => rows).reduce((a, b) => a + b, 0)).toBe(whole.data.length);
      const counts = whole.sources.map(({ table }) => whole.data.filter((one) => one.table === table).length);
      expect(counts).toEqual(whole.sources.map(({ rows }) => rows));
    }
    const { key } = await aRow('ml_anomaly_detection');
    expect((await page(`ml_anomaly_detection/rows/${key}/provenance`)).shared).toEqual([
      { table: 'silver.payments', rows: 1000, how: 'mean and spread of each payment method' },
    ]);
  });

  it('shows no personal field without pii:read, and says so', async () => {
    const { key } = await aRow('dim_customer');
    const path = `dim_customer/rows/${key}/provenance`;
    const seen = (await page(path)).data[0];
    const record = JSON.parse(seen?.record ?? '') as Record<string, unknown>;
    expect(record['first_name']).toEqual(expect.any(String));
    await withoutPii(async () => {
      const reply = await get(path);
      const shown = JSON.parse(reply.json<Page>().data[0]?.record ?? '') as Record<string, unknown>;
      const personal = ['first_name', 'last_name', 'email', 'phone', 'date_of_birth', 'address'];
      for (const field of personal) expect(shown[field]).toBeNull();
      expect(shown).toEqual({ ...record, ...Object.fromEntries(personal.map((field) => [field, null])) });
      expect(reply.headers['x-masked-columns']).toBe(
        'record.address,record.date_of_birth,record.email,record.first_name,record.last_name,record.phone',
      );
      expect((await get(path, { 'if-none-match': String(reply.headers.etag) })).statusCode).toBe(304);
    });
    expect((await page(path)).data[0]).toEqual(seen);
  });

  it('stays what it was in a release, for its cursors too', async () => {
    await shop.publishMore();
    const path = 'agg_daily_sales/rows/2026-02-02~web/provenance';
    const before = await get(`${path}?limit=1`);
    expect(before.headers).toMatchObject({
      'x-release': '2',
      'x-contract': 'agg_daily_sales@1',
      etag: expect.any(String),
    });
    const { next_cursor } = before.json<Page>().page;
    await shop.publishMore();
    expect((await page(`${path}?release=2&limit=1`)).data).toEqual(before.json<Page>().data);
    expect((await get(`${path}?release=2&limit=1`)).headers['cache-control']).toBe('private, immutable');
    const second = await get(`${path}?limit=1&cursor=${String(next_cursor)}`);
    expect(second.headers['x-release']).toBe('2');
    const whole = await page(`${path}?release=2`);
    expect(second.json<Page>().data).toEqual(whole.data.slice(1, 2));
    const { key } = await aRow('fact_sales');
    expect(await codeOf(`fact_sales/rows/${key}/provenance?cursor=${String(next_cursor)}`)).toEqual([
      400,
      'cursor-mismatch',
    ]);
  });

  it('shows a repaired record beside its repair, and none of a load that is withdrawn', async () => {
    const bad = '{"customer_id":"MENDED","first_name":"Ada","date_of_birth":"2999-01-01"}';
    await shop.land('source2_customers_api/customers_broken.json', `[${bad}]`);
    await shop.land(
      'source2_customers_api/customers_later.json',
      '[{"customer_id":"MENDED","first_name":"Ada","date_of_birth":"1990-01-01"}]',
    );
    await shop.publish();
    const later = { load: 2, file: 'source2_customers_api/customers_later.json', row: 1 };
    const provenance = async () => {
      const { data } = (await get('dim_customer/rows?filter[customer_id][eq]=MENDED')).json<{
        data: { customer_sk: number }[];
      }>();
      return (await page(`dim_customer/rows/${String(data[0]?.customer_sk)}/provenance`)).data;
    };
    expect(await provenance()).toMatchObject([later]);

    const original = { load: 2, file: 'source2_customers_api/customers_broken.json', row: 1, line: null };
    const after = bad.replace('2999', '1999');
    const times = { loaded_at: '2026-02-17T10:00:00Z', as_of: '2026-02-17' };
    const fields = JSON.parse(after) as Record<string, string>;
    const place = { id: 'customers:2:1', original: { ...original, ...times } };
    const record = { ...place, rules: ['birth_in_future'], superseded_by: null, before: bad };
    const mended = { ...record, after: { fields, rescued: null, record: after } };
    const about = { id: 'r1', source: 'customers', table: 'silver/customers', by: 'ann', at: '2026-02-17T11:00:00Z' };
    await shop.publish({ repairs: [{ format: 1, ...about, reason: 'typed wrong', records: [mended] }] });
    const repaired = { ...original, record: bad, repair: { repair: 'r1', by: 'ann', load: 3, record: after } };
    expect(await provenance()).toMatchObject([repaired, { ...later, repair: null }]);
    await withoutPii(async () => {
      const [shown] = await provenance();
      expect(shown?.record).toBe('{"customer_id":"MENDED","first_name":null,"date_of_birth":null}');
      expect(shown?.repair?.record).toBe(shown?.record);
    });

    await shop.publish({ withdraw: [{ source: 'customers', load: 3 }] });
    expect(await provenance()).toMatchObject([later]);
  });

  it.each([
    ['fact_sales/rows/NO-SUCH/provenance', 404, 'row-not-found'],
    ['fact_sales/rows/a~b/provenance', 400, 'query-invalid'],
    ['agg_daily_sales/rows/today~web/provenance', 400, 'query-invalid'],
    ['fact_sales/rows/x/provenance?limit=1001', 400, 'request-invalid'],
    ['fact_sales/rows/x/provenance?filter[a][eq]=1', 400, 'request-invalid'],
    ['fact_sales/rows/x/provenance?cursor=abc', 400, 'query-invalid'],
    ['fact_sales/rows/x/provenance?release=99', 404, 'release-not-found'],
    ['orders/rows/x/provenance', 404, 'product-not-found'],
  ])('refuses %s with %i', async (path, status, code) => {
    expect(await codeOf(path)).toEqual([status, code]);
  });

  it('is in GraphQL what it is in REST, at every depth', async () => {
    const { row, key } = await aRow('fact_sales', '&filter[customer_sk][null]=false');
    const { data, extensions } = await askGraphql<{
      factSalesByKey: { provenance: Shown[]; customer: { provenance: Shown[] } };
    }>(
      app,
      `query ($key: String) { factSalesByKey(salesKey: $key) {
        provenance(first: 1000) { table load file line row record repair { record } }
        customer { provenance { table load file line row record repair { record } } } } }`,
      { key: row['sales_key'] },
    );
    const texts = (records: readonly Shown[]) =>
      records.map((record) => ({
        ...record,
        load: String(record.load),
        row: String(record.row),
        line: record.line === null ? null : String(record.line),
      }));
    expect(data.factSalesByKey.provenance).toEqual(texts((await page(`fact_sales/rows/${key}/provenance`)).data));
    const customer = await page(`dim_customer/rows/${String(row['customer_sk'])}/provenance`);
    expect(data.factSalesByKey.customer.provenance).toEqual(texts(customer.data));
    expect(extensions.cost).toBeGreaterThan(18_000);
    await withoutPii(async () => {
      const masked = await askGraphql<{ dimCustomer: { nodes: { provenance: Shown[] }[] } }>(
        app,
        '{ dimCustomer(first: 2) { nodes { provenance { record } } } }',
      );
      expect(masked.data.dimCustomer.nodes[1]?.provenance[0]?.record).toContain('"email":null');
      expect(masked.extensions.maskedColumns).toContain('provenance.record.email');
    });
  });

  it('of too many rows in one GraphQL operation is refused before anything is read', async () => {
    const { errors } = await askGraphql(app, '{ factSales(first: 200) { nodes { provenance { file } } } }');
    expect(errors?.[0]?.extensions.code).toBe('QUERY_TOO_COSTLY');
    const wrong = await askGraphql(app, '{ factSales(first: 1) { nodes { provenance(first: 1001) { file } } } }');
    expect(wrong.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});
