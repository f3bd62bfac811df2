import { existsSync, rmSync } from 'node:fs';
import type { Row } from '#engine';
import { LakeError } from '#errors';
import { MemoryStore, type Fault } from '#storage';
import type { RunReport } from './report.js';
import type { RunOptions } from './run.js';
import { relationOf } from './sql-name.js';
import { MemoryJournal, type Death } from './testing/memory-journal.js';
import { Workshop, type Content, type SmallLake } from './testing/small-lake.js';

const FIRST = [
  { order: 'a', placedOn: '2026-01-10' },
  { order: 'b', placedOn: '2026-02-10' },
];
const SECOND = [
  { order: 'a', placedOn: '2026-01-10', tier: 'gold', updatedAt: '2026-02-03T00:00:00Z' },
  { order: 'c', placedOn: '2026-02-11' },
  { order: 'wrong', amount: '-1' },
];
const SECOND_PATH = 'shop/orders_2.csv';

const LONG = process.env['SHOPSMART_LONG'] === '1';
/** Most of a run is waiting for the engine; this many at once keep two cores busy. */
const AT_ONCE = 4;

const workshop = new Workshop();
afterAll(() => workshop.close());

/** A lake with one release, and a file that nobody has loaded. */
async function aLake(): Promise<SmallLake> {
  const lake = workshop.lake();
  lake.land('shop/orders_1.csv', FIRST);
  await lake.run();
  lake.land(SECOND_PATH, SECOND);
  return lake;
}

/** The same lake and landing folder, in a store of its own that may go wrong. */
function copyOf(lake: SmallLake, objects: Objects, fault?: Fault): SmallLake {
  return workshop.lake(lake.landing, new MemoryStore(new Map(objects), fault));
}

type Objects = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly modifiedMs: number }>;

async function objectsOf(lake: SmallLake): Promise<Objects> {
  const objects = new Map<string, { bytes: Uint8Array; modifiedMs: number }>();
  for (const path of await lake.paths()) objects.set(path, { bytes: await lake.store.get(path), modifiedMs: 0 });
  return objects;
}

function aJournal(): MemoryJournal {
  return new MemoryJournal(workshop.folder('files'));
}

function died(error: unknown): void {
  if (!(error instanceof LakeError && error.kind === 'unavailable')) throw error;
}

/** Every row of the newest release with its stamps, and where it came from. */
async function rowsOf(lake: SmallLake): Promise<Readonly<Record<string, readonly Row[]>>> {
  const release = await lake.latest();
  const rows: Record<string, readonly Row[]> = {};
  for (const table of Object.keys(release.tables))
    rows[table] = await lake.rows(release, `SELECT * FROM ${relationOf(table)} ORDER BY ALL`);
  return rows;
}

/** What of a report follows from the input. */
function gist(report: RunReport): unknown {
  const { run_id, release, parent, mode, files, tables, checks } = report;
  return { run_id, release, parent, mode, files, checks, tables: tables.map((table) => ({ ...table, seconds: 0 })) };
}

