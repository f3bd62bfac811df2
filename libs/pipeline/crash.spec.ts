import { readSnapshot } from '#delta';
import { planVacuum, storePathOf, vacuum } from '#releases';
import { MemoryStore, type Fault } from '#storage';
import { Workshop, type Content, type SmallLake } from './testing/small-lake.js';

/** Where a run starts, and what the releases hold once it was run to its end. */
interface Scene {
  readonly landing: string;
  readonly objects: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly modifiedMs: number }>;
  readonly expected: readonly Content[];
  /** Mutating calls of the run. */
  readonly calls: number;
}

const KINDS: readonly Fault['kind'][] = ['fail', 'lose', 'stop'];
/** Most of a run is waiting for the engine; this many at once keep two cores busy. */
const AT_ONCE = 4;
/** Minutes on a machine that others use too, not seconds. */
const TIMEOUT_MS = 600_000;

const workshop = new Workshop();
const scenes = new Map<string, Scene>();

beforeAll(async () => {
  const objects = new Map<string, { bytes: Uint8Array; modifiedMs: number }>();
  const expected: Content[] = [];
  // Each scene has a landing folder of its own, as the files of the later ones are not there yet in the earlier.
  const landings = [workshop.folder('landing'), workshop.folder('landing')];
  const at = Date.parse('2026-02-17T09:00:00Z');
  for (const [n, landing] of landings.entries()) {
    const store = new MemoryStore(objects);
    const lake = workshop.lake(landing, store);
    lake.land(
      'shop/orders_1.csv',
      [
        { order: 'a', amount: '10.00' },
        { order: 'a', amount: '12.00', updatedAt: '2026-01-12T00:00:00Z' },
        { order: 'b', customer: 'c2', placedOn: '2026-02-01', channel: '' },
        { order: 'wrong', amount: '-1' },
      ],
      at,
    );
    if (n === 1) {
      lake.land(
        'shop/orders_2.csv',
        [
          { order: 'b', customer: 'c2', tier: 'gold', placedOn: '2026-02-02', updatedAt: '2026-02-03T00:00:00Z' },
          { order: 'wrong', amount: '1', updatedAt: '2026-02-03T00:00:00Z' },
          { order: 'later', placedOn: '2027-01-01' },
        ],
        at,
      );
    }
    const before = new Map(objects);
    await lake.run();
    expected.push(await lake.content(await lake.latest()));
    scenes.set(n === 0 ? 'first run' : 'run on top of a release', {
      landing,
      objects: before,
      expected: [...expected],
      calls: store.calls,
    });
  }
});

afterAll(() => workshop.close());

function sceneOf(name: string): Scene {
  const scene = scenes.get(name);
  if (scene === undefined) throw new Error(`no scene ${name}`);
  return scene;
}

/** A run that meets the fault, and whatever comes after it. */
async function survive(scene: Scene, fault: Fault): Promise<void> {
  const { landing, objects, expected } = scene;
  const store = new MemoryStore(new Map(objects), fault);
  const broken = workshop.lake(landing, store);
  await broken.run().catch(() => undefined);

  const lake = broken.reopened(store.reopen());
  const survived = await lake.releases();
  expect(survived.length).toBeGreaterThanOrEqual(expected.length - 1);
  const records = await recordsOf(lake);

  await lake.run();
  const releases = await lake.releases();
  expect(releases.map(({ number }) => number)).toEqual(expected.map((_, n) => n + 1));
  expect(await contents(lake)).toEqual(expected);
  expect(new Set(releases.map(({ run_id }) => run_id)).size).toBe(releases.length);
  expect((await recordsOf(lake)).slice(0, records.length)).toEqual(records);
  await logsFollow(lake);

  lake.clock.advance(3_600_000);
  const orphans = await lake.orphansByName();
  const others = (await objectsOf(lake)).filter((path) => !orphans.includes(path));
  const removed = await vacuum(lake.lake, lake.clock, await planVacuum(lake.lake, lake.clock));
  expect(removed.map(({ path }) => path).sort()).toEqual([...orphans].sort());
  // No file that a release needs is among what went: those releases read as before.
  expect(await objectsOf(lake)).toEqual(others);
}

/** All but the records of runs, which vacuum deletes once they are stale. */
async function objectsOf(lake: SmallLake): Promise<readonly string[]> {
  return (await lake.paths()).filter((path) => !/^_runs\/[^/]+\.json$/.test(path));
}

async function contents(lake: SmallLake): Promise<readonly Content[]> {
  const contents: Content[] = [];
  for (const release of await lake.releases()) contents.push(await lake.content(release));
  return contents;
}

async function recordsOf(lake: SmallLake): Promise<readonly string[]> {
  const records: string[] = [];
  for (const path of await lake.paths('_releases/0')) {
    records.push(Buffer.from(await lake.store.get(path)).toString('utf8'));
  }
  return records;
}

/** Whoever reads the Delta tables themselves sees the newest release. */
async function logsFollow(lake: SmallLake): Promise<void> {
  const latest = await lake.latest();
  for (const table of Object.keys(latest.tables)) {
    const head = await readSnapshot(lake.store, table, lake.lake);
    const files = [...(head?.files.keys() ?? [])].map((path) => storePathOf(table, path)).sort();
    expect([table, files]).toEqual([table, await lake.files(latest, table)]);
  }
}

describe.each(['first run', 'run on top of a release'])('a %s', (name) => {
  it.each(KINDS)(
    'comes to the same releases when any one of its writes goes wrong by %s, and vacuum finds the orphans and nothing else',
    async (kind) => {
      const scene = sceneOf(name);
      expect(scene.calls).toBeGreaterThan(10);
      const calls = Array.from({ length: scene.calls }, (_, n) => n + 1);
      const next = async (): Promise<void> => {
        for (let atCall = calls.shift(); atCall !== undefined; atCall = calls.shift()) {
          try {
            await survive(scene, { atCall, kind });
          } catch (error) {
            calls.length = 0;
            throw new Error(`with ${kind} at write ${atCall} of ${scene.calls}`, { cause: error });
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, next));
    },
    TIMEOUT_MS,
  );
});
