import { commitAt, type Action, type Add, type Snapshot } from '#delta';
import { MemoryStore } from '#storage';
import type { ObjectStore } from '#storage';
import { headOf, planBase } from './foreign-write.js';
import {
  aLake,
  attemptRun,
  contentOfRelease,
  creation,
  dataFile,
  HandClock,
  intercepted,
  ORDERS,
  rowsIn,
  run,
  runId,
  SALES,
  wrapped,
} from './lake-fixture.js';
import type { Lake } from './lake.js';
import type { Release } from './release.js';
import { ReleaseReader } from './release-reader.js';
import { rollForward } from './roll-forward.js';
import { registerRun } from './run-record.js';

interface Scene {
  readonly lake: Lake;
  readonly clock: HandClock;
  append(row: string): Promise<Release>;
  /** Publishes and leaves the logs as they are, as a run does that is stopped. */
  publishOnly(row: string): Promise<Release>;
}

function aScene(): Scene {
  const lake = aLake(new MemoryStore());
  const clock = new HandClock();
  let n = 0;
  return {
    lake,
    clock,
    append: (row) => run(lake, clock, { runId: runId(++n), nonce: 'a', appends: { [ORDERS]: row } }),
    publishOnly: async (row) => {
      const options = { runId: runId(++n), nonce: 'a', appends: { [ORDERS]: row } };
      await registerRun(lake.store, clock, { runId: options.runId, owner: 'batch', parent: null });
      const outcome = await attemptRun(lake, clock, options);
      if (outcome.kind !== 'published') throw new Error('nobody else publishes');
      return outcome.release;
    },
  };
}

async function head({ lake }: Scene, table = ORDERS): Promise<Snapshot> {
  const found = await headOf(lake, table);
  if (found === undefined) throw new Error(`${table} has a log`);
  return found;
}

async function livePaths(scene: Scene, table = ORDERS): Promise<string[]> {
  return [...(await head(scene, table)).files.keys()].sort();
}

async function rowsOfHead(scene: Scene, table = ORDERS): Promise<string[]> {
  return rowsIn(scene.lake, table, (await head(scene, table)).files.values());
}

/** Another writer's commit: replaces some live files by one. */
async function foreign(
  scene: Scene,
  name: string,
  row: string,
  replaces: readonly Add[],
  dataChange: boolean,
): Promise<void> {
  const { lake } = scene;
  const { version } = await head(scene);
  const add = await dataFile(lake, ORDERS, name, row);
  const actions: Action[] = [
    ...replaces.map((file): Action => ({ remove: { path: file.path, dataChange, deletionTimestamp: 1 } })),
    { add: { ...add, dataChange } },
  ];
  expect(await commitAt(lake.store, ORDERS, version + 1, actions, name)).toBe('committed');
}

async function compact(scene: Scene, after = ''): Promise<void> {
  const files = [...(await head(scene)).files.values()];
  const rows = await rowsIn(scene.lake, ORDERS, files);
  await foreign(scene, `part-00000-compacted${after.slice(-8, -5)}`, rows.join(' '), files, false);
}

