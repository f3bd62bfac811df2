import { setTimeout } from 'node:timers/promises';
import type { RunDesk } from '#platform';
import type { Answers } from '#serving';

/** Whoever asks whether we are ready does not wait for what may never answer. */
const PATIENCE_MS = 2_000;

export interface ReadinessView {
  /** `degraded`: questions are answered, but runs can be neither asked for nor listed. */
  readonly status: 'ok' | 'degraded' | 'unavailable';
  readonly release: { readonly id: number; readonly as_of: string; readonly published_at: string } | null;
  readonly store: boolean;
  readonly records: boolean;
  readonly queue: boolean;
}

/** Ready: a release is served and its store can be read. */
export class Readiness {
  constructor(
    private readonly answers: Answers,
    private readonly runs: RunDesk,
  ) {}

  async look(): Promise<ReadinessView> {
    const { records, queue } = await within(this.runs.health(), { records: false, queue: false });
    const { current, lastLook } = this.answers;
    const store = lastLook.error === undefined;
    const release =
      current === undefined ? null : { id: current.number, as_of: current.as_of, published_at: current.published_at };
    const isServing = store && release !== null;
    const status = !isServing ? 'unavailable' : records && queue ? 'ok' : 'degraded';
    return { status, release, store, records, queue };
  }
}

async function within<T>(work: Promise<T>, otherwise: T): Promise<T> {
  const stop = new AbortController();
  const late = setTimeout(PATIENCE_MS, otherwise, { signal: stop.signal, ref: false }).catch(() => otherwise);
  try {
    return await Promise.race([work.catch(() => otherwise), late]);
  } finally {
    stop.abort();
  }
}
