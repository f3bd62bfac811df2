import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '#contracts';
import { planVacuum, vacuum } from '#releases';
import { MemoryStore } from '#storage';
import type { RunReport } from './report.js';
import type { RunResult } from './run.js';
import { csvOf, smallShop, TOO_MUCH } from './testing/small-shop.js';
import { Workshop, type SmallLake } from './testing/small-lake.js';

const FIRST = 'shop/orders_1.csv';
const SECOND = 'shop/orders_2.csv';
const JANUARY = { order: 'a', placedOn: '2026-01-10' };
const FEBRUARY = { order: 'b', placedOn: '2026-02-10', customer: 'c2' };

const workshop = new Workshop();
afterAll(() => workshop.close());

/** A lake whose first release has an order in January and one in February. */
async function aLake(): Promise<SmallLake> {
  const lake = workshop.lake();
  lake.land(FIRST, [JANUARY, FEBRUARY]);
  expect((await lake.run()).outcome).toBe('published');
  return lake;
}

/** Tables that a run changed, as releases name them. */
function changed({ report }: RunResult): readonly string[] {
  return report.tables
    .filter(({ files_added, files_removed }) => files_added + files_removed > 0)
    .map(({ layer, table }) => `${layer}/${table}`);
}

function tableOf({ report }: RunResult, name: string) {
  return report.tables.find(({ layer, table }) => `${layer}/${table}` === name);
}

async function storedReport(lake: SmallLake, runId: string): Promise<RunReport> {
  const bytes = await lake.store.get(`_runs/${runId}/report.json`);
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as RunReport;
}

describe('a first run', () => {
  it('makes every table, those without rows too, and names each record once', async () => {
    const lake = workshop.lake();
    lake.land(FIRST, [JANUARY, FEBRUARY, { ...FEBRUARY, amount: '11' }, { order: 'c', amount: 'much' }]);
    const result = await lake.run();
    const release = await lake.latest();
    expect(Object.keys(release.tables).sort()).toEqual(
      smallShop()
        .contracts.map(({ name }) => name)
        .sort(),
    );
    const counts = { rows_in: 4, rows_out: 2, duplicates: 1, quarantined: 1 };
    expect(tableOf(result, 'silver/orders')).toMatchObject({ ...counts, cumulative: counts, total_rows: 2 });
    expect((await lake.content(release))['bronze/quarantine/orders']).toMatchObject([
      { source: 'orders', rules: ['cast_amount'], _source_row: '4', _source_line: '5' },
    ]);
    expect(result.report).toMatchObject({ release: 1, parent: null, mode: 'full' });
    expect(await storedReport(lake, release.run_id)).toEqual(result.report);
  });

  it('publishes empty tables of an empty landing folder, once', async () => {
    const lake = workshop.lake();
    expect((await lake.run()).outcome).toBe('published');
    expect((await lake.run()).outcome).toBe('nothing_new');
    const rows = Object.values(await lake.content(await lake.latest()));
    expect(rows.flat()).toEqual([]);
  });
});

