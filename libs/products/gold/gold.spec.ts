import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine } from '#engine';
import { SmallLake, type Fields, type ResultRow } from '../testing/small-lake.js';

const AS_OF = '2025-06-15';
let workDir: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'gold-'));
  engine = await DuckDbEngine.open({ workDir, threads: 1, memoryLimit: '500MB' });
});
afterAll(async () => {
  await engine.close();
  await rm(workDir, { recursive: true, force: true });
});

const order = (order_id: string, other: Fields = {}): Fields => ({
  order_id,
  customer_id: 'c1',
  order_date: '2025-06-01T12:00:00Z',
  order_status: 'delivered',
  total_amount: '10',
  channel: 'web',
  ...other,
});
const item = (item_id: string, order_id: string, unit_price: string, other: Fields = {}): Fields => ({
  item_id,
  order_id,
  product_id: 'p1',
  quantity: '1',
  unit_price,
  ...other,
});
const customer = (customer_id: string, other: Fields = {}): Fields => ({
  customer_id,
  first_name: 'Ada',
  loyalty_tier: 'gold',
  registration_date: '2024-01-01',
  ...other,
});

const pick = (rows: readonly ResultRow[], ...names: readonly string[]) =>
  rows.map((row) => names.map((name) => row[name]));
const position = (load: number, row: number) => String(load * 2 ** 32 + row);

async function checksHold(lake: SmallLake, ...tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    for (const { name, failing } of lake.definition(table).contract.checks) {
      expect({ table, name, rows: await engine.query(lake.dated(failing)) }).toEqual({ table, name, rows: [] });
    }
  }
}

describe('gold/dim_date', () => {
  it('has a row for each day of the years asked for, and grows by whole years', async () => {
    const lake = new SmallLake(engine, AS_OF, { from: '2024-05-01', to: '2024-06-01' }).load('orders', [
      order('o1', { order_date: '2023-12-31T23:59:59Z' }),
    ]);
    await lake.compute('gold/dim_date');
    const rows = await lake.rows('gold/dim_date');
    expect(rows).toHaveLength(365 + 366 + 365);
    expect(pick([rows[0]!, rows.at(-1)!], 'full_date')).toEqual([['2023-01-01'], ['2025-12-31']]);
    await checksHold(lake, 'gold/dim_date');
  });

  it('describes days, leap days and turns of the year among them', async () => {
    const lake = new SmallLake(engine, '2027-01-03', { from: '2024-01-01', to: '2024-01-01' });
    await lake.compute('gold/dim_date');
    const rows = new Map((await lake.rows('gold/dim_date')).map((row) => [row['full_date'], row]));
    expect(rows.get('2024-02-29')).toEqual({
      date_key: 20240229,
      full_date: '2024-02-29',
      year: 2024,
      quarter: 1,
      month: 2,
      day: 29,
      month_name: 'February',
      month_short: 'Feb',
      day_of_week: 5,
      day_name: 'Thursday',
      day_short: 'Thu',
      week_of_year: 9,
      day_of_year: 60,
      is_weekend: false,
      is_month_start: false,
      is_month_end: true,
      is_holiday_season: false,
      quarter_label: 'Q1-2024',
      month_year_label: 'Feb-2024',
      half_year: 1,
      half_year_label: 'H1',
    });
    expect(rows.get('2027-01-01')).toMatchObject({
      week_of_year: 53,
      day_of_year: 1,
      is_month_start: true,
      is_holiday_season: true,
      quarter_label: 'Q1-2027',
    });
    expect(rows.get('2024-12-31')).toMatchObject({
      week_of_year: 1,
      day_of_year: 366,
      is_month_end: true,
      half_year_label: 'H2',
    });
    expect(rows.has('2025-02-29')).toBe(false);
  });
});

