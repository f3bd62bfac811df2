import fc from 'fast-check';
import { readSnapshot } from '#delta';
import { MemoryStore, type Fault } from '#storage';
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
  wrapped,
} from './lake-fixture.js';
import { HOUR_MS, type Lake } from './lake.js';
import type { Release } from './release.js';
import { ReleaseReader } from './release-reader.js';
import { judgeReleases, retentionOf, type Retention } from './retention.js';
import { planVacuum, vacuum } from './vacuum.js';

const FEW: Retention = { newest: 3, youngMs: 24 * HOUR_MS };

type Content = Readonly<Record<string, readonly string[]>>;

/** A lake, and what each of its releases held when it was published. */
class History {
  readonly store: MemoryStore;
  readonly clock: HandClock;
  readonly lake: Lake;
  readonly remembered: Map<number, { readonly release: Release; readonly content: Content }>;
  private readonly objects: ConstructorParameters<typeof MemoryStore>[0];
  #runs = 0;

  constructor(of?: History) {
    this.objects = new Map(of?.objects);
    this.store = new MemoryStore(this.objects);
    this.clock = new HandClock(of?.clock.nowMs());
    this.lake = aLake(this.store);
    this.remembered = new Map(of?.remembered);
  }

  async publish(table: string): Promise<void> {
    const n = ++this.#runs;
    const owner = table === CLICKS ? 'stream' : 'batch';
    const appends = { [table]: `row ${n}` };
    const release = await run(this.lake, this.clock, { runId: runId(n), nonce: `n${n}`, appends, owner });
    this.remembered.set(release.number, { release, content: await contentOfRelease(this.lake, release) });
  }

  async vacuum(lake = this.lake): Promise<void> {
    await vacuum(lake, this.clock, await planVacuum(lake, this.clock, FEW));
  }

  /** What the rules say, told in another way than the code tells it. */
  expectedNumbers(): readonly number[] {
    const all = [...this.remembered.values()].map(({ release }) => release);
    const dayOf = ({ published_at }: Release) => published_at.slice(0, 10);
    return all
      .filter(
        (release, at) =>
          at >= all.length - FEW.newest ||
          this.clock.nowMs() - Date.parse(release.published_at) < FEW.youngMs ||
          !all.slice(at + 1).some((later) => dayOf(later) === dayOf(release)),
      )
      .map(({ number }) => number);
  }

  /** Every release is as it was, or gone. */
  async expectKeptOrGone(): Promise<readonly number[]> {
    const reader = new ReleaseReader(this.store);
    const kept = [];
    for (const [number, { content }] of this.remembered) {
      const release = await reader.existing(number).catch((error: unknown) => error);
      if (release instanceof Error) expect(release).toMatchObject({ code: 'release-gone' });
      else {
        expect([number, await contentOfRelease(this.lake, release as Release)]).toEqual([number, content]);
        kept.push(number);
      }
    }
    return kept;
  }

  /** Data files that no kept release has. */
  async leaks(): Promise<readonly string[]> {
    const kept = new Set<string>();
    for (const release of await new ReleaseReader(this.store).after(0)) {
      for (const rows of Object.values(await contentOfRelease(this.lake, release)))
        rows.forEach((row) => kept.add(row));
    }
    const leaks: string[] = [];
    for await (const { path } of this.store.list('')) {
      if (!path.endsWith('.parquet') || path.includes('_delta_log') || path.startsWith('_releases/')) continue;
      if (!kept.has(Buffer.from(await this.store.get(path)).toString())) leaks.push(path);
    }
    return leaks;
  }

  async pathsOf(prefix: string): Promise<readonly string[]> {
    const paths: string[] = [];
    for await (const { path } of this.store.list(prefix)) paths.push(path);
    return paths;
  }
}