describe('roll-forward', () => {
  it('writes the staged actions when the log stands at the base', async () => {
    const scene = aScene();
    await scene.append('o1');
    const release = await scene.publishOnly('o2');
    expect(await rowsOfHead(scene)).toEqual(['o1']);
    expect(await rollForward(scene.lake, scene.clock, release)).toEqual([
      { table: SALES, release: 2, version: 1, wrote: 'staged' },
      { table: ORDERS, release: 2, version: 1, wrote: 'staged' },
    ]);
    expect(await rowsOfHead(scene)).toEqual(['o1', 'o2']);
  });

  it('does nothing the second time', async () => {
    const scene = aScene();
    const release = await scene.publishOnly('o1');
    expect(await rollForward(scene.lake, scene.clock, release)).toHaveLength(2);
    expect(await rollForward(scene.lake, scene.clock, release)).toEqual([]);
    expect((await headOf(scene.lake, ORDERS))?.version).toBe(0);
  });

  it('commits once when several do it at the same time', async () => {
    const scene = aScene();
    await scene.append('o1');
    const release = await scene.publishOnly('o2');
    await Promise.all([1, 2, 3].map(() => rollForward(scene.lake, scene.clock, release)));
    expect((await headOf(scene.lake, ORDERS))?.version).toBe(1);
    expect(await rowsOfHead(scene)).toEqual(['o1', 'o2']);
  });

  it('gives up when other writers are always faster', async () => {
    const scene = aScene();
    await scene.append('o1');
    const release = await scene.publishOnly('o2');
    const overtaken = intercepted(scene.lake.store, (path) =>
      path.startsWith(`${ORDERS}/_delta_log/`) ? compact(scene, path) : Promise.resolve(),
    );
    await expect(rollForward({ ...scene.lake, store: overtaken }, scene.clock, release)).rejects.toMatchObject({
      code: 'release.contended',
    });
    await rollForward(scene.lake, scene.clock, release);
    expect(await rowsOfHead(scene)).toEqual(['o1', 'o2']);
  });

  it('brings a log forward over several releases in order', async () => {
    const scene = aScene();
    const first = await scene.publishOnly('o1');
    const store = scene.lake.store;
    await rollForward(scene.lake, scene.clock, first);
    const second = await scene.publishOnly('o2');
    await rollForward(scene.lake, scene.clock, second);
    const third = await scene.publishOnly('o3');
    // As after a loss of log entries that a backup did not have.
    for (const table of [ORDERS, SALES]) await store.delete(`${table}/_delta_log/${'1'.padStart(20, '0')}.json`);
    const rolled = await rollForward(scene.lake, scene.clock, third);
    expect(rolled.filter(({ table }) => table === ORDERS).map(({ release, version }) => [release, version])).toEqual([
      [2, 1],
      [3, 2],
    ]);
    expect(await rowsOfHead(scene)).toEqual(['o1', 'o2', 'o3']);
  });

  it('undoes a compaction that came before it, and leaves exactly the files of the release', async () => {
    const scene = aScene();
    await scene.append('o1');
    await scene.append('o2');
    const release = await scene.publishOnly('o3');
    await compact(scene);
    const rolled = await rollForward(scene.lake, scene.clock, release);
    expect(rolled.find(({ table }) => table === ORDERS)).toEqual({
      table: ORDERS,
      release: 3,
      version: 3,
      wrote: 'difference',
    });
    expect(await rowsOfHead(scene)).toEqual(['o1', 'o2', 'o3']);
    const commit = await scene.lake.store.get(`${ORDERS}/_delta_log/${'3'.padStart(20, '0')}.json`);
    const adds = Buffer.from(commit)
      .toString()
      .split('\n')
      .filter((line) => line.includes('"add"'))
      .map((line) => (JSON.parse(line) as { add: Add }).add);
    // A streaming reader of the table must not see the restored rows as new.
    expect(adds.filter(({ dataChange }) => dataChange)).toHaveLength(1);
    expect(adds).toHaveLength(3);
  });

  it('takes a compaction that was seen when planning as the base of the next release', async () => {
    const scene = aScene();
    const before = await scene.append('o1');
    await scene.append('o2');
    await compact(scene);
    const after = await scene.append('o3');
    expect(await rowsOfHead(scene)).toEqual(['o1 o2', 'o3']);
    expect((await contentOfRelease(scene.lake, after))[ORDERS]).toEqual(['o1 o2', 'o3']);
    expect((await contentOfRelease(scene.lake, before))[ORDERS]).toEqual(['o1']);
  });

  it('refuses a foreign data change, when planning and when rolling forward, and goes on once it is restored', async () => {
    const scene = aScene();
    const first = await scene.append('o1');
    await foreign(scene, 'part-00000-intruder', 'x', [], true);
    await expect(planBase(scene.lake, first, ORDERS)).rejects.toMatchObject({
      code: 'delta.foreign_write',
      kind: 'conflict',
      at: { table: ORDERS, version: 1 },
    });
    await remove(scene, 'part-00000-intruder.parquet');
    const second = await scene.publishOnly('o2');
    await foreign(scene, 'part-00001-intruder', 'y', [], true);
    await expect(rollForward(scene.lake, scene.clock, second)).rejects.toMatchObject({ code: 'delta.foreign_write' });
    expect((await contentOfRelease(scene.lake, second))[ORDERS]).toEqual(['o1', 'o2']);
    await remove(scene, 'part-00001-intruder.parquet');
    await rollForward(scene.lake, scene.clock, second);
    expect(await rowsOfHead(scene)).toEqual(['o1', 'o2']);
  });

  it('lets a foreign data change be adopted as the state of a table', async () => {
    const scene = aScene();
    const first = await scene.append('o1');
    await foreign(scene, 'part-00000-wanted', 'x', [], true);
    const base = await planBase(scene.lake, first, ORDERS, 'adopt');
    expect(base?.version).toBe(1);
  });

  it('refuses a foreign table in the place of a missing one', async () => {
    const scene = aScene();
    await commitAt(scene.lake.store, ORDERS, 0, creation(ORDERS), 'theirs');
    await expect(planBase(scene.lake, undefined, ORDERS)).rejects.toMatchObject({ code: 'delta.foreign_write' });
  });

  it('sends a run back to plan again when a newer release has changed its table', async () => {
    const scene = aScene();
    const first = await scene.append('o1');
    await scene.append('o2');
    await expect(planBase(scene.lake, first, ORDERS)).rejects.toMatchObject({ code: 'release.superseded' });
    await expect(planBase(scene.lake, undefined, ORDERS)).rejects.toMatchObject({ code: 'release.superseded' });
  });

  it('is not needed by readers, who need no right to write either', async () => {
    const scene = aScene();
    await scene.append('o1');
    await scene.publishOnly('o2');
    const lake = { ...scene.lake, store: readOnly(scene.lake.store) };
    const latest = await new ReleaseReader(lake.store).latest();
    if (latest === undefined) throw new Error('two releases');
    expect((await contentOfRelease(lake, latest))[ORDERS]).toEqual(['o1', 'o2']);
  });

  it('keeps every release readable over many checkpoints', async () => {
    const scene = aScene();
    const releases: Release[] = [];
    for (let n = 0; n < 23; n++) releases.push(await scene.append(`o${String(n).padStart(2, '0')}`));
    const logs: string[] = [];
    for await (const { path } of scene.lake.store.list(`${ORDERS}/_delta_log/`)) logs.push(path);
    expect(logs.filter((path) => path.includes('checkpoint.parquet'))).toHaveLength(2);
    for (const [n, release] of releases.entries()) {
      expect((await contentOfRelease(scene.lake, release))[ORDERS]).toHaveLength(n + 1);
    }
    expect(await livePaths(scene)).toHaveLength(23);
  });

  it('says that staged actions are damaged instead of serving them', async () => {
    const scene = aScene();
    const release = await scene.append('o1');
    const staged = release.tables[ORDERS]?.staged?.path ?? '';
    await scene.lake.store.put(staged, Buffer.from('{}'));
    await expect(contentOfRelease(scene.lake, release)).rejects.toMatchObject({
      code: 'release.corrupt',
      at: { path: staged },
    });
    await scene.lake.store.delete(staged);
    await expect(contentOfRelease(scene.lake, release)).rejects.toMatchObject({ code: 'release.corrupt' });
  });
});

async function remove(scene: Scene, path: string): Promise<void> {
  const { version } = await head(scene);
  const action: Action = { remove: { path, dataChange: true, deletionTimestamp: 1 } };
  await commitAt(scene.lake.store, ORDERS, version + 1, [action], `restore-${version}`);
}

function readOnly(store: ObjectStore): ObjectStore {
  const refuse = () => Promise.reject(new Error('no right to write'));
  return wrapped(store, { put: refuse, putIfAbsent: refuse, delete: refuse });
}