describe('gold/dim_customer', () => {
  const versions = async (lake: SmallLake, ...names: readonly string[]) => {
    await lake.compute('gold/dim_customer');
    await checksHold(lake, 'gold/dim_customer');
    return pick(await lake.rows('gold/dim_customer', 'customer_id, customer_sk'), ...names);
  };
  const span = ['customer_sk', 'effective_start_date', 'effective_end_date', 'is_current'];

  it('opens a version on the as_of of the load that changed a tracked attribute', async () => {
    const lake = new SmallLake(engine, AS_OF)
      .load('customers', [customer('c1')], '2025-02-01')
      .load('customers', [customer('c1', { loyalty_tier: 'GOLD ' })], '2025-03-01')
      .load('customers', [customer('x'), customer('c1', { loyalty_tier: 'platinum' })], '2025-04-01');
    expect((await versions(lake, ...span)).slice(0, 2)).toEqual([
      [position(1, 1), '2024-01-01', '2025-04-01', false],
      [position(3, 2), '2025-04-01', '9999-12-31', true],
    ]);
  });

  it.each([
    [{ gender: 'M' }],
    [{ address: '{"street":"2"}' }],
    [{ address: '{"city":"2"}' }],
    [{ address: '{"zip":"2"}' }],
    [{ address: '{"state":"2"}' }],
    [{ address: '{"country":"2"}' }],
    [{ email: 'a@b.c' }],
    [{ phone: '1234' }],
    [{ preferences: '{"categories":["a"]}' }],
    [{ preferences: '{"communication":["a"]}' }],
    [{ first_name: 'Eve' }],
    [{ last_name: 'Eve' }],
    [{ loyalty_tier: '' }],
  ])('tracks %j', async (change: Fields) => {
    const lake = new SmallLake(engine, AS_OF)
      .load('customers', [customer('c1')], '2025-02-01')
      .load('customers', [customer('c1', change)], '2025-03-01');
    expect(await versions(lake, 'effective_start_date')).toEqual([['2024-01-01'], ['2025-03-01']]);
  });

  it('overwrites birth, registration and what follows as_of in all versions, and opens none for them', async () => {
    const lake = new SmallLake(engine, AS_OF)
      .load('customers', [customer('c1', { date_of_birth: '1980-01-01' })], '2025-02-01')
      .load('customers', [customer('c1', { loyalty_tier: 'silver' })], '2025-03-01')
      .load(
        'customers',
        [customer('c1', { loyalty_tier: 'silver', date_of_birth: '1990-01-01', registration_date: '2024-06-01' })],
        '2025-04-01',
      );
    expect(
      await versions(
        lake,
        'loyalty_tier',
        'date_of_birth',
        'registration_date',
        'age',
        'customer_tenure_days',
        'effective_start_date',
      ),
    ).toEqual([
      ['Gold', '1990-01-01', '2024-06-01', 35, 379, '2024-06-01'],
      ['Silver', '1990-01-01', '2024-06-01', 35, 379, '2025-03-01'],
    ]);
  });

  it('takes the last valid record of a load as the state in it', async () => {
    const lake = new SmallLake(engine, AS_OF).load('customers', [
      customer('c1', { loyalty_tier: 'bronze' }),
      customer('c1', { loyalty_tier: 'silver' }),
      customer('c1', { loyalty_tier: 'gold', date_of_birth: '2030-01-01' }),
    ]);
    expect(await versions(lake, 'customer_sk', 'loyalty_tier')).toEqual([[position(1, 2), 'Silver']]);
  });

  it('keeps a version that was opened twice on one day empty, and starts without registration on the as_of of the load', async () => {
    const tier = (loyalty_tier: string) => [customer('c1', { loyalty_tier, registration_date: null })];
    const lake = new SmallLake(engine, AS_OF)
      .load('customers', tier('a'), '2025-02-01')
      .load('customers', tier('b'), '2025-03-01')
      .load('customers', tier('a'), '2025-03-01');
    expect(await versions(lake, 'loyalty_tier', ...span)).toEqual([
      ['A', position(1, 1), '2025-02-01', '2025-03-01', false],
      ['B', position(2, 1), '2025-03-01', '2025-03-01', false],
      ['A', position(3, 1), '2025-03-01', '9999-12-31', true],
    ]);
  });

  it('never starts a version before the one before it', async () => {
    const tier = (loyalty_tier: string) => [customer('c1', { loyalty_tier, registration_date: '2025-05-01' })];
    const lake = new SmallLake(engine, AS_OF)
      .load('customers', tier('a'), '2025-02-01')
      .load('customers', tier('b'), '2025-03-01')
      .load('customers', tier('c'), '2025-06-01');
    expect(await versions(lake, 'effective_start_date', 'effective_end_date')).toEqual([
      ['2025-05-01', '2025-05-01'],
      ['2025-05-01', '2025-06-01'],
      ['2025-06-01', '9999-12-31'],
    ]);
  });
});

