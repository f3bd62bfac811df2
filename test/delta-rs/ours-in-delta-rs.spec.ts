import { cleanLog, planCleaning, parseSchema, type Snapshot } from '#delta';
import { DeltaRs, type Row } from './delta-rs.js';
import { oddValues } from './odd-value.js';
import { NOW_MS, OurLake, schemaWith, threeRows } from './our-lake.js';

let ours: OurLake;
let deltaRs: DeltaRs;

beforeAll(async () => {
  deltaRs = DeltaRs.start();
  ours = await OurLake.open();
});
afterAll(async () => {
  await ours?.close();
  await deltaRs?.close();
});

/** Each table is made once; its tests read it, or bring it one step further, in order. */
describe.each(oddValues)('our table with a partition that is $name', ({ name, type, value, sql, text }) => {
  const table = `silver/${name.replaceAll(' ', '_')}`;
  const schema = schemaWith(type);
  let rows: readonly Row[];

  beforeAll(async () => {
    await ours.create(table, schema, ['p']);
    for (const id of [1, 4, 7]) await ours.append(table, threeRows(id, sql));
    rows = await ours.rows(table);
  });

  it('is read by delta-rs: same rows, same schema', async () => {
    expect(rows).toHaveLength(9);
    expect(rows.map((row) => row['p'])).toEqual(Array(9).fill(value));
    expect(await deltaRs.rows(ours.path(table))).toEqual(rows);
    expect(parseSchema((await deltaRs.ask('schema', ours.path(table))) as string)).toEqual(schema);
    const { files } = await ours.snapshot(table);
    expect([...files.values()].map((add) => add.partitionValues)).toEqual(Array(3).fill({ p: text }));
  });

  it('has no file that delta-rs would vacuum', async () => {
    expect(await deltaRs.ask('orphans', ours.path(table))).toEqual([]);
  });

  it('is compacted by delta-rs: three files become one, for both', async () => {
    const before = await ours.snapshot(table);
    expect(await deltaRs.ask('compact', ours.path(table))).toMatchObject({ numFilesRemoved: 3, numFilesAdded: 1 });
    expect(await deltaRs.rows(ours.path(table))).toEqual(rows);
    expect(await ours.rows(table)).toEqual(rows);
    const after = await ours.snapshot(table);
    expect(after.files.size).toBe(1);
    expect([...after.tombstones.keys()].sort()).toEqual([...before.files.keys()].sort());
  });

  it('is merged into by delta-rs: one row updated, one inserted', async () => {
    const first = rows[0] ?? {};
    const changed = [
      { ...first, note: 'updated' },
      { ...first, id: '100', note: 'inserted' },
    ];
    await deltaRs.ask('merge', ours.path(table), changed, 't.id = s.id');
    rows = await ours.rows(table);
    expect(rows.map((row) => row['note'])).toEqual(expect.arrayContaining(['updated', 'inserted']));
    expect(rows).toHaveLength(10);
    expect(await deltaRs.rows(ours.path(table))).toEqual(rows);
  });

  it('is read by us from the checkpoint of delta-rs alone', async () => {
    const before = await ours.snapshot(table);
    await deltaRs.ask('checkpoint', ours.path(table));
    await cleanLog(ours.store, await planCleaning(ours.store, table, before.version));
    expect((await ours.logFiles(table)).filter((file) => /^\d/.test(file))).toHaveLength(2);
    const partitionOf = ({ files }: Snapshot) =>
      [...files.values()].map(({ path, partitionValues }) => [path, partitionValues]);
    expect(partitionOf(await ours.snapshot(table))).toEqual(partitionOf(before));
    expect(await ours.rows(table)).toEqual(rows);
  });

  it('loses no file that a release may read when delta-rs vacuums by the rules', async () => {
    expect(await deltaRs.ask('vacuum', ours.path(table))).toEqual([]);
  });

  it('takes our next commit, which delta-rs reads', async () => {
    await ours.append(table, threeRows(1000, sql));
    rows = await ours.rows(table);
    expect(rows).toHaveLength(13);
    expect(await deltaRs.rows(ours.path(table))).toEqual(rows);
  });
});

describe('our checkpoint', () => {
  const table = 'silver/long_log';
  const schema = schemaWith({ kind: 'string' });
  const texts = oddValues.filter(({ type }) => type.kind === 'string');
  let rows: readonly Row[];

  beforeAll(async () => {
    await ours.create(table, schema, ['p']);
    for (let at = 0; at < 12; at++)
      await ours.append(table, threeRows(10 * at, texts[at % texts.length]?.sql ?? 'NULL'));
    rows = await ours.rows(table);
    await cleanLog(ours.store, await planCleaning(ours.store, table, 12));
  });

  it('is written at the tenth commit, and is all that a cleaned log keeps of the first ten', async () => {
    const digits = (version: number) => String(version).padStart(20, '0');
    expect(await ours.logFiles(table)).toEqual([
      `${digits(10)}.checkpoint.parquet`,
      ...[10, 11, 12].map((version) => `${digits(version)}.json`),
      '_last_checkpoint',
    ]);
  });

  it('is read by delta-rs: rows, schema, version and transactions', async () => {
    const path = ours.path(table);
    expect(rows).toHaveLength(36);
    expect(await deltaRs.rows(path)).toEqual(rows);
    expect(parseSchema((await deltaRs.ask('schema', path)) as string)).toEqual(schema);
    expect(await deltaRs.ask('version', path)).toBe(12);
    expect(await deltaRs.ask('transaction', path, 'ours')).toBe((await ours.snapshot(table)).txns.get('ours'));
  });

  it('lets delta-rs compact every partition', async () => {
    const twice = new Set(Array.from({ length: 12 - texts.length }, (_, at) => at));
    expect(await deltaRs.ask('compact', ours.path(table))).toMatchObject({
      numFilesRemoved: 2 * twice.size,
      numFilesAdded: twice.size,
    });
    expect(await ours.rows(table)).toEqual(rows);
    expect(await deltaRs.rows(ours.path(table))).toEqual(rows);
  });
});

describe('our commits in the history of delta-rs', () => {
  it('have an operation and a time', async () => {
    const table = 'silver/history';
    await ours.create(table, schemaWith({ kind: 'string' }), []);
    await ours.append(table, threeRows(1, "'x'"));
    const history = (await deltaRs.ask('history', ours.path(table))) as readonly Row[];
    expect(history).toHaveLength(2);
    for (const entry of history) {
      expect(entry).toMatchObject({ operation: 'WRITE', engineInfo: 'shopsmart' });
      expect(entry['timestamp']).toBeGreaterThan(NOW_MS);
    }
    expect(await ours.rows(table, 0)).toEqual([]);
  });
});