describe('a run over the same input', () => {
  it('finds nothing new, and leaves the lake as it was', async () => {
    const lake = await aLake();
    const before = await lake.paths();
    const result = await lake.run();
    expect(result).toMatchObject({ outcome: 'nothing_new', report: { mode: 'none', release: 1, tables: [] } });
    expect(await lake.paths()).toEqual(before);
  });

  it('does not read a file whose path, size and time are known', async () => {
    const lake = await aLake();
    const file = join(lake.landing, FIRST);
    const time = lake.modifiedMs(FIRST);
    writeFileSync(file, 'x'.repeat(readFileSync(file).length));
    lake.touch(FIRST, time);
    expect((await lake.run()).outcome).toBe('nothing_new');
  });

  it('reads it again when told to, and takes other bytes for a new file', async () => {
    const lake = await aLake();
    const time = lake.modifiedMs(FIRST);
    expect((await lake.run({ rehash: true })).outcome).toBe('nothing_new');
    // As long as the first one: 10.00 became 20.00
    lake.land(FIRST, [{ ...JANUARY, amount: '20.00' }, FEBRUARY], time);
    expect((await lake.run()).outcome).toBe('nothing_new');
    const result = await lake.run({ rehash: true });
    expect(result).toMatchObject({ outcome: 'published', report: { files: [{ path: FIRST, outcome: 'loaded' }] } });
    expect((await lake.content(await lake.latest()))['silver/orders']).toMatchObject([
      { order_id: 'a', amount: '20.00', _batch_id: '2' },
      { order_id: 'b', amount: '10.00', _batch_id: '2' },
    ]);
  });

  it('reports a file of which only the time changed, or the name, as a repeat and loads nothing', async () => {
    const lake = await aLake();
    lake.touch(FIRST, lake.modifiedMs(FIRST) + 5000);
    lake.land('shop/orders_copy.csv', [JANUARY, FEBRUARY]);
    const result = await lake.run();
    expect(result.outcome).toBe('nothing_new');
    expect(result.report.files).toMatchObject([
      { path: FIRST, outcome: 'repeat', records: 0 },
      { path: 'shop/orders_copy.csv', outcome: 'repeat', records: 0 },
    ]);
  });

  it('keeps what was loaded from files that are gone', async () => {
    const lake = await aLake();
    rmSync(join(lake.landing, FIRST));
    expect((await lake.run({ full: true })).outcome).toBe('nothing_new');
    expect((await lake.content(await lake.latest()))['silver/orders']).toHaveLength(2);
  });
});