describe('gold/dim_product', () => {
  it('keeps the key of the first valid record and shows the winner', async () => {
    const product = (price: string, updated_at: string): Fields => ({ product_id: 'p1', price, updated_at });
    const lake = new SmallLake(engine, AS_OF)
      .load('products', [product('0', '2025-01-01'), product('1', '2025-01-02'), product('2', '2025-01-05')])
      .load('products', [product('3', '2025-01-03')]);
    await lake.compute('gold/dim_product');
    expect(pick(await lake.rows('gold/dim_product'), 'product_sk', 'current_price', 'product_updated_at')).toEqual([
      [position(1, 2), '2.00', expect.stringContaining('2025-01-05')],
    ]);
    await checksHold(lake, 'gold/dim_product');
  });
});

describe('gold/fact_sales', () => {
  const shared = async (shipping: string, ...lines: readonly (readonly [string, string])[]) => {
    const lake = new SmallLake(engine, AS_OF).load('orders', [order('o1', { shipping_amount: shipping })]).load(
      'order_items',
      lines.map(([id, price]) => item(id, 'o1', price)),
    );
    await lake.compute('gold/fact_sales', 'gold/dim_date');
    await checksHold(lake, 'gold/fact_sales');
    return pick(await lake.rows('gold/fact_sales', 'sales_key'), 'sales_key', 'shipping_allocated');
  };

  it('shares shipping by value: floor to the cent, the rest by largest remainder', async () => {
    // 10.00 over 1 : 2 : 4 → 142.857…, 285.714…, 571.428… cents; two cents are left for the remainders .857 and .714
    expect(await shared('10.00', ['a', '1'], ['b', '2'], ['c', '4'])).toEqual([
      ['a', '1.43'],
      ['b', '2.86'],
      ['c', '5.71'],
    ]);
  });

  it('settles ties by item_id', async () => {
    expect(await shared('0.05', ['b', '1'], ['c', '1'], ['a', '1'])).toEqual([
      ['a', '0.02'],
      ['b', '0.02'],
      ['c', '0.01'],
    ]);
  });

  it('shares a negative shipping exactly too, a large one, and none', async () => {
    // −1.00 over three: floor is −0.34 each, two cents are left
    expect(await shared('-1', ['a', '1'], ['b', '1'], ['c', '1'])).toEqual([
      ['a', '-0.33'],
      ['b', '-0.33'],
      ['c', '-0.34'],
    ]);
    expect(await shared('0', ['a', '1'], ['b', '1'])).toEqual([
      ['a', '0.00'],
      ['b', '0.00'],
    ]);
    expect(await shared('1234567890123.45', ['a', '9999999999999999.99'], ['b', '0.01'])).toEqual([
      ['a', '1234567890123.45'],
      ['b', '0.00'],
    ]);
  });

  it('joins the version of the customer on the day, the first for older orders, and never an empty one', async () => {
    const tier = (loyalty_tier: string, registration_date: string | null) =>
      customer('c1', { loyalty_tier, registration_date });
    const at = (id: string, order_date: string): Fields => order(id, { order_date });
    const lake = new SmallLake(engine, AS_OF)
      .load('customers', [tier('a', null)], '2025-02-01')
      .load('customers', [tier('b', null)], '2025-03-01')
      .load('customers', [tier('c', null)], '2025-03-01')
      .load('orders', [
        at('o1', '2020-01-01'),
        at('o2', '2025-02-28T23:59:59Z'),
        at('o3', '2025-03-01'),
        at('o4', '2026-01-01'),
        order('o5', { customer_id: 'unknown' }),
      ])
      .load(
        'order_items',
        ['o1', 'o2', 'o3', 'o4', 'o5'].map((id) => item(id, id, '1')),
      );
    await lake.compute('gold/fact_sales');
    expect(pick(await lake.rows('gold/fact_sales', 'order_id'), 'customer_sk', 'product_sk')).toEqual([
      [position(1, 1), null],
      [position(1, 1), null],
      [position(3, 1), null],
      [position(3, 1), null],
      [null, null],
    ]);
  });

  it('gives an older order the first version that holds, where registration lies behind the next version', async () => {
    const lake = new SmallLake(engine, AS_OF)
      .load('customers', [customer('c1', { registration_date: '2025-05-01' })], '2025-02-01')
      .load('customers', [customer('c1', { registration_date: '2025-05-01', gender: 'F' })], '2025-03-01')
      .load('orders', [order('o1', { order_date: '2025-01-01' })])
      .load('order_items', [item('i1', 'o1', '1')]);
    await lake.compute('gold/fact_sales');
    expect(pick(await lake.rows('gold/fact_sales'), 'customer_sk')).toEqual([[position(2, 1)]]);
  });

  it('carries the order and the line, and lists items without an order as orphans', async () => {
    const lake = new SmallLake(engine, AS_OF)
      .load('products', [{ product_id: 'p1', price: '5' }])
      .load('orders', [
        order('o1', { order_status: 'Cancelled', shipping_amount: '2', discount_amount: '3' }),
        order('o2', { order_status: '' }),
      ])
      .load('order_items', [
        item('i1', 'o1', '5', { item_status: 'Packed', quantity: '2' }),
        item('i2', 'o2', '5'),
        item('i3', 'o9', '5'),
      ]);
    await lake.compute('gold/fact_sales', 'gold/dim_date');
    await checksHold(lake, 'gold/fact_sales');
    const rows = await lake.rows('gold/fact_sales');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      sales_key: 'i1',
      order_date_key: 20250601,
      product_sk: position(1, 1),
      customer_sk: null,
      line_total: '10.00',
      net_line_total: '10.00',
      has_discount: false,
      shipping_amount: '2.00',
      shipping_allocated: '2.00',
      order_status: 'CANCELLED',
      is_cancelled: true,
      item_status: 'packed',
      is_weekend: true,
      has_free_shipping: false,
      order_year: 2025,
      order_month: 6,
      order_day: 1,
      order_hour: 12,
      day_name: 'Sunday',
    });
    const orphans = await engine.query('SELECT * FROM quarantine.fact_sales ORDER BY _source_row');
    expect(pick(orphans, 'source', 'rules', '_source_row', '_run_id', '_as_of')).toEqual([
      ['order_items', ['order_missing'], '2', 'run-1', AS_OF],
      ['order_items', ['order_missing'], '3', 'run-1', AS_OF],
    ]);
    expect(JSON.parse(String(orphans[1]?.['record']))).toMatchObject({
      item_id: 'i3',
      order_id: 'o9',
      unit_price: '5',
    });
  });
});

