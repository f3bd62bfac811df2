import { MemoryStore } from '#storage';
import type { ObjectStore } from '#storage';
import {
  aLake,
  appended,
  attemptRun,
  CLICKS,
  contentOfRelease,
  creation,
  change,
  HandClock,
  intercepted,
  ORDERS,
  run,
  runId,
  SALES,
  wrapped,
} from './lake-fixture.js';
import { planBase } from './foreign-write.js';
import type { Lake } from './lake.js';
import { acquireLease } from './lease.js';
import { publish, type PublishRequest, type TableChange } from './publish.js';
import { encodeRelease, releasePath, type Release } from './release.js';
import { ReleaseReader } from './release-reader.js';
import { rollForward } from './roll-forward.js';
import { endRun, registerRun } from './run-record.js';

interface Scene {
  readonly lake: Lake;
  readonly clock: HandClock;
  readonly first: Release;
}

/** Release 1 holds one row of each table; run 2 is registered. */
async function aScene(store: ObjectStore = new MemoryStore()): Promise<Scene> {
  const lake = aLake(store);
  const clock = new HandClock();
  await run(lake, clock, { runId: runId(1), nonce: 'a', appends: { [ORDERS]: 'o1' } });
  const first = await run(lake, clock, { runId: runId(3), nonce: 'b', appends: { [CLICKS]: 'c1' }, owner: 'stream' });
  await registerRun(store, clock, { runId: runId(2), owner: 'batch', parent: first.number });
  return { lake, clock, first };
}

async function anAppend({ lake }: Scene, table: string, nonce = 'n'): Promise<ReadonlyMap<string, TableChange>> {
  const base = await planBase(lake, await new ReleaseReader(lake.store).latest(), table);
  return new Map([[table, await appended(lake, { runId: runId(2), nonce, appends: {} }, table, base, 'row', 2)]]);
}

function aRequest({ lake, clock, first }: Scene, changes: ReadonlyMap<string, TableChange>): PublishRequest {
  return {
    store: lake.store,
    clock,
    runId: runId(2),
    nonce: 'n',
    owner: 'batch',
    parent: first,
    listedAtMs: clock.nowMs(),
    mode: 'full',
    asOf: undefined,
    changes,
    readSet: new Set(changes.keys()),
    consumed: { loads: {}, offsets: {}, completeUntil: {} },
    checks: [],
    counts: {},
    report: null,
  };
}

