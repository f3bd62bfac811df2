import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Action } from '#delta';
import { DuckDbEngine } from './duckdb-engine.js';
import { DuckDbParquetRows } from './duckdb-parquet-rows.js';

let dir: string;
let engine: DuckDbEngine;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  engine = await DuckDbEngine.open({ workDir: dir, threads: 1 });
});

afterEach(async () => {
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

const actions: readonly Action[] = [
  { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
  {
    metaData: {
      id: '4f1c',
      name: 'orders',
      format: { provider: 'parquet', options: {} },
      schemaString: '{"type":"struct","fields":[]}',
      partitionColumns: ['p'],
      configuration: { 'delta.appendOnly': 'false' },
      createdTime: 1760000000000,
    },
  },
  {
    add: {
      path: 'p=a%2520b/part-1.parquet',
      partitionValues: { p: 'a b', q: null },
      size: 9007199254740991,
      modificationTime: 1,
      dataChange: false,
      stats: '{"numRecords":1,"maxValues":{"id":9223372036854775807}}',
      tags: { k: 'v' },
    },
  },
  {
    remove: {
      path: 'x.parquet',
      deletionTimestamp: 5,
      dataChange: true,
      extendedFileMetadata: true,
      partitionValues: {},
      size: 3,
    },
  },
  { txn: { appId: 'shopsmart', version: 12, lastUpdated: 7 } },
];

describe('DuckDbParquetRows', () => {
  it('reads back the actions that it wrote, NULL partition values and long numbers included', async () => {
    const rows = new DuckDbParquetRows(engine);
    const file = join(dir, 'c.parquet');
    expect(await rows.writeCheckpoint(file, actions)).toBeGreaterThan(0);
    expect(await rows.readCheckpoint(file)).toEqual(actions);
  });

  it('writes an action however long it is', async () => {
    const rows = new DuckDbParquetRows(engine);
    const file = join(dir, 'long.parquet');
    const long: readonly Action[] = [{ txn: { appId: 'é'.repeat(3_000_000), version: 1 } }, ...actions];
    await rows.writeCheckpoint(file, long);
    expect(await rows.readCheckpoint(file)).toEqual(long);
  });

  it('leaves commitInfo out of a checkpoint', async () => {
    const rows = new DuckDbParquetRows(engine);
    const file = join(dir, 'c.parquet');
    await rows.writeCheckpoint(file, [...actions, { commitInfo: { operation: 'WRITE' } }]);
    expect(await rows.readCheckpoint(file)).toEqual(actions);
  });

  it('reads a checkpoint of another writer, with columns more and fewer than ours', async () => {
    const file = join(dir, 'foreign.parquet');
    await engine.copyParquet(
      `SELECT {'appId': 'a', 'version': 3::BIGINT} AS txn, NULL::STRUCT(path VARCHAR) AS sidecar,
              NULL::STRUCT(path VARCHAR, stats_parsed STRUCT(x DOUBLE)) AS "add"
       UNION ALL SELECT NULL, NULL, {'path': 'f', 'stats_parsed': {'x': 'nan'::DOUBLE}}`,
      file,
    );
    expect(await new DuckDbParquetRows(engine).readCheckpoint(file)).toEqual([
      { txn: { appId: 'a', version: 3 } },
      { add: { path: 'f' } },
    ]);
  });

  it('says that a file is no checkpoint', async () => {
    const file = join(dir, 'other.parquet');
    await engine.copyParquet('SELECT 1 AS n', file);
    await expect(new DuckDbParquetRows(engine).readCheckpoint(file)).rejects.toMatchObject({
      code: 'delta.bad_checkpoint',
    });
  });
});
