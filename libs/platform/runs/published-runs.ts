import type { ObjectStore } from '#storage';
import { bornMs, ReleaseReader, type Release } from '#releases';

/** What a release tells about the run that published it. */
export interface PublishedRun {
  readonly run_id: string;
  readonly release: number;
  readonly published_at: string;
  readonly as_of: string;
}

/**
 * The runs that published, by their releases: also those of the command line. Releases never change, so each is read
 * once and remembered in a few words.
 */
export class PublishedRuns {
  private readonly reader: ReleaseReader;
  private readonly known = new Map<number, PublishedRun>();

  constructor(store: ObjectStore) {
    this.reader = new ReleaseReader(store);
  }

  /** Newest first by run id, at most `limit`; `before` is a run id. */
  async list({ limit, before }: { limit: number; before?: string }): Promise<readonly PublishedRun[]> {
    const found: PublishedRun[] = [];
    for await (const run of this.newestFirst()) {
      const settled = found.filter(({ run_id }) => bornMs(run_id) > Date.parse(run.published_at));
      if (settled.length >= limit) break;
      if (before === undefined || run.run_id < before) found.push(run);
    }
    return found.sort((a, b) => (a.run_id < b.run_id ? 1 : -1)).slice(0, limit);
  }

  async byRun(runId: string): Promise<PublishedRun | undefined> {
    const startedMs = bornMs(runId);
    for await (const run of this.newestFirst()) {
      if (run.run_id === runId) return run;
      if (Date.parse(run.published_at) < startedMs) break;
    }
    return undefined;
  }

  private async *newestFirst(): AsyncIterable<PublishedRun> {
    const numbers = await this.reader.numbers();
    this.forgetAllBut(numbers);
    for (const number of numbers) {
      const run = this.known.get(number) ?? summaryOf(await this.reader.get(number));
      // Dropped since it was listed.
      if (run === undefined) continue;
      this.known.set(number, run);
      yield run;
    }
  }

  private forgetAllBut(numbers: readonly number[]): void {
    const kept = new Set(numbers);
    for (const number of this.known.keys()) if (!kept.has(number)) this.known.delete(number);
  }
}

function summaryOf(release: Release | undefined): PublishedRun | undefined {
  if (release === undefined) return undefined;
  const { run_id, number, published_at, as_of } = release;
  return { run_id, release: number, published_at, as_of };
}
