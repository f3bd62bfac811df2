import { shopCatalogue } from '#products';
import type { RunOptions, RunResult } from './run.js';
import { Workshop, type SmallLake } from './testing/small-lake.js';

const TIMEOUT_MS = 300_000;

const workshop = new Workshop();
afterAll(() => workshop.close());

const catalogue = shopCatalogue();
type Fields = Readonly<Record<string, string | number>>;

/** A landing file of the source; fields that a record leaves out are the first one's. */
function land(lake: SmallLake, name: string, records: readonly Fields[], folder = FOLDERS[name] ?? ''): void {
  const all = records.map((record): Fields => ({ ...DEFAULTS[name], ...record }));
  const names = Object.keys(DEFAULTS[name] ?? {});
  const csv = [names, ...all.map((record) => names.map((field) => String(record[field] ?? '')))];
  const isCsv = ['orders', 'order_items', 'inventory'].includes(name);
  const text = isCsv
    ? csv.map((row) => `${row.join(',')}\n`).join('')
    : all.map((one) => `${JSON.stringify(one)}\n`).join('');
  lake.land(`${folder}/${name}_${(landed += 1)}.${isCsv ? 'csv' : 'json'}`, text);
}
let landed = 0;

const FOLDERS: Readonly<Record<string, string>> = {
  orders: 'source1_orders_pg',
  order_items: 'source1_orders_pg',
  customers: 'source2_customers_api',
  products: 'source3_products_mongo',
  clickstream: 'source4_clickstream_eventhub',
  inventory: 'source5_inventory_csv',
  payments: 'source6_payments_api',
};

const DEFAULTS: Readonly<Record<string, Fields>> = {
  orders: {
    order_id: '',
    customer_id: 'c1',
    order_date: '2026-02-01T10:00:00Z',
    order_status: 'delivered',
    total_amount: '30',
    discount_amount: '0',
    shipping_amount: '5.01',
    payment_method: 'card',
    channel: 'web',
    updated_at: '2026-02-01T10:00:00Z',
  },
  order_items: {
    item_id: '',
    order_id: '',
    product_id: 'p1',
    quantity: '1',
    unit_price: '10',
    discount_percent: '0',
    item_status: 'shipped',
  },
  customers: { customer_id: '', registration_date: '2025-01-01', loyalty_tier: 'bronze', date_of_birth: '1990-01-01' },
  products: { product_id: '', price: 10, cost_price: 4, updated_at: '2026-01-01T00:00:00Z' },
  inventory: {
    product_id: '',
    warehouse_id: 'w1',
    snapshot_date: '2026-02-01',
    quantity_on_hand: '3',
    reorder_point: '1',
  },
  payments: {
    transaction_id: '',
    order_id: 'o1',
    amount: 10,
    payment_method: 'card',
    transaction_timestamp: '2026-02-01T10:00:00Z',
  },
  clickstream: {
    event_id: '',
    session_id: 's1',
    event_type: 'page_view',
    event_timestamp: '2026-02-01T10:00:00Z',
    referrer: 'a',
  },
};

const TODAY = '2026-02-17';

/** A lake after its first load. */
async function shop(): Promise<SmallLake> {
  const lake = workshop.lake();
  land(lake, 'orders', [
    { order_id: 'o1' },
    { order_id: 'o2', channel: 'app', customer_id: 'c2' },
    { order_id: 'o3', order_date: '2026-01-20', order_status: '' },
  ]);
  land(lake, 'order_items', [
    { item_id: 'i1', order_id: 'o1' },
    { item_id: 'i2', order_id: 'o1', product_id: 'p2', unit_price: '3.33' },
    { item_id: 'i3', order_id: 'o2', product_id: 'p3' },
    { item_id: 'i4', order_id: 'o3' },
    { item_id: 'i5', order_id: 'o4' },
  ]);
  land(lake, 'customers', [{ customer_id: 'c1' }]);
  land(lake, 'products', [{ product_id: 'p1' }, { product_id: 'p2' }]);
  land(lake, 'inventory', [{ product_id: 'p1' }, { product_id: 'p2' }, { product_id: 'p3' }]);
  land(lake, 'payments', [{ transaction_id: 't1' }, { transaction_id: 't2', amount: -1 }]);
  land(lake, 'clickstream', [
    { event_id: 'e1' },
    { event_id: 'e2', session_id: 's2' },
    { event_id: 'e3', event_timestamp: '2026-02-20T10:00:00Z' },
  ]);
  await run(lake, {}, 'full');
  return lake;
}

/** A run, after which computing everything changes nothing. */
async function run(lake: SmallLake, options: Partial<RunOptions> = {}, mode = 'incremental'): Promise<RunResult> {
  const usual = { catalogue, asOf: options.asOf ?? TODAY };
  const result = await lake.run({ ...usual, ...options });
  expect(result).toMatchObject({ outcome: 'published', report: { mode } });
  expect(await lake.run({ ...usual, full: true })).toMatchObject({ outcome: 'nothing_new', report: { mode: 'full' } });
  return result;
}

async function rows(lake: SmallLake, sql: string) {
  return lake.rows(await lake.latest(), sql);
}

const tables = ({ report }: RunResult) =>
  report.tables.filter(({ layer }) => layer !== 'bronze').map(({ layer, table }) => `${layer}/${table}`);

