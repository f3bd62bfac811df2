import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine, DuckDbParquetRows } from '#engine';
import { LocalStore, MemoryStore, type ObjectStore } from '#storage';
import type { Action } from './action.js';
import { cleanLog, planCleaning, writeCheckpoint, writeState } from './checkpoint.js';
import { addition, aLog, commitTo, creation, logNames, read, READING, removal, TABLE } from './log-fixture.js';
import { commitPath, lastCheckpointPath } from './log-path.js';
import { readState } from './read-snapshot.js';

const digits = (version: number) => String(version).padStart(20, '0');
const odd: Action = {
  add: {
    path: 'p=a%2520b/%C3%BC.parquet',
    partitionValues: { p: 'a b', q: null },
    size: 9007199254740991,
    modificationTime: 1760000000000,
    dataChange: false,
    stats: '{"numRecords":1,"maxValues":{"id":9223372036854775807}}',
    tags: { from: 'ü"' },
  },
};

describe('a checkpoint in Parquet', () => {
  let dir: string;
  let engine: DuckDbEngine;
  let parquet: DuckDbParquetRows;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'delta-checkpoint-'));
    engine = await DuckDbEngine.open({ workDir: join(dir, 'work'), threads: 1, memoryLimit: '256MB' });
    parquet = new DuckDbParquetRows(engine);
  });
  afterAll(async () => {
    await engine.close();
    await rm(dir, { recursive: true });
  });

  it.each<[string, () => ObjectStore]>([
    ['on a disk', () => new LocalStore(join(dir, 'lake'))],
    ['in a store that is no disk', () => new MemoryStore()],
  ])('says the same as the log that it stands for, %s', async (_where, make) => {
    const store = make();
    const cacheDir = join(dir, 'cache');
    await aLog(
      store,
      [odd, addition('a')],
      [removal('a'), { txn: { appId: 'app', version: 7 } }],
      [addition('b', false)],
    );
    const before = await read(store);
    await writeCheckpoint(store, before, parquet, cacheDir);
    for (const version of [0, 1, 2]) await store.delete(commitPath(TABLE, version));
    const after = await read(store, { parquet, cacheDir });
    const quiet = [...before.tombstones].map(([path, remove]) => [path, { ...remove, dataChange: false }] as const);
    expect(after).toEqual({ ...before, tombstones: new Map(quiet) });
    expect([...after.files.keys()]).toEqual([...before.files.keys()]);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('is read in parts as Spark writes them, with columns that we do not know and empty ones that we do', async () => {
    const store = new LocalStore(join(dir, 'spark'));
    await aLog(store, [addition('a')], [addition('b')], [addition('c')]);
    const part = (at: number) => join(dir, 'spark', TABLE, '_delta_log', `${digits(2)}.checkpoint.${at}.parquet`);
    const names = [1, 2].map((at) => `${String(at).padStart(10, '0')}.0000000002`);
    const [first, second] = names.map((name) => part(1).replace('.1.parquet', `.${name}.parquet`));
    const schemaString = JSON.stringify({
      type: 'struct',
      fields: [{ name: 'id', type: 'long', nullable: false, metadata: {} }],
    });
    await engine.copyParquet(
      `SELECT {'minReaderVersion': 1, 'minWriterVersion': 2} AS protocol, NULL::STRUCT(id VARCHAR, format STRUCT(provider VARCHAR, options MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], configuration MAP(VARCHAR, VARCHAR), createdTime BIGINT) AS "metaData",
              NULL::STRUCT(path VARCHAR, stats_parsed STRUCT(numRecords BIGINT)) AS "add"
       UNION ALL SELECT NULL, {'id': 'x', 'format': {'provider': 'parquet', 'options': MAP {}}, 'schemaString': '${schemaString}', 'partitionColumns': [], 'configuration': MAP {'k': 'v'}, 'createdTime': 5}, NULL`,
      first ?? '',
    );
    await engine.copyParquet(
      `SELECT {'path': p, 'partitionValues': MAP {}::MAP(VARCHAR, VARCHAR), 'size': 1::BIGINT, 'modificationTime': 1::BIGINT,
               'dataChange': false, 'stats_parsed': {'numRecords': 3::BIGINT}} AS "add", NULL::STRUCT(path VARCHAR) AS sidecar
       FROM (VALUES ('a'), ('b')) t(p)`,
      second ?? '',
    );
    for (const version of [0, 1]) await store.delete(commitPath(TABLE, version));
    const { files, metadata } = await read(store, { parquet });
    expect([...files.keys()]).toEqual(['a', 'b', 'c']);
    expect(metadata.configuration).toEqual({ k: 'v' });
  });

  it('is written at every tenth commit, with a hint that names it', async () => {
    const store = new MemoryStore();
    const reading = { parquet, cacheDir: join(dir, 'cache') };
    await commitTo(store, { read: undefined, actions: creation, txnId: '0' });
    for (let at = 1; at <= 21; at++) {
      await commitTo(store, {
        read: await read(store, reading),
        actions: [addition(`f${at}`)],
        txnId: `${at}`,
        ...reading,
      });
    }
    expect((await logNames(store)).filter((name) => name.includes('checkpoint'))).toEqual([
      `${digits(10)}.checkpoint.parquet`,
      `${digits(20)}.checkpoint.parquet`,
      '_last_checkpoint',
    ]);
    expect(JSON.parse(Buffer.from(await store.get(lastCheckpointPath(TABLE))).toString())).toMatchObject({
      version: 20,
      numOfAddFiles: 20,
      size: 22,
    });
    expect((await read(store, reading)).files.size).toBe(21);
  });

  it('keeps a version at a path of its own too: schema and live files with their statistics', async () => {
    const store = new MemoryStore();
    const reading = { parquet, cacheDir: join(dir, 'cache') };
    await aLog(store, [addition('a'), odd], [removal('a')]);
    const snapshot = await read(store);
    const kept = '_kept/t@2.parquet';
    await writeState(store, kept, snapshot, parquet, reading.cacheDir);
    const state = await readState(store, kept, snapshot, reading);
    expect(state).toEqual({ ...snapshot, tombstones: new Map(), timestampMs: 0 });
    expect(await readState(store, '_kept/t@1.parquet', snapshot, reading)).toBeUndefined();
  });

  it('is written by two at once without one disturbing the other', async () => {
    const store = new MemoryStore();
    await aLog(store, [addition('a')]);
    const snapshot = await read(store);
    await Promise.all([1, 2, 3].map(() => writeCheckpoint(store, snapshot, parquet, join(dir, 'cache'))));
    await store.delete(commitPath(TABLE, 0));
    expect([...(await read(store, { parquet, cacheDir: join(dir, 'cache') })).files.keys()]).toEqual(['a']);
  });
});