describe('publish', () => {
  it('carries over what the run did not touch, and puts its own on top', async () => {
    const scene = await aScene();
    const request = aRequest(scene, await anAppend(scene, ORDERS));
    const outcome = await publish({ ...request, consumed: { loads: { orders: 5 }, offsets: {}, completeUntil: {} } });
    expect(outcome).toMatchObject({ kind: 'published', release: { number: 3, parent: 2, loads: { orders: 5 } } });
    const release = await new ReleaseReader(scene.lake.store).latest();
    expect(release?.tables[ORDERS]?.release).toBe(3);
    expect(release?.tables[CLICKS]).toEqual(scene.first.tables[CLICKS]);
    expect(release?.as_of).toBe(scene.first.as_of);
  });

  it('asks a record back after a lost response', async () => {
    const scene = await aScene();
    const lossy = losing(scene.lake.store, (path) => path === releasePath(3));
    const outcome = await publish({ ...aRequest(scene, await anAppend(scene, ORDERS)), store: lossy });
    expect(outcome).toMatchObject({ kind: 'published', release: { number: 3, nonce: 'n' } });
  });

  it('reports the failure when the record was not written', async () => {
    const scene = await aScene();
    const refusing = losing(scene.lake.store, (path) => path === releasePath(3), 'before');
    await expect(publish({ ...aRequest(scene, await anAppend(scene, ORDERS)), store: refusing })).rejects.toThrow(
      'lost',
    );
    expect((await new ReleaseReader(scene.lake.store).latest())?.number).toBe(2);
  });

  it('finds an earlier attempt of its own run', async () => {
    const scene = await aScene();
    const request = aRequest(scene, await anAppend(scene, ORDERS));
    const early = await publish({ ...request, nonce: 'earlier' });
    const again = await publish({ ...request, changes: await anAppend(scene, SALES, 'm') });
    expect(again).toEqual(early);
  });

  it('keeps the staged actions of an attempt that is still on its way', async () => {
    const scene = await aScene();
    const early = { ...aRequest(scene, await anAppend(scene, ORDERS, 'slow')), nonce: 'slow' };
    const late = { ...aRequest(scene, await anAppend(scene, ORDERS, 'again')), nonce: 'again' };
    const slow = await publish(early);
    await publish(late);
    if (slow.kind !== 'published') throw new Error('the first attempt publishes');
    expect((await contentOfRelease(scene.lake, slow.release))[ORDERS]).toEqual(['o1', 'row']);
  });

  it('goes on top of winners that do not concern it', async () => {
    const scene = await aScene();
    const request = aRequest(scene, await anAppend(scene, ORDERS));
    for (const n of [4, 5]) {
      await run(scene.lake, scene.clock, {
        runId: runId(n),
        nonce: 'w',
        appends: { [CLICKS]: `c${n}` },
        owner: 'stream',
      });
    }
    const outcome = await publish(request);
    if (outcome.kind !== 'published') throw new Error('publishes');
    expect(outcome.release).toMatchObject({ number: 5, parent: 4 });
    const content = await contentOfRelease(scene.lake, outcome.release);
    expect(content[CLICKS]).toEqual(['c1', 'c4', 'c5']);
    expect(content[ORDERS]).toEqual(['o1', 'row']);
  });

  it.each([
    ['read', { readSet: new Set([CLICKS, ORDERS]) }],
    ['wrote', { readSet: new Set<string>() }],
  ])('gives up when a winner changed what it %s', async (what, part) => {
    const scene = await aScene();
    const request = aRequest(scene, await anAppend(scene, ORDERS));
    const winner = what === 'read' ? { [CLICKS]: 'c4' } : { [ORDERS]: 'o4' };
    const won = await run(scene.lake, scene.clock, {
      runId: runId(4),
      nonce: 'w',
      appends: winner,
      owner: what === 'read' ? 'stream' : 'batch',
    });
    expect(await publish({ ...request, ...part })).toEqual({ kind: 'lost', winners: [won], overlap: 'some' });
  });

  it('gives up when a winner moved the date that it sets too', async () => {
    const scene = await aScene();
    const request = aRequest(scene, await anAppend(scene, ORDERS));
    await run(scene.lake, scene.clock, {
      runId: runId(4),
      nonce: 'w',
      appends: { [CLICKS]: 'c4' },
      owner: 'stream',
      asOf: '2026-02-18',
    });
    expect(await publish({ ...request, asOf: '2026-02-19' })).toMatchObject({ kind: 'lost', overlap: 'some' });
  });

  it('gives way to whoever holds the lease, while it lasts', async () => {
    const scene = await aScene();
    const request = aRequest(scene, await anAppend(scene, ORDERS));
    await acquireLease(scene.lake.store, scene.clock, runId(9));
    const startMs = scene.clock.nowMs();
    expect((await publish(request)).kind).toBe('published');
    expect(scene.clock.nowMs() - startMs).toBe(60_000);
  });

  it('refuses a table of another owner', async () => {
    const scene = await aScene();
    await expect(publish(aRequest(scene, await anAppend(scene, CLICKS)))).rejects.toMatchObject({
      code: 'release.not_owner',
      at: { table: CLICKS },
    });
  });

  it('lets a rollback write the tables of all owners', async () => {
    const scene = await aScene();
    const outcome = await publish({ ...aRequest(scene, await anAppend(scene, CLICKS)), mode: 'rollback' });
    expect(outcome.kind).toBe('published');
  });

  it('lets any run create a missing table, but only empty', async () => {
    const lake = aLake(new MemoryStore());
    const clock = new HandClock();
    const first = await run(lake, clock, { runId: runId(1), nonce: 'a', appends: { [ORDERS]: 'o1' } });
    await registerRun(lake.store, clock, { runId: runId(2), owner: 'batch', parent: 1 });
    const scene = { lake, clock, first };
    await expect(publish(aRequest(scene, await anAppend(scene, CLICKS)))).rejects.toMatchObject({
      code: 'release.not_owner',
    });
    const empty = new Map([[CLICKS, change(CLICKS, undefined, creation(CLICKS), 0)]]);
    const outcome = await publish(aRequest(scene, empty));
    if (outcome.kind !== 'published') throw new Error('publishes');
    expect((await contentOfRelease(lake, outcome.release))[CLICKS]).toEqual([]);
  });

  it.each([
    ['is gone', (scene: Scene) => scene.lake.store.delete(`_runs/${runId(2)}.json`)],
    ['has ended', (scene: Scene) => endRun(scene.lake.store, scene.clock, runId(2), 'unpublished')],
    [
      'was not renewed for half an hour',
      (scene: Scene) => {
        scene.clock.advance(30 * 60_000);
        return Promise.resolve();
      },
    ],
  ])('does not publish once its record %s', async (_, expire) => {
    const scene = await aScene();
    const request = aRequest(scene, await anAppend(scene, ORDERS));
    await expire(scene);
    await expect(publish(request)).rejects.toMatchObject({ code: 'release.run_expired', kind: 'conflict' });
    expect((await new ReleaseReader(scene.lake.store).latest())?.number).toBe(2);
  });

  it('lists again when its last listing is an hour old, so a number that was dropped is not given again', async () => {
    const scene = await aScene();
    const request = aRequest(scene, await anAppend(scene, ORDERS));
    // Retention dropped 3 after somebody published 3 and 4.
    await scene.lake.store.put(
      releasePath(4),
      encodeRelease({ ...scene.first, number: 4, parent: 3, run_id: runId(4), nonce: 'w' }),
    );
    const fresh = await publish({ ...request, listedAtMs: scene.clock.nowMs() - 3_600_000 });
    expect(fresh).toMatchObject({ kind: 'published', release: { number: 5, parent: 4 } });
  });

  it('publishes although the hint cannot be written', async () => {
    const scene = await aScene();
    const store = losing(scene.lake.store, (path) => path === '_releases/_latest', 'before');
    const outcome = await publish({ ...aRequest(scene, await anAppend(scene, ORDERS)), store });
    expect(outcome).toMatchObject({ kind: 'published', release: { number: 3 } });
    expect((await new ReleaseReader(scene.lake.store).latest())?.number).toBe(3);
  });

  it('is followed by a roll-forward that a later run can do for it', async () => {
    const scene = await aScene();
    await publish(aRequest(scene, await anAppend(scene, ORDERS)));
    await endRun(scene.lake.store, scene.clock, runId(2), 'published');
    const next = await run(scene.lake, scene.clock, { runId: runId(6), nonce: 'z', appends: { [ORDERS]: 'o6' } });
    expect((await contentOfRelease(scene.lake, next))[ORDERS]).toEqual(['o1', 'o6', 'row']);
    expect(await rollForward(scene.lake, scene.clock, next)).toEqual([]);
  });

  it('says lost without overlap when others are always faster', async () => {
    const scene = await aScene();
    const request = aRequest(scene, await anAppend(scene, ORDERS));
    let n = 10;
    const overtaken = intercepted(scene.lake.store, async (path) => {
      if (!/^_releases\/\d+\.json$/.test(path)) return;
      n += 1;
      const registered = { runId: runId(n), nonce: 'w', appends: { [CLICKS]: `c${n}` }, owner: 'stream' as const };
      await registerRun(scene.lake.store, scene.clock, { ...registered, parent: null });
      await attemptRun(scene.lake, scene.clock, registered);
    });
    const outcome = await publish({ ...request, store: overtaken });
    expect(outcome).toMatchObject({ kind: 'lost', overlap: 'none' });
  });
});

/** Fails a chosen write: the response only, or the write too. */
function losing(
  store: ObjectStore,
  chosen: (path: string) => boolean,
  when: 'before' | 'after' = 'after',
): ObjectStore {
  const fail = async <T>(path: string, write: () => Promise<T>): Promise<T> => {
    if (!chosen(path)) return write();
    if (when === 'after') await write();
    throw new Error('lost');
  };
  return wrapped(store, {
    put: (path, body) => fail(path, () => store.put(path, body)),
    putIfAbsent: (path, body) => fail(path, () => store.putIfAbsent(path, body)),
  });
}