describe('a run over a new file', () => {
  it('changes only the tables that it touches', async () => {
    const lake = await aLake();
    const before = await lake.latest();
    lake.land(SECOND, [{ order: 'c', amount: '-1' }]);
    const result = await lake.run();
    expect(changed(result)).toEqual(['bronze/orders', 'bronze/loads', 'bronze/quarantine/orders']);
    const { tables } = await lake.latest();
    for (const table of ['silver/orders', 'gold/daily_sales', 'gold/customer_tiers']) {
      expect(tables[table]).toEqual(before.tables[table]);
    }
  });

  it('writes the files anew that hold a changed row, and keeps the others', async () => {
    const lake = await aLake();
    const before = await lake.latest();
    lake.land(SECOND, [{ ...FEBRUARY, amount: '77' }]);
    await lake.run();
    const after = await lake.latest();
    for (const table of ['silver/orders', 'gold/daily_sales']) {
      const [old, current] = [await lake.files(before, table), await lake.files(after, table)];
      expect(old).toHaveLength(2);
      const month = (files: readonly string[], n: number) => files.filter((path) => path.includes(`order_month=${n}/`));
      expect(month(current, 1)).toEqual(month(old, 1));
      expect(month(current, 2)).toHaveLength(1);
      expect(month(current, 2)).not.toEqual(month(old, 2));
    }
    expect(await lake.files(after, 'bronze/orders')).toEqual(
      expect.arrayContaining([...(await lake.files(before, 'bronze/orders'))]),
    );
  });

  it('puts new rows into a file of their own', async () => {
    const lake = await aLake();
    const before = await lake.latest();
    lake.land(SECOND, [{ order: 'c', placedOn: '2026-02-11' }]);
    await lake.run();
    const [old, current] = [
      await lake.files(before, 'silver/orders'),
      await lake.files(await lake.latest(), 'silver/orders'),
    ];
    expect(current).toEqual(expect.arrayContaining([...old]));
    expect(current).toHaveLength(old.length + 1);
  });

  it('moves an order that changed its partition, and leaves none of it behind', async () => {
    const lake = await aLake();
    lake.land(SECOND, [{ ...JANUARY, placedOn: '2026-02-12' }]);
    const result = await lake.run();
    expect(tableOf(result, 'silver/orders')).toMatchObject({ inserted: 0, updated: 1, deleted: 0, total_rows: 2 });
    const release = await lake.latest();
    for (const path of await lake.files(release, 'silver/orders')) expect(path).toContain('order_month=2/');
    expect((await lake.content(release))['gold/daily_sales']).toMatchObject([
      { placed_on: '2026-02-10', orders: 1 },
      { placed_on: '2026-02-12', orders: 1 },
    ]);
  });

  it('stamps the rows that changed and no other', async () => {
    const lake = await aLake();
    const stamps = 'SELECT order_id, _processed_at, _run_id FROM silver.orders ORDER BY 1';
    const first = await lake.latest();
    const [a, b] = await lake.rows(first, stamps);
    // The same partition as an order that stays as it is
    lake.land(SECOND, [{ order: 'c', placedOn: '2026-02-11' }]);
    await lake.run();
    const second = await lake.latest();
    expect(second.run_id).not.toBe(first.run_id);
    const [, , c] = await lake.rows(second, stamps);
    expect(await lake.rows(second, stamps)).toEqual([a, b, c]);
    expect(a).toMatchObject({ _run_id: first.run_id, _processed_at: '2026-02-17T10:01:00Z' });
    expect(c).toMatchObject({ _run_id: second.run_id, _processed_at: '2026-02-17T10:02:00Z' });
  });

  it('counts a record that replaces another as a new winner and the old one as a duplicate', async () => {
    const lake = await aLake();
    lake.land(SECOND, [
      { ...JANUARY, amount: '12.00' },
      { ...FEBRUARY, amount: '9.00', updatedAt: '2025-01-01T00:00:00Z' },
    ]);
    const result = await lake.run();
    expect(tableOf(result, 'silver/orders')).toMatchObject({
      rows_in: 2,
      rows_out: 1,
      duplicates: 1,
      quarantined: 0,
      cumulative: { rows_in: 4, rows_out: 2, duplicates: 2, quarantined: 0 },
    });
  });

  it('gives a table that reads every valid record those that lost, too', async () => {
    const lake = await aLake();
    lake.land(SECOND, [{ ...JANUARY, tier: 'gold', updatedAt: '2025-01-01T00:00:00Z' }]);
    const result = await lake.run();
    expect(changed(result)).toEqual(['bronze/orders', 'bronze/loads', 'gold/customer_tiers']);
    expect((await lake.content(await lake.latest()))['gold/customer_tiers']).toEqual([
      { customer_id: 'c1', tier: 'basic', first_load: '1' },
      { customer_id: 'c1', tier: 'gold', first_load: '2' },
      { customer_id: 'c2', tier: 'basic', first_load: '1' },
    ]);
  });
});

describe('a moved as_of', () => {
  it('lets in what was in the future, and takes it out again when it goes back', async () => {
    const lake = workshop.lake();
    lake.land(FIRST, [JANUARY, FEBRUARY]);
    await lake.run({ asOf: '2026-01-31' });
    const orders = async () =>
      (await lake.content(await lake.latest()))['silver/orders']?.map((row) => row['order_id']);
    expect(await orders()).toEqual(['a']);

    const forward = await lake.run({ asOf: '2026-02-28' });
    expect(await orders()).toEqual(['a', 'b']);
    expect(tableOf(forward, 'silver/orders')).toMatchObject({ rows_in: 1, rows_out: 1, quarantined: 0, inserted: 1 });
    expect(tableOf(forward, 'bronze/quarantine/orders')).toMatchObject({ deleted: 1, total_rows: 0 });

    const back = await lake.run({ asOf: '2026-01-31' });
    expect(await orders()).toEqual(['a']);
    expect(tableOf(back, 'silver/orders')).toMatchObject({ rows_in: 1, rows_out: 0, quarantined: 1, deleted: 1 });
    const releases = await lake.releases();
    expect(releases.map(({ as_of }) => as_of)).toEqual(['2026-01-31', '2026-02-28', '2026-01-31']);
    const [first, , third] = await Promise.all(releases.map((release) => lake.content(release)));
    expect(third).toEqual(first);
  });

  it('that changes no verdict publishes nothing', async () => {
    const lake = await aLake();
    expect((await lake.run({ asOf: '2026-03-01' })).outcome).toBe('nothing_new');
  });
});