describe('a run that computes only what its changed keys touch gives what computing everything gives', () => {
  it(
    'when an order moves to another day and channel, another comes late and a third is quarantined no more',
    async () => {
      const lake = await shop();
      const later = { updated_at: '2026-02-16T00:00:00Z' };
      land(lake, 'orders', [{ order_id: 'o1', channel: 'app', order_date: '2026-01-31T23:00:00Z', ...later }]);
      const moved = await run(lake);
      // no item came, and no payment
      expect(tables(moved)).not.toContain('silver/order_items');
      expect(tables(moved)).not.toContain('gold/ml_anomaly_detection');
      expect(await rows(lake, 'SELECT order_date, channel FROM gold.agg_daily_sales ORDER BY ALL')).toEqual([
        { order_date: '2026-01-31', channel: 'app' },
        { order_date: '2026-02-01', channel: 'app' },
      ]);

      land(lake, 'orders', [
        { order_id: 'o4' },
        { order_id: 'o3', order_date: '2026-01-20', ...later },
        { order_id: '' },
      ]);
      const { report } = await run(lake);
      expect(report.tables.find(({ table }) => table === 'fact_sales')).toMatchObject({ inserted: 2, rows_in: 2 });
      expect(await rows(lake, 'SELECT _source_row FROM quarantine.fact_sales')).toEqual([]);
      expect(await rows(lake, 'SELECT superseded_by IS NULL AS alone FROM quarantine.orders ORDER BY ALL')).toEqual([
        { alone: false },
        { alone: true },
      ]);

      land(lake, 'order_items', [
        { item_id: 'i6', order_id: 'o9' },
        { item_id: 'i2', order_id: 'o2' },
        { item_id: 'i1', quantity: '0' },
      ]);
      await run(lake);
      expect(await rows(lake, 'SELECT count(*) AS n FROM quarantine.fact_sales')).toEqual([{ n: '1' }]);
    },
    TIMEOUT_MS,
  );

  it(
    'when a customer changes, another one comes, a cost changes and a product comes',
    async () => {
      const lake = await shop();
      land(lake, 'customers', [
        { customer_id: 'c1', loyalty_tier: 'gold' },
        { customer_id: 'c2' },
        { customer_id: 'c3' },
      ]);
      await run(lake);
      expect(await rows(lake, 'SELECT count(*) AS n FROM gold.fact_sales WHERE customer_sk IS NULL')).toEqual([
        { n: '0' },
      ]);
      expect(
        await rows(lake, `SELECT is_current FROM gold.dim_customer WHERE customer_id = 'c1' ORDER BY ALL`),
      ).toEqual([{ is_current: false }, { is_current: true }]);
      land(lake, 'products', [
        { product_id: 'p1', cost_price: 5, updated_at: '2026-02-02T00:00:00Z' },
        { product_id: 'p3' },
      ]);
      await run(lake);
      expect(await rows(lake, 'SELECT stock_value FROM silver.inventory ORDER BY product_id')).toEqual([
        { stock_value: '15.00' },
        { stock_value: '12.00' },
        { stock_value: '12.00' },
      ]);
      land(lake, 'clickstream', [
        { event_id: 'e9', session_id: 's2', referrer: 'b', event_timestamp: '2026-02-01T09:00:00Z' },
      ]);
      await run(lake);
    },
    TIMEOUT_MS,
  );

  it(
    'when as_of moves forward and back',
    async () => {
      const lake = await shop();
      const events = 'SELECT event_id FROM silver.clickstream ORDER BY ALL';
      await run(lake, { asOf: '2026-02-25' });
      expect(await rows(lake, events)).toHaveLength(3);
      land(lake, 'clickstream', [{ event_id: 'e3', event_timestamp: '2026-02-21T10:00:00Z' }]);
      land(lake, 'orders', [{ order_id: 'o1', channel: 'app', updated_at: '2026-02-16T00:00:00Z' }]);
      await run(lake, { asOf: '2026-03-01' });
      await run(lake, { asOf: TODAY }, 'full');
      expect(await rows(lake, events)).toHaveLength(2);
    },
    TIMEOUT_MS,
  );

  it(
    'when loads are withdrawn and restored',
    async () => {
      const lake = await shop();
      land(lake, 'orders', [
        { order_id: 'o1', channel: 'app', updated_at: '2026-02-16T00:00:00Z' },
        { order_id: 'o3', updated_at: '2026-02-16T00:00:00Z' },
        { order_id: 'o5' },
      ]);
      land(lake, 'customers', [{ customer_id: 'c1', loyalty_tier: 'gold' }, { customer_id: 'c2' }]);
      await run(lake);
      const sales = 'SELECT * EXCLUDE (_processed_at, _run_id) FROM gold.fact_sales ORDER BY ALL';
      const before = await rows(lake, sales);
      const loads = [
        { source: 'orders', load: 2 },
        { source: 'customers', load: 2 },
      ];
      await run(lake, { withdraw: loads });
      expect(await rows(lake, 'SELECT order_id FROM silver.orders ORDER BY ALL')).toEqual([
        { order_id: 'o1' },
        { order_id: 'o2' },
      ]);
      expect(await rows(lake, 'SELECT count(*) AS n FROM gold.dim_customer')).toEqual([{ n: '1' }]);
      land(lake, 'orders', [{ order_id: 'o6' }, { order_id: 'o1', updated_at: '2026-02-03T00:00:00Z' }]);
      await run(lake);
      await run(lake, { restore: loads });
      expect(await rows(lake, sales)).toEqual(before);
    },
    TIMEOUT_MS,
  );
});
