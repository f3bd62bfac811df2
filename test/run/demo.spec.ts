import { join } from 'node:path';
import { jest } from '@jest/globals';
import { lakeColumns } from '#contracts';
import type { RunReport } from '#pipeline';
import { shopCatalogue } from '#products';
import { DeltaRs } from '../delta-rs/delta-rs.js';
import { AS_OF, countFiles, Shop, tablesOf, type RunEnded } from './shop.js';

// Whole runs, on a machine that may be busy.
jest.setTimeout(300_000);

/** One lake, made once: the tests read it. */
describe('a run over the demo shop', () => {
  const shop = Shop.make();
  let deltaRs: DeltaRs;
  let first: RunEnded;
  let report: RunReport;
  const table = (name: string) => {
    const found = report.tables.find((one) => `${one.layer}/${one.table}` === name);
    if (found === undefined) throw new Error(`no table ${name} in the report`);
    return found;
  };

  beforeAll(async () => {
    deltaRs = DeltaRs.start();
    const { code, stderr } = await shop.call(['demo', '--as-of', AS_OF]);
    if (code !== 0) throw new Error(stderr);
    first = await shop.run();
    report = first.report;
  });
  afterAll(async () => {
    await deltaRs.close();
    shop.remove();
  });

  it('prints its report as the only thing on standard output', () => {
    expect(first.stdout).toBe(`${JSON.stringify(report)}\n`);
    expect(report).toMatchObject({ release: 1, parent: null, as_of: AS_OF, mode: 'full' });
  });

  it.each([
    ['bronze/orders', 2008],
    ['bronze/order_items', 4904],
    ['bronze/customers', 500],
    ['bronze/products', 50],
    ['bronze/inventory', 150],
    ['bronze/payments', 2000],
    ['bronze/clickstream', 3000],
    ['bronze/streaming_clickstream', 0],
    ['bronze/loads', 8],
    ['silver/orders', 1948],
    ['silver/order_items', 4904],
    ['silver/customers', 500],
    ['silver/products', 50],
    ['silver/inventory', 150],
    ['silver/payments', 2000],
    ['silver/clickstream', 3000],
    ['silver/streaming_clickstream', 0],
    ['gold/dim_date', 1096],
    ['gold/dim_customer', 500],
    ['gold/dim_product', 50],
    ['gold/fact_sales', 4780],
    ['gold/ml_anomaly_detection', 2000],
    ['bronze/quarantine/orders', 55],
    ['bronze/quarantine/fact_sales', 124],
  ])('gives %s %i rows', (name, rows) => {
    expect(table(name)).toMatchObject({ total_rows: rows, inserted: rows, updated: 0, deleted: 0 });
  });

  it('finds about 650 sessions', () => {
    expect(Math.abs(table('silver/sessions').total_rows - 650)).toBeLessThanOrEqual(25);
  });

  it('accounts for every source record: rows in = rows out + duplicates + quarantined', () => {
    const accounted = report.tables.filter(({ rows_in }) => rows_in !== null);
    expect(accounted.map(({ layer, table: name }) => `${layer}/${name}`).sort()).toEqual([
      'gold/fact_sales',
      ...['clickstream', 'customers', 'inventory', 'order_items', 'orders'].map((name) => `silver/${name}`),
      ...['payments', 'products', 'streaming_clickstream'].map((name) => `silver/${name}`),
    ]);
    for (const { rows_in, rows_out, duplicates, quarantined, cumulative, total_rows } of accounted) {
      expect(rows_in).toBe((rows_out ?? 0) + (duplicates ?? 0) + (quarantined ?? 0));
      expect(cumulative).toEqual({ rows_in, rows_out, duplicates, quarantined });
      expect(rows_out).toBe(total_rows);
    }
    for (const name of ['orders', 'order_items', 'customers', 'products', 'inventory', 'payments', 'clickstream'])
      expect(table(`silver/${name}`).rows_in).toBe(table(`bronze/${name}`).total_rows);
    expect(table('silver/orders')).toMatchObject({ rows_in: 2008, rows_out: 1948, duplicates: 5, quarantined: 55 });
    expect(table('gold/fact_sales')).toMatchObject({ rows_in: 4904, rows_out: 4780, duplicates: 0, quarantined: 124 });
  });

  it('passes every check', () => {
    expect(report.checks.length).toBeGreaterThan(50);
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  it('keeps each rejected order with its rules and its place in the file', async () => {
    const rows = await shop.ask(
      'SELECT source, record, rules, superseded_by, _source_file, _source_row, _source_line FROM quarantine.orders',
    );
    const late = rows.filter(({ _source_file }) => String(_source_file).endsWith('orders_2_late_export.csv'));
    expect(late.map(({ rules }) => rules)).toEqual([['malformed'], ['malformed'], ['malformed']]);
    const statusless = rows.filter((row) => !late.includes(row));
    expect(statusless).toHaveLength(52);
    expect(new Set(statusless.map(({ _source_row }) => _source_row)).size).toBe(52);
    for (const row of statusless) {
      expect(row).toMatchObject({
        source: 'orders',
        _source_file: 'source1_orders_pg/orders.csv',
        superseded_by: null,
      });
      expect(row['rules']).toEqual([expect.stringMatching(/order_status/)]);
      // one record a line, below the header
      expect(Number(row['_source_line'])).toBe(Number(row['_source_row']) + 1);
      expect(String(row['record'])).toMatch(/ORD-\d+/);
    }
  });

  it('lists the lines of rejected orders as orphans with their reason', async () => {
    const rows = await shop.ask(
      'SELECT rules, count(*) AS n, count(DISTINCT _source_row) AS places FROM quarantine.fact_sales GROUP BY rules',
    );
    expect(rows).toEqual([{ rules: [expect.any(String)], n: 124, places: 124 }]);
  });

  it('is a lake of which delta-rs opens every table, with the types of its contract and the rows of the report', async () => {
    const contracts = new Map(shopCatalogue().contracts.map((contract) => [contract.name, contract]));
    expect(tablesOf(shop.lake)).toEqual([...contracts.keys()].sort());
    for (const [name, contract] of contracts) {
      const path = join(shop.lake, name);
      const schema = JSON.parse((await deltaRs.ask('schema', path)) as string) as {
        readonly fields: readonly { readonly name: string; readonly type: unknown; readonly nullable: boolean }[];
      };
      const expected = Object.entries(lakeColumns(contract)).map(([column, { type, nullable }]) => ({
        name: column,
        type: deltaType(type),
        nullable,
      }));
      expect([
        name,
        schema.fields.map(({ name: column, type, nullable }) => ({ name: column, type, nullable })),
      ]).toEqual([name, expected]);
      const rows = (await deltaRs.ask('read', path)) as readonly unknown[];
      expect([name, rows.length]).toEqual([name, table(name).total_rows]);
    }
  });

  it('publishes nothing when it is run again, and opens no file that it knows', async () => {
    const before = countFiles(shop.lake);
    const { report: second, stderr } = await shop.run();
    expect(second).toMatchObject({ release: 1, parent: 1, mode: 'none', tables: [], files: [] });
    expect(stderr).not.toMatch(/orders\.csv|\.json/);
    expect(countFiles(shop.lake)).toBe(before);
  });
});

function deltaType(type: { readonly kind: string; readonly precision?: number; readonly scale?: number }): unknown {
  if (type.kind === 'decimal') return `decimal(${type.precision},${type.scale})`;
  return type.kind === 'strings'
    ? { type: 'array', elementType: 'string', containsNull: expect.any(Boolean) }
    : type.kind;
}
