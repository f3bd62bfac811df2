import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitAt } from '#delta';
import { LocalStore, MemoryStore } from '#storage';
import {
  aLake,
  attemptRun,
  CLICKS,
  contentOfRelease,
  dataFile,
  HandClock,
  ORDERS,
  run,
  runId,
} from './lake-fixture.js';
import type { Lake } from './lake.js';
import { ReleaseReader } from './release-reader.js';
import { endRun, registerRun, renewRun } from './run-record.js';
import { planVacuum, vacuum } from './vacuum.js';

const HOUR_MS = 3_600_000;

interface Scene {
  readonly lake: Lake;
  readonly clock: HandClock;
}

/** One release; run 2 has written a file and staged nothing. */
async function aScene(): Promise<Scene> {
  const lake = aLake(new MemoryStore());
  const clock = new HandClock();
  await run(lake, clock, { runId: runId(1), nonce: 'a', appends: { [ORDERS]: 'o1' } });
  await registerRun(lake.store, clock, { runId: runId(2), owner: 'batch', parent: 1 });
  await dataFile(lake, ORDERS, `${runId(2)}-x`, 'o2');
  return { lake, clock };
}

async function pathsOf({ lake, clock }: Scene): Promise<readonly string[]> {
  return (await planVacuum(lake, clock)).orphans.map(({ path }) => path);
}

async function everything({ lake }: Scene): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const { path } of lake.store.list('')) paths.push(path);
  return paths;
}