/** Five releases a day: logs with checkpoints, most of whose versions nobody needs. */
async function aHistory(releases: number): Promise<History> {
  const history = new History();
  for (let n = 0; n < releases; n++) {
    await history.publish(n % 5 === 3 ? CLICKS : ORDERS);
    history.clock.advance((24 / 5) * HOUR_MS);
  }
  return history;
}

describe('retention', () => {
  it('never drops the newest hundred, nor what is younger than a day, however little is asked for', () => {
    expect(retentionOf(1)).toEqual({ newest: 100, youngMs: 24 * HOUR_MS });
    expect(retentionOf(5000).newest).toBe(5000);
    const dayAgo = { published_at: '2026-02-16T10:00:00.000Z' } as Release;
    const fateOf = judgeReleases(retentionOf(1), Date.parse('2026-02-17T09:59:59Z'));
    expect(Array.from({ length: 103 }, () => fateOf(dayAgo)).every((fate) => fate === 'current')).toBe(true);
    const laterFateOf = judgeReleases(retentionOf(1), Date.parse('2026-02-17T10:00:00Z'));
    const fates = Array.from({ length: 103 }, () => laterFateOf(dayAgo));
    expect([fates.indexOf('dropped'), fates.lastIndexOf('dropped')]).toEqual([100, 102]);
  });

  it('keeps what the rules say readable as it was, says gone of the rest, and leaves no file that nobody needs', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(ORDERS, CLICKS).map((table) => ({ kind: 'publish' as const, table })) },
      { weight: 3, arbitrary: fc.constantFrom(0.2, 3, 20, 60).map((hours) => ({ kind: 'wait' as const, hours })) },
      { weight: 2, arbitrary: fc.constant({ kind: 'vacuum' as const }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
        const history = new History();
        for (const next of steps) {
          if (next.kind === 'publish') await history.publish(next.table);
          else if (next.kind === 'wait') history.clock.advance(next.hours * HOUR_MS);
          else {
            await history.vacuum();
            expect(await history.expectKeptOrGone()).toEqual(history.expectedNumbers());
          }
        }
        history.clock.advance(FEW.youngMs);
        await history.vacuum();
        history.clock.advance(HOUR_MS);
        await history.vacuum();
        expect(await history.expectKeptOrGone()).toEqual(history.expectedNumbers());
        expect(await history.pathsOf('_releases/dropped/')).toEqual([]);
        expect(await history.leaks()).toEqual([]);
      }),
      { numRuns: 6 },
    );
  }, 60_000);

  it('keeps what a dropped release stands on for another hour', async () => {
    const history = await aHistory(30);
    await history.vacuum();
    const dropped = [...history.remembered.values()].filter(
      ({ release }) => !history.expectedNumbers().includes(release.number),
    );
    expect(dropped.length).toBeGreaterThan(10);
    history.clock.advance(HOUR_MS - 1);
    await history.vacuum();
    for (const { release, content } of dropped) {
      expect(await contentOfRelease(history.lake, release)).toEqual(content);
    }
    history.clock.advance(1);
    await history.vacuum();
    expect(await history.leaks()).toEqual([]);
  });

  it('cleans logs once the releases that stay behind are sealed, and keeps the commit of the checkpoint they begin with', async () => {
    const history = await aHistory(30);
    await history.vacuum();
    history.clock.advance(HOUR_MS);
    await history.vacuum();
    const log = await history.pathsOf(`${SALES}/_delta_log/0`);
    expect(log.length).toBeLessThan(24);
    expect(log[1]).toBe(log[0]?.replace('.checkpoint.parquet', '.json'));
    expect(await history.pathsOf('_releases/sealed/')).not.toEqual([]);
    expect(await history.expectKeptOrGone()).toEqual(history.expectedNumbers());
    await history.publish(ORDERS);
    expect(await history.expectKeptOrGone()).toEqual(history.expectedNumbers());
    const again = await planVacuum(history.lake, history.clock, FEW);
    expect({ ...again, drops: [] }).toMatchObject({ seals: [], cleanings: [], orphans: [], forgotten: [] });
  });

  it('removes proofs and staged actions with the release that they are of', async () => {
    const history = await aHistory(30);
    const proofs = [...history.remembered.keys()].map((n) => `_releases/proofs/${String(n).padStart(20, '0')}.json`);
    for (const path of proofs) await history.store.put(path, Buffer.from('{}'));
    await history.vacuum();
    expect(await history.pathsOf('_releases/proofs/')).toEqual(proofs);
    history.clock.advance(HOUR_MS);
    await history.vacuum();
    const kept = history.expectedNumbers();
    expect(await history.pathsOf('_releases/proofs/')).toEqual(
      proofs.filter((path) => kept.includes(Number(/(\d+)\.json/.exec(path)?.[1]))),
    );
    const stagedRuns = new Set((await history.pathsOf('_releases/staged/')).map((path) => path.split('/')[2]));
    const named = new Set(
      (await new ReleaseReader(history.store).after(0)).flatMap(({ tables }) =>
        Object.values(tables).map(({ staged }) => staged?.path.split('/')[2]),
      ),
    );
    expect(stagedRuns).toEqual(named);
  });

  it('plans all of it and changes nothing on a dry run', async () => {
    const history = await aHistory(30);
    const before = await history.pathsOf('');
    const plan = await planVacuum(history.lake, history.clock, FEW);
    expect(plan.drops.length).toBeGreaterThan(10);
    expect(await history.pathsOf('')).toEqual(before);
    expect((await planVacuum(history.lake, history.clock)).drops).toEqual([]);
  });
});