describe('checks', () => {
  it('that fail with an error publish nothing, bronze included, and keep the report', async () => {
    const lake = await aLake();
    const before = await lake.content(await lake.latest());
    lake.land(SECOND, [{ order: 'c', amount: `${TOO_MUCH + 1}` }]);
    const result = await lake.run();
    expect(result).toMatchObject({ outcome: 'check_failed', report: { release: 1 } });
    expect(result.report.checks).toContainEqual({
      layer: 'silver',
      table: 'orders',
      name: 'amount_possible',
      severity: 'error',
      passed: false,
      failing_rows: 1,
    });
    expect(await storedReport(lake, result.report.run_id)).toEqual(result.report);
    expect(await lake.releases()).toHaveLength(1);
    expect(await lake.content(await lake.latest())).toEqual(before);
    expect(await lake.orphansByName()).toEqual([]);

    // The landing file still holds the records: corrected, they are loaded as if nothing had been.
    lake.land(SECOND, [{ order: 'c', amount: `${TOO_MUCH}` }]);
    expect((await lake.run()).outcome).toBe('published');
    expect((await lake.latest()).loads).toEqual({ orders: 2 });
  });

  it('that are new look at every row, though nothing landed', async () => {
    const lake = await aLake();
    const { sources, tables } = smallShop();
    const check = {
      name: 'amount_small',
      severity: 'error',
      description: 'No order is worth anything.',
      failing: 'SELECT order_id FROM silver.orders WHERE amount > 0',
      units: { 'silver.orders': ['order_id'] },
    } as const;
    const stricter = tables.map(({ contract, ...rest }) => ({ ...rest, contract: { ...contract, checks: [check] } }));
    const result = await lake.run({ catalogue: catalogue({ sources, tables: stricter.slice(0, 1) }) });
    expect(result.outcome).toBe('check_failed');
    expect(result.report.checks).toContainEqual(expect.objectContaining({ name: 'amount_small', failing_rows: 2 }));
  });

  it('that fail with a warning are recorded, and the release is published', async () => {
    const lake = workshop.lake();
    lake.land(FIRST, [{ order: 'c', amount: `${TOO_MUCH}` }]);
    const result = await lake.run();
    expect(result.outcome).toBe('published');
    const failed = { name: 'amount_usual', severity: 'warn', passed: false, failing_rows: 1 };
    expect(result.report.checks).toContainEqual({ layer: 'silver', table: 'orders', ...failed });
    expect((await lake.latest()).checks).toContainEqual({ table: 'silver/orders', ...failed });
  });
});

