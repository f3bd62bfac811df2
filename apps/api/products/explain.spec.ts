import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DuckDbEngine } from '#engine';
import { dailyChanges } from '#pipeline';
import { apiOver } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';

interface Explained {
  readonly measure: string;
  readonly value: string;
  readonly unit: string;
  readonly definition: string;
  readonly rows_counted: number;
  readonly left_out: readonly {
    readonly reason: string;
    readonly rules: readonly string[];
    readonly rows: number;
    readonly amount: string | null;
  }[];
  readonly previous: { readonly release: number; readonly value: string } | null;
  readonly changes: readonly { readonly cause: string; readonly rows: number; readonly amount: string }[];
}

const ORDERS =
  'order_id,customer_id,order_date,order_status,total_amount,discount_amount,shipping_amount,payment_method,channel,shipping_address_id,created_at,updated_at';
const ITEMS = 'item_id,order_id,product_id,quantity,unit_price,discount_percent,item_status,created_at';
const order = (id: string, day: string, status: string, channel = 'kiosk') =>
  `${id},C-1,${day} 10:00:00,${status},50.00,0,5.00,card,${channel},A-1,${day},${day}`;
const item = (id: string, of: string, quantity: string, price = '10.00') =>
  `${id},${of},P-1,${quantity},${price},0,fulfilled,2026-02-10`;
const csv = (head: string, ...lines: readonly string[]) => [head, ...lines, ''].join('\n');

