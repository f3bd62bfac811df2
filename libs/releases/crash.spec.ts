import { readSnapshot } from '#delta';
import { MemoryStore } from '#storage';
import type { Fault, ObjectStore } from '#storage';
import {
  aLake,
  CLICKS,
  contentOfRelease,
  HandClock,
  ORDERS,
  rowsIn,
  run,
  runId,
  SALES,
  type RunOptions,
} from './lake-fixture.js';
import type { Lake } from './lake.js';
import { ReleaseReader } from './release-reader.js';
import { planVacuum, vacuum } from './vacuum.js';

const KINDS: readonly Fault['kind'][] = ['fail', 'lose', 'stop'];
/** Beyond the writes of any run here; reaching it is a fault of the test. */
const MAX_WRITES = 200;

const interrupted: RunOptions = { runId: runId(2), nonce: 'first', appends: { [ORDERS]: 'o2' } };

interface Scene {
  readonly lake: Lake;
  readonly store: MemoryStore;
  readonly clock: HandClock;
}

async function aScene(): Promise<Scene> {
  const store = new MemoryStore();
  const lake = aLake(store);
  const clock = new HandClock();
  await run(lake, clock, { runId: runId(1), nonce: 'a', appends: { [ORDERS]: 'o1' } });
  await run(lake, clock, { runId: runId(9), nonce: 'b', appends: { [CLICKS]: 'c1' }, owner: 'stream' });
  return { lake, store, clock };
}

async function pathsIn(store: ObjectStore): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of store.list('')) paths.push(path);
  return paths;
}

/** Told from the attempts' names alone, not from what the tables say. */
async function orphansByName({ lake }: Scene): Promise<string[]> {
  const releases = await new ReleaseReader(lake.store).after(0);
  const published = new Set(releases.map(({ run_id, nonce }) => `${run_id}-${nonce}.parquet`));
  const staged = new Set(releases.flatMap(({ tables }) => Object.values(tables).map((table) => table.staged?.path)));
  return (await pathsIn(lake.store)).filter((path) =>
    path.startsWith('_releases/staged/')
      ? !staged.has(path)
      : path.endsWith('.parquet') && !path.includes('/_delta_log/') && !published.has(path.split('/').at(-1) ?? ''),
  );
}

describe.each(KINDS)('when the n-th write of a run goes wrong by %s', (kind) => {
  it('ends with the same releases after it is started again, and vacuum finds every orphan and nothing else', async () => {
    let n = 1;
    for (; n < MAX_WRITES; n++) {
      const scene = await aScene();
      const { lake, store, clock } = scene;
      const broken = store.reopen({ atCall: n, kind });
      await run({ ...lake, store: broken }, clock, interrupted).catch(() => undefined);
      if (broken.calls < n) break;

      const reopened = await new ReleaseReader(lake.store).latest();
      expect([2, 3]).toContain(reopened?.number);
      if (reopened !== undefined) await contentOfRelease(lake, reopened);

      await run(lake, clock, { ...interrupted, nonce: 'again' });
      await run(lake, clock, { runId: runId(3), nonce: 'c', appends: { [ORDERS]: 'o3' } });
      const releases = await new ReleaseReader(lake.store).after(0);
      expect(releases.map(({ number, run_id }) => [number, run_id])).toEqual([
        [1, runId(1)],
        [2, runId(9)],
        [3, runId(2)],
        [4, runId(3)],
      ]);
      const content = () => Promise.all(releases.map((release) => contentOfRelease(lake, release)));
      const expected: Readonly<Record<string, readonly string[]>>[] = [
        { [SALES]: ['o1'], [ORDERS]: ['o1'] },
        { [SALES]: ['o1'], [ORDERS]: ['o1'], [CLICKS]: ['c1'] },
        { [SALES]: ['o1+o2'], [ORDERS]: ['o1', 'o2'], [CLICKS]: ['c1'] },
        { [SALES]: ['o1+o2+o3'], [ORDERS]: ['o1', 'o2', 'o3'], [CLICKS]: ['c1'] },
      ];
      expect(await content()).toEqual(expected);

      clock.advance(3_600_000);
      const orphans = await orphansByName(scene);
      const removed = await vacuum(lake, clock, await planVacuum(lake, clock));
      expect(removed.map(({ path }) => path).sort()).toEqual(orphans.sort());
      expect(await orphansByName(scene)).toEqual([]);
      expect(await content()).toEqual(expected);
      for (const table of [ORDERS, SALES, CLICKS]) {
        const head = await readSnapshot(lake.store, table, lake);
        expect(await rowsIn(lake, table, head?.files.values() ?? [])).toEqual(expected[3]?.[table]);
      }
    }
    expect(n).toBeGreaterThan(8);
    expect(n).toBeLessThan(MAX_WRITES);
  });

  it('vacuum too can be stopped anywhere and done again', async () => {
    let n = 1;
    for (; n < MAX_WRITES; n++) {
      const scene = await aScene();
      const { lake, store, clock } = scene;
      await run({ ...lake, store: store.reopen({ atCall: 5, kind: 'stop' }) }, clock, interrupted).catch(
        () => undefined,
      );
      clock.advance(3_600_000);
      const broken = store.reopen({ atCall: n, kind });
      const brokenLake = { ...lake, store: broken };
      await planVacuum(brokenLake, clock)
        .then((plan) => vacuum(brokenLake, clock, plan))
        .catch(() => undefined);
      await vacuum(lake, clock, await planVacuum(lake, clock));
      expect(await orphansByName(scene)).toEqual([]);
      expect(await pathsIn(lake.store)).not.toContain(`_runs/${runId(2)}.json`);
      const latest = await new ReleaseReader(lake.store).latest();
      if (latest !== undefined) await contentOfRelease(lake, latest);
      if (broken.calls < n) break;
    }
    expect(n).toBeGreaterThan(3);
    expect(n).toBeLessThan(MAX_WRITES);
  });
});
