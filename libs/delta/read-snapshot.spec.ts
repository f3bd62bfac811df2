import { MemoryStore } from '#storage';
import type { Action } from './action.js';
import { cleanLog, planCleaning, writeCheckpoint } from './checkpoint.js';
import { addition, aLog, creation, NOW_MS, read, READING, removal, TABLE, timed } from './log-fixture.js';
import { commitPath, lastCheckpointPath, logFolder } from './log-path.js';
import { readSnapshot } from './read-snapshot.js';

let store: MemoryStore;
const appends = (count: number): Action[][] => Array.from({ length: count }, (_, at) => [addition(`f${at + 1}`)]);
const filesOf = async (choice: Parameters<typeof read>[1] = {}) => [...(await read(store, choice)).files.keys()];
const checkpoint = async (version: number) =>
  writeCheckpoint(store, await read(store, { version }), READING.parquet, READING.cacheDir);
const put = (name: string, text: string) => store.put(`${logFolder(TABLE)}${name}`, Buffer.from(text));

beforeEach(() => {
  store = new MemoryStore();
});

describe('readSnapshot', () => {
  it('finds no table where there is no log', async () => {
    expect(await readSnapshot(store, TABLE, READING)).toBeUndefined();
  });

  it('reads the newest version, and any earlier one', async () => {
    await aLog(store, [addition('a')], [addition('b')], [removal('a')]);
    expect(await filesOf()).toEqual(['b']);
    expect(await filesOf({ version: 2 })).toEqual(['a', 'b']);
    expect(await filesOf({ version: 0 })).toEqual([]);
    expect((await read(store)).version).toBe(3);
  });

  it.each([-1, 4, 1.5])('says that there is no version %d', async (version) => {
    await aLog(store, ...appends(3));
    await expect(read(store, { version })).rejects.toMatchObject({ code: 'delta.no_version', kind: 'notFound' });
  });

  it('reads the version of a time, by what commits say of themselves', async () => {
    await aLog(store, ...[10, 20, 30].map((at) => [timed(NOW_MS + at), addition(`f${at}`)]));
    const versionAt = async (timestampMs: number) => (await read(store, { timestampMs })).version;
    await store.put(commitPath(TABLE, 0), Buffer.from(text([timed(NOW_MS), ...creation])));
    expect(await versionAt(NOW_MS)).toBe(0);
    expect(await versionAt(NOW_MS + 19)).toBe(1);
    expect(await versionAt(NOW_MS + 20)).toBe(2);
    expect(await versionAt(NOW_MS + 1000)).toBe(3);
    await expect(versionAt(NOW_MS - 1)).rejects.toMatchObject({ code: 'delta.no_version' });
  });

  it('keeps versions in order of time when a clock was set back', async () => {
    const times = [100, 50, 200];
    await aLog(store, ...times.map((at) => [timed(NOW_MS + at), addition(`f${at}`)]));
    expect((await read(store, { timestampMs: NOW_MS + 60 })).version).toBe(0);
    expect((await read(store, { timestampMs: NOW_MS + 101 })).version).toBe(2);
  });

  it('takes the time of the file from a commit that tells none', async () => {
    let nowMs = NOW_MS;
    store = new MemoryStore(new Map(), undefined, () => nowMs++);
    await aLog(store, [addition('a')], [{ commitInfo: { timestamp: NOW_MS + 100 } }]);
    expect((await read(store, { version: 1 })).timestampMs).toBe(NOW_MS + 1);
    expect((await read(store, { timestampMs: NOW_MS + 1 })).version).toBe(1);
    expect((await read(store)).timestampMs).toBe(NOW_MS + 100);
  });

  it('prefers the in-commit timestamp of the protocol', async () => {
    await aLog(store, [{ commitInfo: { timestamp: NOW_MS, inCommitTimestamp: NOW_MS + 5 } }]);
    expect((await read(store)).timestampMs).toBe(NOW_MS + 5);
  });

  it('reads the same with a checkpoint and without the log before it, its time included', async () => {
    await aLog(store, ...appends(4), [timed(NOW_MS + 5)], [addition('last')]);
    const before = await read(store);
    const at5 = await read(store, { version: 5 });
    await checkpoint(5);
    await cleanLog(store, await planCleaning(store, TABLE, 6));
    expect(await read(store)).toEqual({ ...before, files: expect.any(Map) });
    expect([...(await read(store)).files.keys()]).toEqual([...before.files.keys()]);
    expect((await read(store, { version: 5 })).timestampMs).toBe(at5.timestampMs);
    await expect(read(store, { version: 4 })).rejects.toMatchObject({ code: 'delta.no_version' });
  });

  it.each([
    ['names a checkpoint that is gone', '{"version":17}'],
    ['lies behind', '{"version":2}'],
    ['is broken', '{"vers'],
    ['is no object', 'null'],
    ['names no version', '{"version":"two"}'],
  ])('takes _last_checkpoint as a hint: it may be one that %s', async (_what, hint) => {
    await aLog(store, ...appends(6));
    await checkpoint(2);
    await checkpoint(5);
    await cleanLog(store, await planCleaning(store, TABLE, 5));
    await store.put(lastCheckpointPath(TABLE), Buffer.from(hint));
    expect(await filesOf()).toEqual(['f1', 'f2', 'f3', 'f4', 'f5', 'f6']);
    await store.delete(lastCheckpointPath(TABLE));
    expect(await filesOf()).toEqual(['f1', 'f2', 'f3', 'f4', 'f5', 'f6']);
  });

  it('reads all parts of a checkpoint, and passes over one that lacks a part', async () => {
    await aLog(store, ...appends(6));
    const digits = (version: number) => String(version).padStart(20, '0');
    await put(`${digits(3)}.checkpoint.0000000001.0000000002.parquet`, JSON.stringify([...creation, addition('f1')]));
    await put(
      `${digits(3)}.checkpoint.0000000002.0000000002.parquet`,
      JSON.stringify([addition('f2'), addition('f3')]),
    );
    await put(`${digits(5)}.checkpoint.0000000001.0000000002.parquet`, JSON.stringify([...creation]));
    await put('_last_checkpoint', '{"version":5,"parts":2}');
    for (const version of [0, 1, 2]) await store.delete(commitPath(TABLE, version));
    expect(await filesOf()).toEqual(['f1', 'f2', 'f3', 'f4', 'f5', 'f6']);
  });

  it('passes over what other writers keep in the log folder', async () => {
    await aLog(store, [addition('a')]);
    await put('00000000000000000009.crc', '{}');
    await put('_staged_commits/00000000000000000002.json', 'no commit');
    await put('00000000000000000005.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json', '{}');
    expect(await filesOf()).toEqual(['a']);
    expect((await read(store)).version).toBe(1);
  });

  it('skips actions that readers may skip', async () => {
    await aLog(store, [addition('a')]);
    await put('00000000000000000002.json', '{"domainMetadata":{"domain":"x"}}\n\n{"cdc":{"path":"c"}}\n');
    expect(await filesOf()).toEqual(['a']);
  });

  it('names the commit that is missing, or no JSON', async () => {
    await aLog(store, ...appends(3));
    await store.put(commitPath(TABLE, 3), Buffer.from('{"add":'));
    await expect(read(store)).rejects.toMatchObject({ code: 'delta.corrupt_log', at: { version: 3 } });
    await store.delete(commitPath(TABLE, 2));
    await expect(read(store)).rejects.toMatchObject({ code: 'delta.corrupt_log', at: { version: 2 } });
    await store.delete(commitPath(TABLE, 0));
    await expect(read(store)).rejects.toMatchObject({ code: 'delta.corrupt_log', at: { version: 0 } });
  });

  it('starts over when a clean-up takes away what it was about to read', async () => {
    await aLog(store, ...appends(12));
    await checkpoint(2);
    const racing = new (class extends MemoryStore {
      cleaned = false;
      override async get(path: string): Promise<Uint8Array> {
        if (path === commitPath(TABLE, 3) && !this.cleaned) {
          this.cleaned = true;
          await checkpoint(11);
          await cleanLog(store, await planCleaning(store, TABLE, 12));
        }
        return store.get(path);
      }
      override list(prefix: string, startAfter?: string) {
        return store.list(prefix, startAfter);
      }
    })();
    expect((await read(racing)).files.size).toBe(12);
    expect(racing.cleaned).toBe(true);
  });
});

function text(actions: readonly Action[]): string {
  return actions.map((action) => `${JSON.stringify(action)}\n`).join('');
}
