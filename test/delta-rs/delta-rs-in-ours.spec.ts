import { cleanLog, planCleaning, type Action } from '#delta';
import { DeltaRs, type Row } from './delta-rs.js';
import { oddValues } from './odd-value.js';
import { NOW_MS, OurLake } from './our-lake.js';

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
describe.each(oddValues)('a table of delta-rs with a partition that is $name', ({ name, type, value, sql, text }) => {
  const table = `silver/${name.replaceAll(' ', '_')}`;
  const columns = [
    ['id', 'long', false],
    ['p', type.kind, true],
    ['amount', 'decimal', true],
    ['tags', 'strings', true],
    ['seen_at', 'timestamp', true],
  ];
  const rowOf = (id: string): Row => ({
    id,
    p: value,
    amount: '12.50',
    tags: ['a', null],
    seen_at: '2026-02-17T10:00:00.000001Z',
  });
  let rows = [rowOf('1'), rowOf('2'), rowOf('9007199254740993')];

  beforeAll(async () => {
    for (const row of rows) await deltaRs.ask('write', ours.path(table), columns, ['p'], [row]);
  });

  it('is read by us: same rows, types, partition values', async () => {
    expect(await ours.rows(table)).toEqual(rows);
    const { schema, files } = await ours.snapshot(table);
    expect(schema.map((field) => [field.name, field.type.kind, field.nullable])).toEqual(columns);
    expect(files.size).toBe(3);
    if (type.kind !== 'timestamp') {
      expect([...files.values()].map((add) => add.partitionValues)).toEqual(Array(3).fill({ p: text }));
    }
  });

  it('is read by us after delta-rs compacted it', async () => {
    expect(await deltaRs.ask('compact', ours.path(table))).toMatchObject({ numFilesRemoved: 3, numFilesAdded: 1 });
    expect(await ours.rows(table)).toEqual(rows);
    expect((await ours.snapshot(table)).files.size).toBe(1);
  });

  it('is read by us from its checkpoint alone', async () => {
    await deltaRs.ask('checkpoint', ours.path(table));
    await cleanLog(ours.store, await planCleaning(ours.store, table, 3));
    expect((await ours.logFiles(table)).filter((file) => /^\d/.test(file))).toHaveLength(2);
    expect(await ours.rows(table)).toEqual(rows);
  });

  it('takes our commit that replaces a file of delta-rs', async () => {
    const { files } = await ours.snapshot(table);
    const removes = [...files.values()].map(({ path, size, partitionValues }): Action => ({
      remove: { path, size, partitionValues, deletionTimestamp: NOW_MS, dataChange: true, extendedFileMetadata: true },
    }));
    const select = `SELECT 5::BIGINT AS id, ${sql} AS p, 12.50::DECIMAL(12,2) AS amount, ['a', NULL] AS tags,
      TIMESTAMPTZ '2026-02-17 10:00:00.000001+00' AS seen_at`;
    expect(await ours.append(table, select, removes)).toMatchObject({ kind: 'committed', version: 4 });
    rows = [rowOf('5')];
    expect(await ours.rows(table)).toEqual(rows);
    expect(await deltaRs.rows(ours.path(table))).toEqual(rows);
  });
});