describe('a run that died and is called again', () => {
  const runId = '20260217t100300-0000feed';
  let lake: SmallLake;
  let objects: Objects;
  let undisturbed: {
    readonly rows: Awaited<ReturnType<typeof rowsOf>>;
    readonly content: Content;
    readonly gist: unknown;
  };
  let steps: number;
  let writes: number;

  beforeAll(async () => {
    lake = await aLake();
    objects = await objectsOf(lake);
    const store = new MemoryStore(new Map(objects));
    const copy = workshop.lake(lake.landing, store);
    const noted = aJournal();
    const clear = noted.clear.bind(noted);
    noted.clear = () => {
      steps = Math.max(steps ?? 0, noted.steps.length);
      return clear();
    };
    const { report } = await copy.run({ runId, journal: noted });
    writes = store.calls;
    undisturbed = { rows: await rowsOf(copy), content: await copy.content(await copy.latest()), gist: gist(report) };
  });

  async function survive(death: Death | undefined, fault?: Fault): Promise<void> {
    const broken = copyOf(lake, objects, fault);
    const journal = aJournal();
    if (death !== undefined) journal.dies(death);
    await broken.run({ runId, journal }).then(undefined, died);
    const keptSteps = journal.steps.length;

    const next = broken.reopened((broken.store as MemoryStore).reopen());
    next.clock.advance(120_000);
    const result = await next.run({ runId, journal: journal.taken() });
    expect(result.outcome).toBe('published');
    expect(gist(result.report)).toEqual(undisturbed.gist);
    expect((await next.releases()).map(({ run_id }) => run_id).filter((id) => id === runId)).toEqual([runId]);
    // Rows name the moment when the run began with its inputs; it may not have come so far.
    if (keptSteps > 0) expect(await rowsOf(next)).toEqual(undisturbed.rows);
    else expect(await next.content(await next.latest())).toEqual(undisturbed.content);
    expect(existsSync(journal.filesDir)).toBe(false);
    expect(await next.paths(`_runs/${runId}.json`)).toEqual([]);
  }

  it('between any two steps gives the rows of an undisturbed run, whether its last entry was kept or not', async () => {
    expect(steps).toBe(5);
    for (let atEntry = 1; atEntry <= steps; atEntry++) {
      for (const kept of LONG ? [true, false] : [atEntry % 2 === 1]) await survive({ atEntry, kept });
    }
  });

  it.each(['stop', 'lose'] as const)('at any write to the lake (%s) publishes once and the same', async (kind) => {
    expect(writes).toBeGreaterThan(10);
    const calls = Array.from({ length: writes }, (_, n) => n + 1).filter((n) => kind === 'stop' || LONG || n % 3 === 0);
    const next = async (): Promise<void> => {
      for (let atCall = calls.shift(); atCall !== undefined; atCall = calls.shift()) {
        try {
          await survive(undefined, { atCall, kind });
        } catch (cause) {
          calls.length = 0;
          throw new Error(`with ${kind} at write ${atCall} of ${writes}`, { cause });
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  });

  it('computes nothing that an attempt had finished', async () => {
    const copy = copyOf(lake, objects);
    const journal = aJournal().dies({ atEntry: steps, kept: true });
    const dirs: string[] = [];
    const openEngine: RunOptions['openEngine'] = async () => {
      const engine = await workshop.pool.open();
      return {
        ...engine,
        materialise: (sql, target, signal) => {
          dirs.push(target.dir.slice(journal.filesDir.length));
          return engine.materialise(sql, target, signal);
        },
      };
    };
    await copy.run({ runId, journal, openEngine }).then(undefined, died);
    expect(dirs).toEqual(expect.arrayContaining(['/bronze/orders', '/silver/orders', '/gold/daily_sales']));
    dirs.length = 0;
    expect((await copy.run({ runId, journal: journal.taken(), openEngine })).outcome).toBe('published');
    expect(dirs).toEqual(['/bronze/loads']);
  });

  it('starts anew when other files have landed', async () => {
    const copy = copyOf(lake, objects);
    const journal = aJournal().dies({ atEntry: steps, kept: true });
    await copy.run({ runId, journal }).then(undefined, died);
    copy.land(SECOND_PATH, [...SECOND, { order: 'd', placedOn: '2026-02-12' }]);
    try {
      await copy.run({ runId, journal: journal.taken() });
      expect(await copy.rows(await copy.latest(), `SELECT order_id FROM silver.orders ORDER BY 1`)).toEqual(
        ['a', 'b', 'c', 'd'].map((order_id) => ({ order_id })),
      );
    } finally {
      copy.land(SECOND_PATH, SECOND);
    }
  });

  it('takes up no files once vacuum may have removed them', async () => {
    const copy = copyOf(lake, objects);
    const journal = aJournal().dies({ atEntry: steps, kept: true });
    await copy.run({ runId, journal }).then(undefined, died);
    copy.clock.advance(3_600_000);
    const tables: string[] = [];
    await copy.run({
      runId,
      journal: journal.taken(),
      onProgress: (event) => void ('table' in event && tables.push(event.table)),
    });
    expect(tables).toContain('silver/orders');
    const stamps = `SELECT order_id, _processed_at FROM silver.orders WHERE order_id = 'c'`;
    expect(await copy.rows(await copy.latest(), stamps)).toEqual([
      { order_id: 'c', _processed_at: '2026-02-17T11:02:00Z' },
    ]);
  });

  it('after it had published and ended gives the report of then, whatever has landed since', async () => {
    const copy = copyOf(lake, objects);
    const first = await copy.run({ runId, journal: aJournal() });
    const later = copy.land('shop/orders_3.csv', [{ order: 'e', placedOn: '2026-02-12' }]);
    try {
      expect(await copy.run({ runId, journal: aJournal() })).toEqual(first);
      await copy.run();
      expect(await copy.run({ runId, journal: aJournal() })).toEqual(first);
    } finally {
      rmSync(later);
    }
    expect(await copy.releases()).toHaveLength(3);
  });

  it('while its first attempt is still at work publishes once', async () => {
    const copy = copyOf(lake, objects);
    const attempts = [copy.run({ runId, journal: aJournal() }), copy.run({ runId, journal: aJournal() })];
    expect((await Promise.allSettled(attempts)).map(({ status }) => status)).toContain('fulfilled');
    expect((await copy.releases()).filter(({ run_id }) => run_id === runId)).toHaveLength(1);
  });
});

it('keeps its files when whoever stops it wants another process to go on, and only then', async () => {
  const lake = await aLake();
  for (const [reason, kept] of [
    [new LakeError('test.stopping', 'unavailable', 'the process ends'), true],
    [new Error('cancelled'), false],
  ] as const) {
    const journal = aJournal();
    const abort = new AbortController();
    const running = lake.run({
      journal,
      signal: abort.signal,
      onProgress: (event) => void ('table' in event && event.table === 'silver/orders' && abort.abort(reason)),
    });
    await expect(running).rejects.toBeDefined();
    expect(existsSync(journal.filesDir)).toBe(kept);
  }
});