describe('gold/agg_daily_sales', () => {
  it('counts orders, customers and lines of a day and channel', async () => {
    const lake = new SmallLake(engine, AS_OF)
      .load('orders', [
        order('o1', { shipping_amount: '3' }),
        order('o2', { order_status: 'cancelled' }),
        order('o3', { customer_id: 'c2', order_status: 'returned', order_date: '2025-06-01T23:59:59Z' }),
        order('o4', { channel: null }),
        order('o5', { order_date: '2025-06-02' }),
      ])
      .load('order_items', [
        item('i1', 'o1', '10', { discount_percent: '10' }),
        item('i2', 'o1', '5', { quantity: '2', discount_percent: '20' }),
        item('i3', 'o2', '1'),
        item('i4', 'o3', '0.01', { product_id: 'p2' }),
        item('i5', 'o4', '1'),
        item('i6', 'o5', '1'),
      ]);
    await lake.compute('gold/agg_daily_sales');
    await checksHold(lake, 'gold/agg_daily_sales');
    const rows = await lake.rows('gold/agg_daily_sales', 'order_date, channel NULLS LAST');
    expect(rows).toHaveLength(3);
    expect(rows[0]).toEqual({
      order_date: '2025-06-01',
      channel: 'web',
      order_year: 2025,
      order_month: 6,
      order_day: 1,
      total_orders: 3,
      total_customers: 2,
      total_line_items: 4,
      total_items_sold: 5,
      gross_revenue: '21.01',
      total_discount: '3.00',
      net_revenue: '18.01',
      total_shipping: '3.00',
      avg_item_value: '4.50',
      avg_quantity_per_item: '1.25',
      cancelled_orders: 1,
      returned_orders: 1,
      delivered_orders: 1,
      orders_with_discount: 1,
      is_weekend: true,
      day_name: 'Sunday',
      avg_order_value: '6.00',
      cancel_rate_pct: '33.33',
      return_rate_pct: '33.33',
      discount_rate_pct: '33.33',
    });
    expect(rows[1]).toMatchObject({ channel: null, total_orders: 1, cancel_rate_pct: '0.00' });
    expect(rows[2]).toMatchObject({ order_date: '2025-06-02', is_weekend: false });
  });

  it('leaves sums that no money type holds unknown, and still passes its checks', async () => {
    const largest = '9999999999999999.99';
    const lake = new SmallLake(engine, AS_OF)
      .load('orders', [order('o1', { shipping_amount: '3' }), order('o2', { order_date: '2025-06-02' })])
      .load('order_items', [item('i1', 'o1', largest), item('i2', 'o1', largest), item('i3', 'o2', '1')]);
    await lake.compute('gold/agg_daily_sales');
    await checksHold(lake, 'gold/agg_daily_sales');
    const rows = await lake.rows('gold/agg_daily_sales', 'order_date');
    expect(pick(rows, 'gross_revenue', 'net_revenue', 'total_shipping', 'avg_item_value')).toEqual([
      [null, null, '3.00', largest],
      ['1.00', '1.00', '0.00', '1.00'],
    ]);
  });
});

