import { jest } from '@jest/globals';
import { openRelease, readSettings, type OpenRelease } from '#platform';
import { shopCatalogue } from '#products';
import { boundTables, restKey, traceRow, type Trace } from '#serving';
import { landedRecord } from './landed-record.js';
import { AS_OF, Shop } from './shop.js';

jest.setTimeout(120_000);

const catalogue = shopCatalogue();
type Row = Readonly<Record<string, unknown>>;

function cents(amount: string): number {
  return Math.round(Number(amount) * 100);
}

/** Σ quantity · unit_price · (1 − discount_percent / 100), each rounded to the cent. */
function centsOf(items: readonly Readonly<Record<string, string>>[]): number {
  const exact = items.map(({ quantity = '', unit_price = '', discount_percent = '' }) => {
    return (
      BigInt(quantity) *
      BigInt(cents(unit_price)) *
      BigInt(10_000 - cents(discount_percent === '' ? '0' : discount_percent))
    );
  });
  return Number(exact.reduce((sum, amount) => sum + (amount + 5_000n) / 10_000n, 0n));
}

/** The demo shop and an order whose records came more than once, some of them in a second load. */
describe('a trace', () => {
  const shop = Shop.make();
  let opened: OpenRelease;
  const trace = (table: string, key: string, limit?: number): Promise<Trace> =>
    traceRow(boundTables(opened.engine, opened.release), {
      catalogue,
      table,
      key,
      ...(limit === undefined ? {} : { listed: { each: limit } }),
    });
  const source = (found: Trace, name: string) =>
    found.sources.find(({ table }) => table === `bronze.${name}`) ?? { rows: 0, records: [] };
  /** Files and lines of a source's records, as people would say them. */
  const places = (found: Trace, name: string) =>
    source(found, name).records.map(({ load, file, line, row }) => `${load} ${file}:${line ?? `[${row}]`}`);

  beforeAll(async () => {
    const { code, stderr } = await shop.call(['demo', '--as-of', AS_OF, '--scale', '0.5']);
    if (code !== 0) throw new Error(stderr);
    shop.land(
      'source1_orders_pg/orders_more.csv',
      'order_id,customer_id,order_date,order_status,total_amount,discount_amount,shipping_amount,payment_method,channel,shipping_address_id,created_at,updated_at\r\n' +
        'MORE-1,MORE-C,2026-02-10 10:00:00,SHIPPED,30.00,0,5.00,"card,\r\nsplit",,A-1,2026-02-10,2026-02-10\r\n' +
        'MORE-1,MORE-C,2026-02-10 10:00:00,DELIVERED,30.00,0,5.00,card,,A-1,2026-02-10,2026-02-11\r\n',
    );
    shop.land(
      'source1_orders_pg/order_items_more.csv',
      'item_id,order_id,product_id,quantity,unit_price,discount_percent,item_status,created_at\n' +
        'MORE-I1,MORE-1,MORE-P,2,10.00,0,fulfilled,2026-02-10\nMORE-I2,MORE-1,NO-P,1,10.00,0,fulfilled,2026-02-10\n',
    );
    shop.land(
      'source3_products_mongo/products_more.ndjson',
      '{"product_id":"MORE-P","price":9}\n\n{"product_id":" MORE-P ","price":10}\n',
    );
    shop.land('source2_customers_api/customers_more.json', '[{"customer_id":"MORE-C","loyalty_tier":"gold"}]');
    await shop.run();
    shop.land(
      'source2_customers_api/customers_most.json',
      '[{"customer_id":"MORE-C","date_of_birth":"2999-01-01"}, {"customer_id":"MORE-C","loyalty_tier":"silver"}, {"customer_id":"LATE-C"}]',
    );
    await shop.run();
    const option = (value: string) => ({ value, from: 'the test' });
    opened = await openRelease(
      readSettings({ SHOPSMART_LAKE: option(shop.lake), SHOPSMART_DATA: option(`${shop.folder}/data`) }, shop.folder),
    );
  });
  afterAll(async () => {
    await opened.close();
    shop.remove();
  });

  it.each(catalogue.tables.map(({ contract }) => [contract.name, contract] as const))(
    'of rows of %s names records that lie at their lines of the landing files',
    async (name, contract) => {
      const key = contract.key.map((column) => `coalesce(CAST(${column} AS VARCHAR), '')`).join(', ');
      const rows = await opened.engine.query(
        `SELECT * FROM ${name.replace('/', '.')} ORDER BY md5(concat_ws('~', ${key})) LIMIT 4`,
      );
      for (const row of rows) {
        const found = await trace(name, restKey(row, contract));
        expect(found.key).toBe(restKey(row, contract));
        for (const column of contract.key) expect(found.row[column]).toEqual(row[column]);
        const records = found.sources.flatMap((one) => one.records);
        expect(records.length > 0).toBe(name !== 'gold/dim_date');
        for (const { file, line, row: ordinal, record } of records) {
          expect(JSON.parse(record)).toEqual(landedRecord(shop.landing, file, { line, row: ordinal }));
        }
      }
    },
  );

  it.each([
    ['gold/fact_sales', 'sales_key', 'order_items', () => 1, 'item_id'],
    ['gold/fact_sales', 'order_id', 'orders', () => 1, 'order_id'],
    ['gold/agg_daily_sales', '', 'order_items', (row: Row) => row['total_line_items'], ''],
    ['gold/agg_daily_sales', '', 'orders', (row: Row) => row['total_orders'], ''],
    ['gold/ml_customer_rfm', 'customer_id', 'orders', (row: Row) => row['frequency'], 'customer_id'],
    ['gold/ml_anomaly_detection', 'transaction_id', 'payments', () => 1, 'transaction_id'],
    ['gold/dim_product', 'product_id', 'products', () => 1, 'product_id'],
    ['silver/sessions', 'session_id', 'clickstream', (row: Row) => row['total_events'], 'session_id'],
    ['silver/inventory', 'product_id', 'inventory', () => 1, 'product_id'],
    ['silver/inventory', 'product_id', 'products', () => 1, 'product_id'],
  ] as const)('of a row of %s finds, by its %s, all records of %s', async (name, column, from, count, field) => {
    const contract = catalogue.byName.get(name)?.contract;
    if (contract === undefined) throw new Error(name);
    // the demo's own: each of its keys came in one record, and no line or product is unknown
    const rows = await opened.engine.query(
      `SELECT * FROM ${name.replace('/', '.')} t WHERE CAST(t AS VARCHAR) NOT LIKE '%MORE%' ORDER BY md5(CAST(t AS VARCHAR)) LIMIT 4`,
    );
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      const found = source(await trace(name, restKey(row, contract), 1000), from);
      expect(found.rows).toBe(count(row));
      expect(found.records).toHaveLength(found.rows);
      for (const { record } of found.records) {
        if (field !== '') expect((JSON.parse(record) as Row)[field]).toBe(row[column]);
      }
    }
  });

  it('gives the records from which the figure can be worked out again', async () => {
    const sample = (name: string) =>
      opened.engine.query(
        `SELECT * FROM ${name} t WHERE CAST(t AS VARCHAR) NOT LIKE '%MORE%' ORDER BY md5(CAST(t AS VARCHAR)) LIMIT 3`,
      );
    const recordsOf = (found: Trace, name: string) =>
      source(found, name).records.map(({ record }) => JSON.parse(record) as Readonly<Record<string, string>>);
    for (const row of await sample('gold.agg_daily_sales')) {
      const found = await trace('gold/agg_daily_sales', `${String(row['order_date'])}~${String(row['channel'])}`, 1000);
      expect(centsOf(recordsOf(found, 'order_items'))).toBe(cents(String(row['net_revenue'])));
    }
    for (const row of await sample('gold.ml_customer_rfm')) {
      const found = await trace('gold/ml_customer_rfm', String(row['customer_id']), 1000);
      const cancelled = recordsOf(found, 'orders').filter(
        (order) => order['order_status']?.trim().toUpperCase() === 'CANCELLED',
      );
      const counted = recordsOf(found, 'order_items').filter(
        (item) => !cancelled.some((order) => order['order_id'] === item['order_id']),
      );
      expect(centsOf(counted)).toBe(cents(String(row['monetary'])));
    }
    for (const row of await sample('gold.ml_anomaly_detection')) {
      const [payment] = recordsOf(await trace('gold/ml_anomaly_detection', String(row['transaction_id'])), 'payments');
      expect(cents(String(payment?.['amount']))).toBe(cents(String(row['amount'])));
    }
  });

  it('leads to the record that holds the key, across lines of one record and blank ones', async () => {
    const found = await trace('gold/fact_sales', 'MORE-I1');
    expect(places(found, 'orders')).toEqual(['1 source1_orders_pg/orders_more.csv:4']);
    expect(places(found, 'order_items')).toEqual(['1 source1_orders_pg/order_items_more.csv:2']);
    // every valid record of a product or customer has a part in its dimension
    expect(places(found, 'products')).toEqual(
      [1, 3].map((line) => `1 source3_products_mongo/products_more.ndjson:${line}`),
    );
    expect(found.shared).toEqual([{ table: 'silver.order_items', rows: 2, how: expect.stringContaining('shipping') }]);
    expect(places(await trace('gold/fact_sales', 'MORE-I2'), 'products')).toEqual([]);
  });

  it('names the valid records of a customer behind each version, and none that was rejected', async () => {
    const versions = await opened.engine.query("SELECT * FROM gold.dim_customer WHERE customer_id = 'MORE-C'");
    expect(versions).toHaveLength(2);
    for (const { customer_sk } of versions) {
      expect(places(await trace('gold/dim_customer', String(customer_sk)), 'customers')).toEqual([
        '1 source2_customers_api/customers_more.json:[1]',
        '2 source2_customers_api/customers_most.json:[2]',
      ]);
    }
  });

  it('of an aggregate whose key has a NULL names the tables on the way', async () => {
    const found = await trace('gold/agg_daily_sales', '2026-02-10~%00');
    expect(found.through.map(({ table, keys }) => `${table} ${keys.join()}`)).toEqual(
      expect.arrayContaining(['gold.fact_sales MORE-I1,MORE-I2', 'silver.orders MORE-1', 'silver.products MORE-P']),
    );
    expect(found.shared).toEqual([]);
  });

  it('names what weighs in as a whole by its number of rows', async () => {
    const [counts] = await opened.engine.query(
      'SELECT (SELECT count(*) FROM gold.fact_sales) AS sales, (SELECT count(*) FROM silver.orders) AS orders',
    );
    const shared = async (table: string, key: string) => (await trace(table, key)).shared;
    expect(await shared('gold/ml_customer_rfm', 'MORE-C')).toEqual([
      { table: 'gold.fact_sales', rows: Number(counts?.['sales']), how: expect.stringContaining('fifths') },
    ]);
    expect(await shared('gold/dim_date', '20260210')).toEqual([
      { table: 'silver.orders', rows: Number(counts?.['orders']), how: expect.any(String) },
    ]);
  });

  it('lists as many rows of a table as asked and counts all', async () => {
    const few = await trace('gold/ml_customer_rfm', 'MORE-C', 1);
    expect(few.through.find(({ table }) => table === 'gold.fact_sales')).toEqual({
      table: 'gold.fact_sales',
      rows: 2,
      keys: ['MORE-I1'],
    });
    expect(source(few, 'order_items')).toMatchObject({ rows: 2, records: [{ line: 2 }] });
  });

  it.each([
    ['gold/fact_sales', 'NO-SUCH', 20, 'trace.no_row', 'gold.fact_sales has no row with the key NO-SUCH'],
    ['gold/fact_sales', "' OR true --", 20, 'trace.no_row', 'no row'],
    ['gold/fact_sales', 'MORE-I1~1', 20, 'query.invalid', 'the key of this table is sales_key'],
    ['gold/agg_daily_sales', '2026-02-10', 20, 'query.invalid', 'the key of this table is order_date~channel'],
    ['gold/agg_daily_sales', 'today~web', 20, 'query.invalid', 'order_date: expected a date'],
    ['gold/dim_customer', 'MORE-C', 20, 'query.invalid', 'customer_sk: expected a whole number'],
    ['gold/fact_sales', 'MORE-I1', 1001, 'query.invalid', '/limit: expected 1 to 1000'],
    ['bronze/orders', 'MORE-1', 20, 'trace.no_table', 'rows of bronze.orders cannot be traced'],
    ['gold/nothing', '1', 20, 'trace.no_table', 'gold.fact_sales'],
  ])('of %s %s, %i rows, is refused with %s', async (table, key, limit, code, message) => {
    await expect(trace(table, key, limit)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('is printed for people and as one JSON document, and wrong usage ends with 2', async () => {
    const text = await shop.call(['trace', 'ml_customer_rfm', 'MORE-C', '--limit', '1']);
    expect(text).toMatchObject({ code: 0 });
    expect(text.stdout).toMatch(
      /^ {2}source1_orders_pg\/order_items_more.csv:2 \(record 1, load 1\)\n {4}\{"item_id":"MORE-I1"/m,
    );
    expect(text.stdout).toContain('… and 1 more');
    const json = await shop.call(['trace', 'silver.orders', 'MORE-1', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      data: { table: 'silver.orders', row: { total_amount: 30 }, sources: [{ records: [{ line: 4, row: 2 }] }] },
      release: 2,
    });
    expect(json.stdout).toContain('"total_amount":30.00,');
    expect(await shop.call(['trace', 'silver.orders', 'MORE-1~2'])).toMatchObject({ code: 2, stdout: '' });
    expect(await shop.call(['trace', 'silver.customers', 'LATE-C', '--release', '1'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('trace.no_row'),
    });
  });
});
