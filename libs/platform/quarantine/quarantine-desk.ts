import { join } from 'node:path';
import type { Catalogue } from '#contracts';
import type { Engine } from '#engine';
import { LakeError } from '#errors';
import type { RunPlan, Workbench } from '#pipeline';
import { ReleaseReader, type Clock } from '#releases';
import type { Repairing } from '../lake/run-shop.js';
import type { OpenLake } from '../lake/open-lake.js';

export interface QuarantineDeskOptions {
  readonly open: Pick<OpenLake, 'lake' | 'workDir'> & { readonly openEngine: () => Promise<Engine> };
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  /** What a run with these repairs, as of that date, would do. */
  readonly plan: (asOf: string, repairing: Repairing, signal: AbortSignal) => Promise<RunPlan>;
}

/** The workbench of a long-lived process: on the newest release, one piece of work at a time on an engine of its own. */
export class QuarantineDesk {
  #last: Promise<unknown> = Promise.resolve();
  #bench: Workbench | undefined;

  constructor(private readonly options: QuarantineDeskOptions) {}

  /** Throws `release.not_found` while there is no release. */
  use<T>(work: (bench: Workbench) => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => work(await this.#current()));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** A dry run opens an engine too, so it waits its turn. */
  plan(asOf: string, repairing: Repairing, signal: AbortSignal): Promise<RunPlan> {
    const turn = this.#last.then(() => this.options.plan(asOf, repairing, signal));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#bench?.engine.close();
    this.#bench = undefined;
  }

  async #current(): Promise<Workbench> {
    const { open, catalogue, clock } = this.options;
    const { lake, workDir, openEngine } = open;
    const release = await new ReleaseReader(lake.store).latest();
    if (release === undefined) {
      throw new LakeError('release.not_found', 'notFound', 'There is no release yet, so nothing was rejected.');
    }
    if (this.#bench?.release.number === release.number) return this.#bench;
    const { bindRelease } = await import('#pipeline');
    await this.#bench?.engine.close();
    this.#bench = undefined;
    const engine = await openEngine();
    try {
      await bindRelease(engine, lake, release);
    } catch (error) {
      await engine.close();
      throw error;
    }
    this.#bench = { engine, lake, release, catalogue, clock, workDir: join(workDir, 'workbench') };
    return this.#bench;
  }
}