describe('vacuum', () => {
  it('leaves the files of a run that is working', async () => {
    const scene = await aScene();
    expect(await pathsOf(scene)).toEqual([]);
    scene.clock.advance(HOUR_MS - 1);
    await renewRun(scene.lake.store, scene.clock, runId(2));
    scene.clock.advance(HOUR_MS - 1);
    expect(await pathsOf(scene)).toEqual([]);
  });

  it('takes the files of a run that ended without publishing', async () => {
    const scene = await aScene();
    await endRun(scene.lake.store, scene.clock, runId(2), 'unpublished');
    expect(await pathsOf(scene)).toEqual([`${ORDERS}/${runId(2)}-x.parquet`]);
  });

  it('takes the files of a run that has not renewed for an hour, its record first', async () => {
    const scene = await aScene();
    scene.clock.advance(HOUR_MS);
    const plan = await planVacuum(scene.lake, scene.clock);
    expect(plan.staleRuns).toEqual([runId(2)]);
    const deleted: string[] = [];
    const watched = {
      ...scene.lake,
      store: Object.assign(Object.create(scene.lake.store) as MemoryStore, {
        delete: (path: string) => {
          deleted.push(path);
          return scene.lake.store.delete(path);
        },
      }),
    };
    await vacuum(watched, scene.clock, plan);
    expect(deleted).toEqual([`_runs/${runId(2)}.json`, `${ORDERS}/${runId(2)}-x.parquet`]);
    await expect(renewRun(scene.lake.store, scene.clock, runId(2))).rejects.toMatchObject({
      code: 'release.run_expired',
    });
  });

  it('changes nothing while it only plans', async () => {
    const scene = await aScene();
    scene.clock.advance(HOUR_MS);
    const before = await everything(scene);
    await planVacuum(scene.lake, scene.clock);
    expect(await everything(scene)).toEqual(before);
  });

  it('spares a run that registered again between plan and execution', async () => {
    const scene = await aScene();
    scene.clock.advance(HOUR_MS);
    const plan = await planVacuum(scene.lake, scene.clock);
    await registerRun(scene.lake.store, scene.clock, { runId: runId(2), owner: 'batch', parent: 1 });
    expect(await vacuum(scene.lake, scene.clock, plan)).toEqual([]);
  });

  it('spares what was published between plan and execution', async () => {
    const scene = await aScene();
    const { lake, clock } = scene;
    clock.advance(HOUR_MS);
    // A listing that does not show the release: the plan saw only the first.
    const plan = await planVacuum(lake, clock);
    const options = { runId: runId(5), nonce: 'p', appends: { [ORDERS]: 'o5' } };
    await run(lake, clock, options);
    const published = `${ORDERS}/${runId(5)}-p.0.parquet`;
    const stalePlan = {
      ...plan,
      orphans: [...plan.orphans, { path: published, sizeBytes: 2, runId: runId(5), kind: 'data' as const }],
    };
    expect((await vacuum(lake, clock, stalePlan)).map(({ path }) => path)).not.toContain(published);
  });

  it('takes staged actions that no release names', async () => {
    const scene = await aScene();
    const { lake, clock } = scene;
    const staged = `_releases/staged/${runId(2)}/${ORDERS}.0123456789abcdef.json`;
    await lake.store.put(staged, Buffer.from('{}'));
    await endRun(lake.store, clock, runId(2), 'unpublished');
    expect(await pathsOf(scene)).toContain(staged);
  });

  it('never touches a file that a kept release has, a foreign file, a report or a log', async () => {
    const scene = await aScene();
    const { lake, clock } = scene;
    await dataFile(lake, ORDERS, 'part-00000-theirs', 'x');
    await dataFile(lake, 'elsewhere', 'notes_of_ours', 'x');
    await lake.store.put(`_runs/${runId(2)}/report.json`, Buffer.from('{}'));
    await lake.store.put(`_runs/${runId(2)}/rejects/${runId(2)}-0.parquet`, Buffer.from('{}'));
    await run(lake, clock, {
      runId: runId(3),
      nonce: 'b',
      appends: { [ORDERS]: 'o3', [CLICKS]: 'c3' },
      owner: 'batch',
    }).catch(() => undefined);
    await run(lake, clock, { runId: runId(4), nonce: 'c', appends: { [ORDERS]: 'o4' } });
    clock.advance(HOUR_MS);
    const orphans = await vacuum(lake, clock, await planVacuum(lake, clock));
    expect(orphans.map(({ runId: id }) => id).filter((id) => id !== runId(2) && id !== runId(3))).toEqual([]);
    for (const release of await new ReleaseReader(lake.store).after(0)) await contentOfRelease(lake, release);
    const left = await everything(scene);
    expect(left).toContain(`${ORDERS}/part-00000-theirs.parquet`);
    expect(left).toContain('elsewhere/notes_of_ours.parquet');
    expect(left).toContain(`_runs/${runId(2)}/report.json`);
    expect(left).toContain(`_runs/${runId(2)}/rejects/${runId(2)}-0.parquet`);
  });

  it('leaves a file that a foreign commit has brought into the current version of a log', async () => {
    const scene = await aScene();
    const { lake, clock } = scene;
    const add = await dataFile(lake, ORDERS, `${runId(2)}-y`, 'o3');
    await commitAt(lake.store, ORDERS, 1, [{ add: { ...add, dataChange: false } }], 'theirs');
    clock.advance(HOUR_MS);
    expect(await pathsOf(scene)).toEqual([`${ORDERS}/${runId(2)}-x.parquet`]);
  });

  it('finds nothing after it has run', async () => {
    const scene = await aScene();
    const { lake, clock } = scene;
    await attemptRun(lake, clock, { runId: runId(7), nonce: 'q', appends: { [ORDERS]: 'o7' } }).catch(() => undefined);
    clock.advance(HOUR_MS);
    expect((await vacuum(lake, clock, await planVacuum(lake, clock))).length).toBeGreaterThan(1);
    expect(await pathsOf(scene)).toEqual([]);
  });

  it('sweeps what a crashed writer left half-written in a local lake', async () => {
    const root = await mkdtemp(join(tmpdir(), 'lake-'));
    const lake = aLake(new LocalStore(root));
    const clock = new HandClock();
    const [old, fresh] = [`.tmp-${randomUUID()}`, `.tmp-${randomUUID()}`];
    for (const [name, ageMs] of [
      [old, HOUR_MS + 1000],
      [fresh, 1000],
    ] as const) {
      await writeFile(join(root, name), 'half');
      const at = new Date(clock.nowMs() - ageMs);
      await utimes(join(root, name), at, at);
    }
    await vacuum(lake, clock, await planVacuum(lake, clock));
    expect(await readdir(root)).toEqual([fresh]);
    await rm(root, { recursive: true });
  });
});