describe('gold/ml_customer_rfm', () => {
  it('scores by fifths, ties by customer_id', async () => {
    const ids = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
    const lake = new SmallLake(engine, AS_OF)
      .load(
        'orders',
        ids.map((id, n) =>
          order(`o${id}`, {
            customer_id: id,
            order_date: `2025-06-0${n < 4 ? 1 : n}T23:00:00Z`,
            order_status: id === 'c6' ? 'cancelled' : 'delivered',
          }),
        ),
      )
      .load(
        'order_items',
        ids.map((id) => item(`i${id}`, `o${id}`, '10')),
      );
    await lake.compute('gold/ml_customer_rfm');
    await checksHold(lake, 'gold/ml_customer_rfm');
    const rows = await lake.rows('gold/ml_customer_rfm', 'customer_id');
    // recency: c6 0, c5 1, c1…c4 4; the first fifth of six has two
    expect(pick(rows, 'recency_days', 'r_score', 'f_score', 'm_score', 'rfm_score', 'rfm_segment')).toEqual([
      [4, 4, 1, 1, 6, 'At Risk'],
      [4, 3, 1, 2, 6, 'At Risk'],
      [4, 2, 2, 3, 7, 'Potential Loyalists'],
      [4, 1, 3, 4, 8, 'Potential Loyalists'],
      [1, 5, 4, 5, 14, 'Champions'],
      [0, 5, 5, 1, 11, 'Loyal Customers'],
    ]);
  });

  it('scores fewer than five customers from one end', async () => {
    const lake = new SmallLake(engine, AS_OF)
      .load('orders', [order('o1'), order('o2', { customer_id: 'c2', order_date: '2025-05-01' })])
      .load('order_items', [item('i1', 'o1', '1'), item('i2', 'o2', '2')]);
    await lake.compute('gold/ml_customer_rfm');
    expect(
      pick(await lake.rows('gold/ml_customer_rfm', 'customer_id'), 'r_score', 'f_score', 'm_score', 'rfm_segment'),
    ).toEqual([
      [5, 1, 1, 'Potential Loyalists'],
      [4, 2, 2, 'Potential Loyalists'],
    ]);
  });

  it('measures a customer', async () => {
    const lake = new SmallLake(engine, AS_OF)
      .load('orders', [
        order('o1', { order_date: '2025-05-01T23:59:59Z' }),
        order('o2', { order_status: 'cancelled', channel: 'app' }),
        order('o3', { order_status: 'returned', channel: null, order_date: '2025-05-11T00:00:00Z' }),
      ])
      .load('order_items', [
        item('i1', 'o1', '10', { quantity: '3' }),
        item('i2', 'o1', '1', { product_id: 'p2' }),
        item('i3', 'o2', '5'),
        item('i4', 'o3', '4'),
      ]);
    await lake.compute('gold/ml_customer_rfm');
    expect((await lake.rows('gold/ml_customer_rfm'))[0]).toMatchObject({
      recency_days: 0,
      frequency: 3,
      monetary: '35.00',
      avg_line_value: '10.00',
      avg_order_value: '13.33',
      total_items_bought: 6,
      unique_products: 2,
      avg_items_per_order: '2.00',
      channels_used: 2,
      cancelled_orders: 1,
      returned_orders: 1,
      delivered_orders: 1,
      customer_lifespan_days: 31,
      first_order_date: '2025-05-01',
      last_order_date: '2025-06-01',
      return_rate: '33.33',
      cancel_rate: '33.33',
      delivery_rate: '33.33',
    });
  });
});