describe('cleanLog', () => {
  async function longLog(...checkpoints: readonly number[]): Promise<MemoryStore> {
    const store = new MemoryStore();
    await aLog(store, ...Array.from({ length: 8 }, (_, at) => [addition(`f${at + 1}`)]));
    for (const version of checkpoints) {
      await writeCheckpoint(store, await read(store, { version }), READING.parquet, READING.cacheDir);
    }
    return store;
  }

  it('keeps what every version from the given one on needs, and the commit of the checkpoint itself', async () => {
    const store = await longLog(3, 6);
    await cleanLog(store, await planCleaning(store, TABLE, 5));
    expect((await logNames(store))[0]).toBe(`${digits(3)}.checkpoint.parquet`);
    expect(await logNames(store)).toContain(`${digits(3)}.json`);
    expect(await logNames(store)).not.toContain(`${digits(2)}.json`);
    for (const version of [3, 4, 5, 6, 7, 8]) expect((await read(store, { version })).files.size).toBe(version);
  });

  it('removes nothing without a checkpoint to stand on', async () => {
    const store = await longLog(6);
    const before = await logNames(store);
    await cleanLog(store, await planCleaning(store, TABLE, 5));
    expect(await logNames(store)).toEqual(before);
  });

  it('leaves alone what it does not know', async () => {
    const store = await longLog(6);
    const foreign = [`${digits(1)}.crc`, `_staged_commits/${digits(1)}.json`];
    for (const name of foreign) await store.put(`${TABLE}/_delta_log/${name}`, Buffer.from('{}'));
    await cleanLog(store, await planCleaning(store, TABLE, 8));
    expect(await logNames(store)).toEqual(expect.arrayContaining(foreign));
  });

  it('may stop anywhere: the versions that are kept stay readable', async () => {
    const whole = await longLog(3, 6);
    const before = whole.calls;
    await cleanLog(whole, await planCleaning(whole, TABLE, 7));
    for (let atCall = 1; atCall <= whole.calls - before; atCall++) {
      const store = await longLog(3, 6);
      const cleaning = await planCleaning(store, TABLE, 7);
      await cleanLog(store.reopen({ atCall, kind: 'stop' }), cleaning).catch(() => undefined);
      for (const version of [6, 7, 8]) expect((await read(store, { version })).files.size).toBe(version);
      for (const version of [0, 1, 2, 3, 4, 5]) {
        const found = await read(store, { version }).catch((error: unknown) => error);
        expect(found).toMatchObject(found instanceof Error ? { code: 'delta.no_version' } : { version });
      }
    }
  });
});