describe('changed logic', () => {
  it('recomputes its table over the same input, and no other', async () => {
    const lake = await aLake();
    const before = await lake.latest();
    const catalogue = smallShop({ salesFrom: 11 });
    const result = await lake.run({ catalogue });
    expect(changed(result)).toEqual(['gold/daily_sales']);
    expect((await lake.content(await lake.latest()))['gold/daily_sales']).toEqual([]);
    const after = await lake.latest();
    expect(after.tables['gold/daily_sales']?.logic).not.toBe(before.tables['gold/daily_sales']?.logic);
    expect(after.tables['silver/orders']).toEqual(before.tables['silver/orders']);
    expect((await lake.run({ catalogue })).outcome).toBe('nothing_new');
  });

  it('that gives the same rows recomputes once, writes no file, and is recorded so that the next run rests', async () => {
    const lake = await aLake();
    const before = await lake.content(await lake.latest());
    const tables: string[] = [];
    const result = await lake.run({
      prelude: 'another',
      onProgress: (event) => void (event.kind === 'table' && tables.push(event.table)),
    });
    expect(tables.sort()).toEqual(['gold/customer_tiers', 'gold/daily_sales', 'silver/orders']);
    expect(result.outcome).toBe('published');
    expect(result.report.tables.map(({ files_added, files_removed }) => files_added + files_removed)).toEqual([
      0, 0, 0, 0,
    ]);
    expect(await lake.content(await lake.latest())).toEqual(before);
    expect((await lake.run({ prelude: 'another' })).outcome).toBe('nothing_new');
    lake.land(SECOND, [{ ...JANUARY, order: 'c', amount: '30.00' }]);
    expect((await lake.run({ prelude: 'another' })).outcome).toBe('published');
  });

  it('with a new column puts the schema and the rows into one commit, and old releases read as before', async () => {
    const lake = await aLake();
    const old = await lake.latest();
    const before = await lake.content(old);
    lake.land(SECOND, [{ ...JANUARY, order: 'c', amount: '30.00' }]);
    await lake.run({ catalogue: smallShop({ withGreatest: true }) });
    const release = await lake.latest();
    expect(release.number).toBe(2);
    expect((await lake.content(release))['gold/daily_sales']).toMatchObject([
      { placed_on: '2026-01-10', revenue: '40.00', greatest_order: '30.00' },
      { placed_on: '2026-02-10', revenue: '10.00', greatest_order: '10.00' },
    ]);
    const log = await lake.paths('gold/daily_sales/_delta_log/');
    expect(log).toHaveLength(2);
    const commit = Buffer.from(await lake.store.get(log[1] ?? '')).toString('utf8');
    for (const action of ['"metaData"', '"remove"', '"add"', 'greatest_order']) expect(commit).toContain(action);
    expect(await lake.content(old)).toEqual(before);
  });
});

describe('what a run is given', () => {
  it('takes a file under a name with no meaning to it as nothing of its own', async () => {
    const lake = await aLake();
    writeFileSync(join(lake.landing, 'shop', 'notes.txt'), 'hello');
    writeFileSync(join(lake.landing, 'shop', 'payments_1.csv'), csvOf([JANUARY]));
    expect((await lake.run()).outcome).toBe('nothing_new');
  });

  it('leaves its work folder empty, whatever becomes of it', async () => {
    const lake = await aLake();
    const workDir = workshop.folder('work');
    const runId = workshop.nextRunId(lake.clock.nowMs());
    lake.land(SECOND, [{ order: 'c' }]);
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(lake.run({ workDir, runId, signal: aborted })).rejects.toThrow('enough');
    expect(await lake.releases()).toHaveLength(1);
    expect(readdirSync(workDir)).toEqual([]);
    expect((await lake.run()).outcome).toBe('published');
  });
});

describe('a run whose record cannot be ended', () => {
  it('says that it published all the same, and vacuum removes the record once it is stale', async () => {
    const counted = new MemoryStore();
    const rehearsal = workshop.lake(undefined, counted);
    rehearsal.land(FIRST, [JANUARY, FEBRUARY]);
    await rehearsal.run();

    const store = new MemoryStore(undefined, { atCall: counted.calls, kind: 'fail' });
    const lake = workshop.lake(rehearsal.landing, store);
    expect(await lake.run()).toMatchObject({ outcome: 'published', report: { release: 1 } });
    const { run_id } = await lake.latest();
    expect(await lake.paths('_runs/')).toContain(`_runs/${run_id}.json`);
    lake.clock.advance(3_600_000);
    expect(await vacuum(lake.lake, lake.clock, await planVacuum(lake.lake, lake.clock))).toEqual([]);
    expect(await lake.paths('_runs/')).toEqual([`_runs/${run_id}/report.json`]);
  });
});

