import { setTimeout } from 'node:timers/promises';
import { LakeError } from '#errors';

const ASK_EVERY_MS = 1_000;

/** Aborts with this when somebody asked to cancel the run. */
function cancelled(runId: string): LakeError {
  return new LakeError('run.cancelled', 'conflict', `Run ${runId} was cancelled.`);
}

/** Asks now and then whether a run is to be cancelled, until `end`. */
export class CancelWatch {
  readonly #cancel = new AbortController();
  readonly #end = new AbortController();

  constructor(
    private readonly runId: string,
    private readonly isRequested: () => Promise<boolean>,
  ) {
    void this.#ask().catch(() => undefined);
  }

  get signal(): AbortSignal {
    return this.#cancel.signal;
  }

  end(): void {
    this.#end.abort();
  }

  async #ask(): Promise<void> {
    for (;;) {
      await setTimeout(ASK_EVERY_MS, undefined, { signal: this.#end.signal, ref: false });
      // Nobody can ask while the records are away.
      if (await this.isRequested().catch(() => false)) return this.#cancel.abort(cancelled(this.runId));
    }
  }
}
