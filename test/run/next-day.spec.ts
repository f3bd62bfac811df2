import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { writeDemo, writeNextDays } from '#demo';
import type { RunReport } from '#pipeline';
import { newRunId, openLake, openRelease, readSettings, runShop, type OpenRelease } from '#platform';

// Whole runs, on a machine that may be busy.
jest.setTimeout(300_000);

const AS_OF = '2026-02-17';

/** A small demo shop and the three days that follow it, each landed and loaded in its turn. */
describe('the days after the first load', () => {
  const folder = mkdtempSync(join(tmpdir(), 'next-day-'));
  const landing = join(folder, 'landing');
  const option = (value: string) => ({ value, from: 'the test' });
  const settings = readSettings(
    { SHOPSMART_LAKE: option('lake'), SHOPSMART_LANDING: option(landing), SHOPSMART_DATA: option('data') },
    folder,
  );
  const days: { readonly asOf: string; readonly files: readonly string[]; readonly report: RunReport }[] = [];
  let lake: OpenRelease;

  beforeAll(async () => {
    const signal = new AbortController().signal;
    const open = await openLake(settings);
    const load = async (asOf: string) => {
      const choices = { runId: newRunId(), asOf, onProgress: () => undefined, signal };
      const { outcome, report } = await runShop(settings, open, choices);
      expect(outcome).toBe('published');
      return report;
    };
    await writeDemo({ outDir: landing, scale: 0.5, asOf: AS_OF });
    await load(AS_OF);
    for (let day = 1; day <= 3; day++) {
      const { asOf, files } = await writeNextDays({ outDir: landing });
      days.push({ asOf, files: files.map(({ path }) => path), report: await load(asOf) });
    }
    await open.close();
    lake = await openRelease(settings);
  });
  afterAll(async () => {
    await lake.close();
    rmSync(folder, { recursive: true });
  });

  const ask = (sql: string) => lake.engine.query(sql);
  const LANDED = "regexp_extract(_source_file, '_(2026-02-[0-9]+)', 1)";

  it('follow one another, and each is loaded beside those before', () => {
    expect(days.map(({ asOf }) => asOf)).toEqual(['2026-02-18', '2026-02-19', '2026-02-20']);
    for (const { files, report } of days)
      expect(report.files.map(({ path, outcome }) => [path, outcome]).sort()).toEqual(
        files.map((path) => [path, 'loaded']).sort(),
      );
  });

  it('pass every check, and account for every record', () => {
    for (const { report } of days) {
      expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
      const silver = report.tables.filter(({ layer, rows_in }) => layer === 'silver' && rows_in !== null);
      for (const { table, rows_in, rows_out, duplicates, quarantined, cumulative } of silver) {
        if (table === 'streaming_clickstream') continue;
        expect([table, rows_in]).toEqual([table, (rows_out ?? 0) + (duplicates ?? 0) + (quarantined ?? 0)]);
        expect([table, cumulative?.rows_in]).toEqual([
          table,
          report.tables.find((one) => one.layer === 'bronze' && one.table === table)?.total_rows,
        ]);
        // Each source has something to refuse each day.
        expect([table, quarantined]).toEqual([table, table === 'orders' ? 2 : 1]);
      }
    }
  });

  it('bring an order of weeks ago each, whose lines wait for it since the day before', async () => {
    const rows = await ask(`
      SELECT o.landed, min(i.landed) AS lines_landed, bool_and(f.sales_key IS NOT NULL) AS sold
      FROM (SELECT order_id, ${LANDED} AS landed FROM silver.orders
        WHERE order_id > 'ORD-000900000' AND order_date < DATE '2026-02-10') o
      JOIN (SELECT order_id, item_id, ${LANDED} AS landed FROM silver.order_items) i USING (order_id)
      LEFT JOIN gold.fact_sales f ON f.sales_key = i.item_id
      GROUP BY o.landed ORDER BY o.landed`);
    expect(rows).toEqual([
      { landed: '2026-02-18', lines_landed: '2026-02-18', sold: true },
      { landed: '2026-02-19', lines_landed: '2026-02-18', sold: true },
      { landed: '2026-02-20', lines_landed: '2026-02-19', sold: true },
    ]);
    const waiting = await ask(
      `SELECT DISTINCT ${LANDED} AS landed FROM quarantine.fact_sales WHERE _source_file LIKE '%2026-02-20%'`,
    );
    expect(waiting).toEqual([{ landed: '2026-02-20' }]);
  });

  it('open a version for each customer who rose or moved', async () => {
    const rows = await ask(`
      SELECT CAST(now.effective_start_date AS VARCHAR) AS since, bool_or(now.loyalty_tier <> was.loyalty_tier) AS rose,
        bool_or(now.address_zip <> was.address_zip OR now.address_city <> was.address_city) AS moved
      FROM gold.dim_customer was JOIN gold.dim_customer now
        ON was.customer_id = now.customer_id AND was.effective_end_date = now.effective_start_date
      GROUP BY since ORDER BY since`);
    expect(rows).toEqual(days.map(({ asOf }) => ({ since: asOf, rose: true, moved: true })));
  });

  it('take orders on to their next status, and products to another price', async () => {
    const statuses = await ask(`
      SELECT ${LANDED} AS landed, count(*) > 0 AS moved FROM silver.orders s
      WHERE landed <> '' AND order_id IN (SELECT trim(order_id) FROM bronze.orders b
        WHERE b._source_file LIKE '%/orders.csv' AND trim(b.order_status) <> '' AND upper(trim(b.order_status)) <> s.order_status)
      GROUP BY landed ORDER BY landed`);
    expect(statuses).toEqual(days.map(({ asOf }) => ({ landed: asOf, moved: true })));
    const prices = await ask(`
      SELECT landed, bool_and(p.current_price <> CAST(b.price AS DECIMAL(18, 2))) AS moved
      FROM (SELECT product_id, ${LANDED} AS landed FROM silver.products) JOIN gold.dim_product p USING (product_id) JOIN bronze.products b USING (product_id)
      WHERE landed <> '' AND b._source_file LIKE '%/products.json' GROUP BY landed ORDER BY landed`);
    expect(prices).toEqual(days.map(({ asOf }) => ({ landed: asOf, moved: true })));
  });

  it.each([
    ['orders', 'order_id', "order_status <> ''"],
    ['order_items', 'item_id', 'quantity > 0'],
    ['payments', 'transaction_id', 'amount > 0'],
    ['customers', 'customer_id', "date_of_birth < DATE '2026-01-01'"],
    ['products', 'product_id', 'price > 0'],
  ])('repair the broken one of the %s a day later', async (table, key, sound) => {
    const rows = await ask(`
      SELECT q.landed AS broken, s.landed AS repaired
      FROM (SELECT ${LANDED} AS landed, superseded_by IS NOT NULL AS superseded,
          regexp_extract(record, '[A-Z]+-[0-9]+') AS ${key}
        FROM quarantine.${table} WHERE landed <> '' AND NOT list_contains(rules, 'malformed')) q
      LEFT JOIN (SELECT ${key}, ${LANDED} AS landed FROM silver.${table} WHERE ${sound}) s
        ON s.${key} = q.${key} AND q.superseded
      ORDER BY broken`);
    expect(rows.map(({ broken }) => broken)).toEqual(days.map(({ asOf }) => asOf));
    const [first, second, third] = rows.map(({ repaired }) => String(repaired));
    expect([first, second, third]).toEqual([expect.stringMatching(/-19|-20/), '2026-02-20', 'null']);
  });
});
