import type { Catalogue } from '#contracts';
import type { Engine } from '#engine';
import { LakeError } from '#errors';
import { dailyChanges, diffReleases, type DailyChanges, type DayPage, type TableDiff } from '#pipeline';
import type { Lake, Release } from '#releases';

/** What differs between two releases: rows by table, and daily figures by cause. */
export interface ReleaseDiff {
  readonly tables: readonly TableDiff[];
  readonly daily: DailyChanges | undefined;
}

/** Comparisons that may wait for the one at work; one more is refused. */
const WAITING = 8;
/** For one comparison, from when its turn comes. */
const TIMEOUT_MS = 30_000;

interface DiffParts {
  readonly catalogue: Catalogue;
  readonly lake: Lake;
  /** An engine of its own for each comparison, closed after it: questions keep theirs. */
  readonly openEngine: () => Promise<Engine>;
}

/** Compares releases, one comparison at a time. Throws `serving.busy` and `serving.timeout`. */
export class ReleaseDiffs {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: DiffParts) {}

  async between(before: Release, after: Release, page: DayPage): Promise<ReleaseDiff> {
    if (this.#waiting > WAITING) {
      throw new LakeError(
        'serving.busy',
        'unavailable',
        'Too many comparisons are waiting. Ask again in a few seconds.',
      );
    }
    this.#waiting++;
    const turn = this.#last.then(() => this.#compare(before, after, page)).finally(() => this.#waiting--);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #compare(before: Release, after: Release, page: DayPage): Promise<ReleaseDiff> {
    const { catalogue, lake, openEngine } = this.parts;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const engine = await openEngine();
    try {
      const parts = { engine, lake, catalogue, signal };
      const tables = await diffReleases(parts, before, after);
      return { tables, daily: await dailyChanges(parts, before, after, page) };
    } catch (error) {
      if (!signal.aborted) throw error;
      const message = `Comparing the releases took longer than ${TIMEOUT_MS / 1000} s. Compare releases that lie closer together, or use shopsmart diff.`;
      throw new LakeError('serving.timeout', 'unavailable', message, { cause: error });
    } finally {
      await engine.close();
    }
  }
}