/** The writes of a vacuum, from 1, that are the first or the last of their kind in a row; those between are like them. */
async function turnsOf(history: History): Promise<readonly number[]> {
  const kinds: string[] = [];
  const kindOf = (path: string) => path.replaceAll(/[^/]*\d[^/]*/g, '#');
  const { store } = history;
  const watched = wrapped(store, {
    put: (path, body) => (kinds.push(`put ${kindOf(path)}`), store.put(path, body)),
    delete: (path) => (kinds.push(`delete ${kindOf(path)}`), store.delete(path)),
  });
  await history.vacuum({ ...history.lake, store: watched });
  return kinds.flatMap((kind, at) => (kind === kinds[at - 1] && kind === kinds[at + 1] ? [] : [at + 1]));
}

describe('a vacuum that goes wrong', () => {
  /** Releases were dropped an hour ago, and more are due: it has to drop, seal, clean, remove and forget. */
  let due: History;

  beforeAll(async () => {
    due = await aHistory(20);
    await due.vacuum();
    due.clock.advance(30 * HOUR_MS);
    for (let n = 20; n < 23; n++) await due.publish(ORDERS);
  });

  it.each<Fault['kind']>(['lose', 'stop'])(
    'at any write, by %s, loses nothing, and the next one ends it',
    async (kind) => {
      const whole = new History(due);
      const plan = await planVacuum(whole.lake, whole.clock, FEW);
      const { drops, seals, cleanings, orphans, forgotten } = plan;
      expect([drops, seals, cleanings, orphans, forgotten].map(({ length }) => length > 0)).toEqual(
        Array(5).fill(true),
      );
      for (const atCall of await turnsOf(whole)) {
        const history = new History(due);
        await history.vacuum({ ...history.lake, store: history.store.reopen({ atCall, kind }) }).catch(() => undefined);
        await history.expectKeptOrGone();
        await history.vacuum();
        history.clock.advance(HOUR_MS);
        await history.vacuum();
        expect(await history.expectKeptOrGone()).toEqual(history.expectedNumbers());
        expect(await history.leaks()).toEqual([]);
        for (const table of [ORDERS, SALES, CLICKS]) {
          const head = await readSnapshot(history.store, table, history.lake);
          const newest = [...history.remembered.values()].at(-1)?.content[table];
          expect(await rowsIn(history.lake, table, head?.files.values() ?? [])).toEqual(newest);
        }
      }
    },
  );
});
