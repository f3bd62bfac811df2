import { jest } from '@jest/globals';
import { DeltaRs } from '../delta-rs/delta-rs.js';
import { landSecondLoad } from './second-load.js';
import { AS_OF, contentOf, Shop, type RunEnded } from './shop.js';

// Whole runs, on a machine that may be busy.
jest.setTimeout(300_000);

interface Daily {
  readonly total: number;
  readonly causes: readonly { readonly cause: string; readonly change: Readonly<Record<string, number>> }[];
  readonly days: readonly { readonly change: Readonly<Record<string, number>>; readonly causes: Daily['causes'] }[];
}

describe('a second load of the demo shop', () => {
  const shop = Shop.make();
  let deltaRs: DeltaRs;
  let second: RunEnded;

  beforeAll(async () => {
    deltaRs = DeltaRs.start();
    await shop.call(['demo', '--as-of', AS_OF]);
    await shop.run();
    landSecondLoad(shop);
    second = await shop.run(['--as-of', '2026-02-18']);
  });
  afterAll(async () => {
    await deltaRs.close();
    shop.remove();
  });

  it('reads the new files only', () => {
    expect(second.report.files.map(({ path, outcome }) => [path, outcome]).sort()).toEqual([
      ['source1_orders_pg/order_items_3.csv', 'loaded'],
      ['source1_orders_pg/orders_3.csv', 'loaded'],
      ['source2_customers_api/customers_3.json', 'loaded'],
      ['source3_products_mongo/products_3.json', 'loaded'],
      ['source4_clickstream_eventhub/clickstream_3.ndjson', 'loaded'],
      ['source6_payments_api/payments_3.json', 'loaded'],
    ]);
    expect(second.report).toMatchObject({ release: 2, parent: 1 });
  });

  it('moves each table by what came, and accounts for it', () => {
    const silver = (name: string) => second.report.tables.find((one) => one.layer === 'silver' && one.table === name);
    expect(silver('orders')).toMatchObject({ rows_in: 3, rows_out: 3, inserted: 2, updated: 1, total_rows: 1950 });
    expect(silver('payments')).toMatchObject({ rows_in: 3, rows_out: 2, quarantined: 1, total_rows: 2001 });
    expect(silver('clickstream')).toMatchObject({ rows_in: 2, rows_out: 1, duplicates: 1, total_rows: 3001 });
    for (const { rows_in, rows_out, duplicates, quarantined, cumulative } of second.report.tables) {
      if (rows_in !== null) expect(rows_in).toBe((rows_out ?? 0) + (duplicates ?? 0) + (quarantined ?? 0));
      if (cumulative !== null)
        expect(cumulative.rows_in).toBe(cumulative.rows_out + cumulative.duplicates + cumulative.quarantined);
    }
  });

  it('is what lies between the two releases: the same rows, told from the tables alone', async () => {
    const { stdout } = await shop.call(['diff', '1', '2', '--json']);
    const { tables } = JSON.parse(stdout) as { readonly tables: readonly Record<string, unknown>[] };
    const reported = second.report.tables
      .filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0)
      .map(({ layer, table, inserted, updated, deleted }) => [`${layer}/${table}`, inserted, updated, deleted]);
    const found = tables.map(({ table, added, changed, removed }) => [table, added, changed, removed]);
    expect(found.sort()).toEqual(reported.sort());
    expect(found.length).toBeGreaterThan(10);
  });

  it('explains every change of every day by cause, exactly; a plan then finds nothing to do', async () => {
    const { stdout } = await shop.call(['diff', '1', '2', '--json']);
    const { daily } = JSON.parse(stdout) as { readonly daily: Daily };
    const cents = (figures: Readonly<Record<string, number>>) =>
      Object.entries(figures).map(([name, value]) => [name, Math.round(value * 100)]);
    const sum = (changes: Daily['causes']) => {
      const total: Record<string, number> = {};
      for (const { change } of changes)
        for (const [name, value] of Object.entries(change)) total[name] = (total[name] ?? 0) + value;
      return total;
    };
    expect(daily.total).toBeGreaterThan(0);
    for (const { change, causes } of daily.days) expect(cents(sum(causes))).toEqual(cents(change));
    expect(daily.causes.map(({ cause }) => cause).filter((cause) => !['new', 'late'].includes(cause))).toEqual([]);
    const plan = await shop.call(['plan', '--as-of', '2026-02-18']);
    expect(plan.stdout).toContain('Nothing to do: a run would leave release 2');
  });

  it('takes in the lines of an order that came late, and gives each customer who changed one new version', async () => {
    const [{ orphans } = {}] = await shop.ask('SELECT count(*) AS orphans FROM quarantine.fact_sales');
    expect(Number(orphans)).toBeLessThan(124);
    expect(await shop.ask('SELECT count(*) AS n FROM fact_sales')).toEqual([{ n: 4905 - Number(orphans) }]);
    expect(
      await shop.ask(
        'SELECT customer_id, count(*) AS versions, max(CAST(effective_start_date AS VARCHAR)) AS since FROM dim_customer GROUP BY customer_id HAVING count(*) > 1 ORDER BY customer_id',
      ),
    ).toEqual([
      { customer_id: 'CUST-00000001', versions: 2, since: '2026-02-18' },
      { customer_id: 'CUST-00000002', versions: 2, since: '2026-02-18' },
    ]);
    expect(
      await shop.ask("SELECT loyalty_tier FROM dim_customer WHERE customer_id = 'CUST-00000002' AND is_current"),
    ).toEqual([{ loyalty_tier: 'Platinum' }]);
  });

  it('keeps the first of an event delivered twice, and the last of a payment', async () => {
    expect(await shop.ask("SELECT event_type FROM silver.clickstream WHERE event_id = 'EVT-000000001'")).toEqual([
      { event_type: 'page_view' },
    ]);
    expect(await shop.ask("SELECT amount FROM silver.payments WHERE transaction_id = 'TXN-000000001'")).toEqual([
      { amount: 9999.99 },
    ]);
  });

  it('gives what computing everything again gives, so that --full publishes nothing', async () => {
    const content = await contentOf(deltaRs, shop.lake);
    const { report } = await shop.run(['--full', '--as-of', '2026-02-18']);
    expect(report).toMatchObject({ release: 2, parent: 2 });
    expect(report.tables.filter(({ files_added, files_removed }) => files_added + files_removed > 0)).toEqual([]);
    expect(await contentOf(deltaRs, shop.lake)).toEqual(content);
  });
});
