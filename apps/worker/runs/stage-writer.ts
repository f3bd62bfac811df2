import { setTimeout } from 'node:timers/promises';
import type { ProgressEvent, Stage } from '#pipeline';
import type { StageView } from '#platform';
import type { Clock } from '#releases';

/** Steps come by the thousand; a reader looks once or twice a second. */
const WRITE_EVERY_MS = 500;

/** Writes where the stages of a run stand: at once when one begins or ends, else now and then. */
export class StageWriter {
  readonly #views = new Map<Stage, StageView>();
  readonly #unwritten = new Set<Stage>();
  #writing: Promise<void> | undefined;
  #hurry = new AbortController();
  #closing = false;

  /** `write` may fail; the standing is then written with the next one. */
  constructor(
    private readonly clock: Clock,
    private readonly write: (view: StageView) => Promise<void>,
  ) {}

  tell(event: ProgressEvent): void {
    if (event.kind === 'message') return;
    const { stage, done, total } = event;
    const now = new Date(this.clock.nowMs()).toISOString();
    const begins = event.kind === 'stage' && event.state === 'begun';
    const ends = event.kind === 'stage' && event.state === 'ended';
    if (begins && stage === 'load') this.#startOver();
    const started_at = begins ? now : (this.#views.get(stage)?.started_at ?? now);
    this.#set({ stage, state: ends ? 'done' : 'running', done, total, started_at, finished_at: ends ? now : null });
    if (event.kind === 'stage') this.#hurry.abort();
    this.#writing ??= this.#writeOn();
  }

  /** Writes what is left, as far as that can be; stages that have not ended failed, if the run did. */
  async close(outcome: 'ended' | 'failed'): Promise<void> {
    if (outcome === 'failed') {
      const finished_at = new Date(this.clock.nowMs()).toISOString();
      for (const view of this.#views.values())
        if (view.state === 'running') this.#set({ ...view, state: 'failed', finished_at });
    }
    this.#closing = true;
    this.#hurry.abort();
    await this.#writing;
    await this.#writeAll();
  }

  /** A lost race begins again. */
  #startOver(): void {
    for (const { stage } of this.#views.values())
      this.#set({ stage, state: 'waiting', done: 0, total: 0, started_at: null, finished_at: null });
  }

  #set(view: StageView): void {
    this.#views.set(view.stage, view);
    this.#unwritten.add(view.stage);
  }

  async #writeOn(): Promise<void> {
    while (this.#unwritten.size > 0 && !this.#closing) {
      this.#hurry = new AbortController();
      await this.#writeAll();
      await setTimeout(WRITE_EVERY_MS, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
    }
    this.#writing = undefined;
  }

  async #writeAll(): Promise<void> {
    for (const stage of [...this.#unwritten]) {
      const view = this.#views.get(stage);
      this.#unwritten.delete(stage);
      if (view === undefined) continue;
      try {
        await this.write(view);
      } catch {
        this.#unwritten.add(stage);
        return;
      }
    }
  }
}