describe('gold/ml_anomaly_detection', () => {
  const payment = (
    transaction_id: string,
    amount: string,
    payment_method: string | null = 'card',
    other: Fields = {},
  ): Fields => ({
    transaction_id,
    order_id: 'o1',
    payment_method,
    amount,
    status: 'ok',
    transaction_timestamp: '2025-06-01T12:00:00Z',
    ...other,
  });
  const anomalies = async (...payments: readonly Fields[]) => {
    const lake = new SmallLake(engine, AS_OF).load('payments', payments);
    await lake.compute('gold/ml_anomaly_detection');
    await checksHold(lake, 'gold/ml_anomaly_detection');
    return pick(
      await lake.rows('gold/ml_anomaly_detection', 'transaction_id'),
      'z_score',
      'is_statistical_anomaly',
      'anomaly_type',
      'combined_risk_score',
      'overall_risk',
    );
  };

  it('finds nothing where there is one payment, or all are equal', async () => {
    const calm = ['0.00', false, 'NORMAL', 0, 'SAFE'];
    expect(
      await anomalies(payment('a', '5'), payment('b', '7', 'cash'), payment('c', '7', 'cash'), payment('d', '9', '')),
    ).toEqual([calm, calm, calm, calm]);
  });

  it('measures against the method of the payment, payments without one among themselves', async () => {
    const usual = (method: string | null) =>
      Array.from({ length: 10 }, (_, n) => payment(`m${method}${n}`, '10', method));
    const rows = await anomalies(
      ...usual('card'),
      ...usual(null),
      payment('a', '100', 'card'),
      payment('b', '100', null),
    );
    // 11 values, ten of 10 and one of 100: z = (n − 1) / √n = 3.015…
    expect(rows.slice(0, 2)).toEqual([
      ['3.02', true, 'EXTREME', 2, 'MEDIUM'],
      ['3.02', true, 'EXTREME', 2, 'MEDIUM'],
    ]);
    expect(rows[2]).toEqual(['0.30', false, 'NORMAL', 0, 'SAFE']);
  });

  it('adds two for an anomaly to the fraud signals', async () => {
    const usual = Array.from({ length: 6 }, (_, n) => payment(`m${n}`, '10'));
    // z = 6 / √7 = 2.267…
    expect((await anomalies(...usual, payment('a', '3000', 'card', { is_international: 'true' })))[0]).toEqual([
      '2.27',
      true,
      'SIGNIFICANT',
      4,
      'CRITICAL',
    ]);
    expect((await anomalies(...usual, payment('a', '3000')))[0]).toEqual(['2.27', true, 'SIGNIFICANT', 3, 'HIGH']);
    // z = 3 / √4 = 1.5 exactly, which is not above
    expect((await anomalies(...usual.slice(0, 3), payment('a', '20', 'card', { risk_score: '70' })))[0]).toEqual([
      '1.50',
      false,
      'NORMAL',
      1,
      'LOW',
    ]);
  });
});