describe('an explanation', () => {
  let shop: DemoLake;
  let app: NestFastifyApplication;
  const kiosk = 'filter[channel][eq]=kiosk';

  beforeAll(async () => {
    shop = await DemoLake.make(0.5, '2025-12-01');
    await shop.land(
      'source1_orders_pg/orders_more.csv',
      csv(
        ORDERS,
        order('K-1', '2026-02-10', 'DELIVERED'),
        order('K-2', '2026-02-11', 'CANCELLED'),
        order('K-3', '2026-02-11', ''),
      ),
    );
    await shop.land(
      'source1_orders_pg/order_items_more.csv',
      csv(
        ITEMS,
        item('I-1', 'K-1', '1', '99.00'),
        item('I-1', 'K-1', '2'),
        item('I-2', 'K-1', '0'),
        item('I-3', 'K-1', 'many', '-1'),
        item('I-4', 'K-2', '3'),
        item('I-5', 'K-3', '4'),
        item('I-6', 'K-4', '5'),
      ),
    );
    await shop.publish();
    app = await apiOver(shop);
  });

  afterAll(async () => {
    await app.close();
    await shop.remove();
  });

  const get = (path: string) => app.inject(`/v1/products/${path}`);
  const explain = async (path: string) => (await get(`${path}&decimals=string`)).json<Explained>();
  const sum = (amounts: readonly (string | null)[]) =>
    amounts.reduce((cents, amount) => cents + Math.round(Number(amount ?? 0) * 100), 0);
  /** The aggregate route's answer to the same question. */
  async function figure(product: string, measure: string, filter: string, release = '') {
    const { data } = (await get(`${product}/aggregate?measure=x:${measure}&${filter}&decimals=string${release}`)).json<{
      data: [{ x: string }];
    }>();
    return data[0].x;
  }

  it('says what a figure counted, and of each record that it left out why, by the same filter', async () => {
    const { definition, ...explained } = await explain(`fact_sales/explain?measure=sum(net_line_total)&${kiosk}`);
    expect(definition).toContain('order_items');
    expect(explained).toMatchObject({
      measure: 'sum(net_line_total)',
      value: '50.00',
      unit: 'currency',
      rows_counted: 2,
      left_out: [
        { reason: 'duplicate', rules: [], rows: 1, amount: '99.00' },
        // its order is there, and was rejected
        { reason: 'orphaned', rules: ['order_missing'], rows: 1, amount: '40.00' },
        { reason: 'quarantined', rules: ['cast_quantity', 'unit_price_not_positive'], rows: 1, amount: null },
        { reason: 'quarantined', rules: ['quantity_not_positive'], rows: 1, amount: '0.00' },
      ],
      previous: { release: 1, value: null },
      changes: [{ cause: 'late', rows: 2, amount: '50.00' }],
    });
    // what no record says is NULL to a filter
    const unknown = await explain(
      'fact_sales/explain?measure=count()&filter[channel][null]=true&filter[item_id][starts]=I-',
    );
    expect(unknown.left_out).toEqual([{ reason: 'orphaned', rules: ['order_missing'], rows: 1, amount: 1 }]);
  });

  it('of a sum over days or customers speaks of the lines that it adds up, cancelled ones where they do not count', async () => {
    const daily = await explain(`agg_daily_sales/explain?measure=sum(net_revenue)&${kiosk}`);
    expect(daily).toMatchObject({
      value: '50.00',
      rows_counted: 2,
      changes: [{ cause: 'late', rows: 2, amount: '50.00' }],
    });
    expect(daily.left_out.map(({ reason, amount }) => [reason, amount])).toEqual([
      ['duplicate', '99.00'],
      ['orphaned', '40.00'],
      ['quarantined', null],
      ['quarantined', '0.00'],
    ]);
    const rfm = await explain('ml_customer_rfm/explain?measure=sum(monetary)&filter[customer_id][eq]=C-1');
    expect(rfm).toMatchObject({ value: '20.00', rows_counted: 1 });
    expect(rfm.left_out).toContainEqual({ reason: 'cancelled', rules: [], rows: 1, amount: '30.00' });
  });

  it('accounts for every record of the source, and sums to the change, whatever is asked', async () => {
    await shop.land(
      'source1_orders_pg/orders_late.csv',
      csv(ORDERS, order('K-4', '2026-02-17', 'SHIPPED'), order('K-1', '2026-02-10', 'DELIVERED', 'web')),
    );
    await shop.publish({ asOf: '2026-02-18' });
    const questions = [
      ['fact_sales', 'sum(net_line_total)', ['filter[channel][eq]=web', 'filter[product.category][null]=true']],
      ['fact_sales', 'count()', ['filter[is_cancelled][eq]=true']],
      ['fact_sales', 'sum(quantity)', ['filter[customer.loyalty_tier][eq]=Gold']],
      ['agg_daily_sales', 'sum(total_line_items)', ['filter[order_date][eq]=2026-02-17']],
      ['ml_customer_rfm', 'sum(monetary)', ['filter[rfm_segment][eq]=Champions']],
      ['ml_anomaly_detection', 'sum(amount)', ['filter[payment_method][eq]=card']],
      ['dim_product', 'count()', ['filter[category][eq]=Electronics']],
    ] as const;
    for (const [product, measure, filters] of questions) {
      for (const filter of ['', ...filters]) {
        const explained = await explain(`${product}/explain?measure=${measure}&${filter}`);
        expect(explained.value).toEqual(await figure(product, measure, filter));
        if (explained.previous === null) continue;
        expect(explained.previous.value).toEqual(
          await figure(product, measure, filter, `&release=${explained.previous.release}`),
        );
        expect(sum(explained.changes.map(({ amount }) => amount))).toBe(
          sum([explained.value]) - sum([explained.previous.value]),
        );
      }
    }
    // 7 of ours, and those of the demo at half its scale
    const rows = async (filter: string) => {
      const { rows_counted, left_out } = await explain(`fact_sales/explain?measure=count()&${filter}`);
      return left_out.reduce((n, { rows }) => n + rows, rows_counted);
    };
    expect((await rows('filter[channel][eq]=web')) + (await rows('filter[channel][ne]=web'))).toBe(2452 + 7);
    const late = await explain(`fact_sales/explain?measure=sum(net_line_total)&${kiosk}`);
    // the order of I-6 came, and K-1 moved to another channel
    expect(late).toMatchObject({ value: '80.00', changes: [{ cause: 'new', rows: 2, amount: '30.00' }] });
  });

  it('names repairs and withdrawn loads as what they are', async () => {
    const original = { load: 2, file: 'source1_orders_pg/orders_more.csv', row: 3, line: 4 };
    const fields = Object.fromEntries(
      ORDERS.split(',').map((name, n) => [name, order('K-3', '2026-02-11', 'SHIPPED').split(',')[n] ?? '']),
    );
    const times = { loaded_at: '2026-02-17T10:00:00Z', as_of: '2026-02-17' };
    const record = {
      id: 'orders:2:1',
      superseded_by: null,
      original: { ...original, ...times },
      rules: ['required_order_status'],
      before: '{}',
      after: { fields, rescued: null, record: null },
    };
    const about = {
      id: 'r1',
      source: 'orders',
      table: 'silver/orders',
      by: 'local',
      at: '2026-02-18T11:00:00Z',
      reason: null,
    };
    await shop.publish({ asOf: '2026-02-18', repairs: [{ format: 1, ...about, records: [record] }] });
    const repaired = await explain(`fact_sales/explain?measure=sum(net_line_total)&${kiosk}`);
    expect(repaired).toMatchObject({ value: '120.00', changes: [{ cause: 'repair', rows: 1, amount: '40.00' }] });
    expect(repaired.left_out.map(({ reason }) => reason)).not.toContain('orphaned');
    await shop.publish({ asOf: '2026-02-18', withdraw: [{ source: 'orders', load: 3 }] });
    const back = await explain(`fact_sales/explain?measure=sum(net_line_total)&${kiosk}`);
    expect(back).toMatchObject({
      value: '90.00',
      changes: [{ cause: 'withdrawn', rows: 2, amount: '-30.00' }],
    });
    expect(await explain(`fact_sales/explain?measure=sum(net_line_total)&${kiosk}&release=4`)).toEqual(repaired);
  });

  it('names causes as the comparison of the two releases does', async () => {
    const engine = await DuckDbEngine.open({ workDir: `${shop.folder}/work`, memoryLimit: '256MB', threads: 1 });
    try {
      const { catalogue, lake } = shop;
      for (const number of [3, 4, 5]) {
        const from = await shop.answers.releaseAt(number - 1);
        const to = await shop.answers.releaseAt(number);
        const compared = await dailyChanges({ engine, lake, catalogue }, from, to, { limit: 1 });
        const causes = compared?.causes.map(({ cause, change }) => [cause, change['net_revenue']]);
        const { changes } = await explain(`agg_daily_sales/explain?measure=sum(net_revenue)&release=${number}`);
        expect(changes.map(({ cause, amount }) => [cause, amount])).toEqual(causes);
      }
    } finally {
      await engine.close();
    }
  });

  it.each([
    ['dim_customer/explain?measure=count()', 'explain-not-possible'],
    ['dim_date/explain?measure=sum(year)', 'explain-not-possible'],
    ['agg_daily_sales/explain?measure=count()', 'explain-not-possible'],
    ['fact_sales/explain?measure=avg(quantity)', 'explain-not-possible'],
    ['fact_sales/explain?measure=sum(product.current_price)', 'explain-not-possible'],
    ['fact_sales/explain?measure=sum(quantity),count()', 'query-invalid'],
    ['fact_sales/explain?measure=sum(channel)', 'query-invalid'],
    ['fact_sales/explain', 'query-invalid'],
    ['fact_sales/explain?measure=count()&group=channel', 'request-invalid'],
  ])('refuses %s as %s', async (path, code) => {
    const { statusCode, body } = await get(path);
    expect([statusCode, (JSON.parse(body) as { code: string }).code]).toEqual([400, code]);
  });
});