describe('two runs at once', () => {
  it('both end, with one release a number and nothing doubled', async () => {
    const lake = await aLake();
    lake.land(SECOND, [{ order: 'c' }, { ...FEBRUARY, amount: '11.00' }]);
    const results = await Promise.all([lake.run(), lake.reopened(lake.store).run()]);
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['nothing_new', 'published']);
    const releases = await lake.releases();
    expect(releases.map(({ number, loads }) => [number, loads['orders']])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    const content = await lake.content(await lake.latest());
    expect(content['bronze/orders']).toHaveLength(4);
    expect(content['bronze/loads']).toHaveLength(2);
    expect(content['silver/orders']).toHaveLength(3);
  });

  it('that make a lake make it once', async () => {
    const lake = workshop.lake();
    lake.land(FIRST, [JANUARY, FEBRUARY]);
    const results = await Promise.all([lake.run(), lake.reopened(lake.store).run(), lake.reopened(lake.store).run()]);
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['nothing_new', 'nothing_new', 'published']);
    expect(await lake.releases()).toHaveLength(1);
    expect((await lake.content(await lake.latest()))['bronze/orders']).toHaveLength(2);
  });

  it('with different files each publish one release, and the last has the records of both', async () => {
    const lake = await aLake();
    const other = workshop.lake(undefined, lake.store);
    lake.land(SECOND, [{ order: 'c' }]);
    other.land('shop/orders_3.csv', [{ order: 'd' }]);
    const results = await Promise.all([lake.run(), other.run()]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['published', 'published']);
    const releases = await lake.releases();
    expect(releases.map(({ number, loads }) => [number, loads['orders']])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect((await lake.content(await lake.latest()))['silver/orders']).toHaveLength(4);
    expect(new Set((await lake.content(await lake.latest()))['bronze/loads']?.map((row) => row['load']))).toEqual(
      new Set(['1', '2', '3']),
    );
  });
});

describe('tables that are named', () => {
  it('are computed again with all that depends on them, though nothing is new', async () => {
    const lake = await aLake();
    for (const [tables, computed] of [
      [['silver/orders'], ['gold/customer_tiers', 'gold/daily_sales', 'silver/orders']],
      [['gold/daily_sales'], ['gold/daily_sales']],
    ] as const) {
      const told: string[] = [];
      const result = await lake.run({
        tables,
        onProgress: (event) => void (event.kind === 'table' && told.push(event.table)),
      });
      expect(told.sort()).toEqual(computed);
      expect(result.outcome).toBe('nothing_new');
    }
  });

  it('must be tables that a run computes', async () => {
    const lake = workshop.lake();
    await expect(lake.run({ tables: ['gold/daily_sales', 'gold/sales'] })).rejects.toMatchObject({
      code: 'run.unknown_table',
      kind: 'invalid',
      at: { table: 'gold/sales' },
    });
    expect(await lake.paths()).toEqual([]);
  });
});

it('tells of each stage when it begins, of every step, and when it ends', async () => {
  const lake = workshop.lake();
  lake.land(FIRST, [JANUARY, FEBRUARY]);
  const told: string[] = [];
  await lake.run({
    onProgress: (event) => {
      if (event.kind === 'message') return;
      told.push(`${event.stage} ${event.kind === 'stage' ? event.state : event.kind} ${event.done}/${event.total}`);
    },
  });
  const of = (stage: string) => told.filter((line) => line.startsWith(stage));
  expect(of('load')).toEqual(['load begun 0/1', 'load file 1/1', 'load ended 1/1']);
  expect(of('silver')).toEqual(['silver begun 0/1', 'silver table 1/1', 'silver ended 1/1']);
  expect(of('gold')).toEqual(['gold begun 0/2', 'gold table 1/2', 'gold table 2/2', 'gold ended 2/2']);
  expect(of('ml')).toEqual(['ml begun 0/0', 'ml ended 0/0']);
  for (const stage of ['checks', 'publish']) {
    const lines = of(stage);
    const total = lines.length - 2;
    expect(total).toBeGreaterThan(1);
    expect(lines).toEqual([
      `${stage} begun 0/${total}`,
      ...Array.from({ length: total }, (_, n) => `${stage} step ${n + 1}/${total}`),
      `${stage} ended ${total}/${total}`,
    ]);
  }
});
