import { LakeError } from '#errors';
import type { Engine, Parameter, Row } from '#engine';

/** What answers are read from. */
export type Reader = Pick<Engine, 'query' | 'stream'>;

export interface LaneLimits {
  /** Statements that run at once. */
  readonly atOnce: number;
  /** Statements that may wait for one of them to end; one more is refused. */
  readonly waiting: number;
  /** For a statement, waiting included; of a stream, for each batch. */
  readonly timeoutMs: number;
}

/** A stream that nobody reads on gives its place to others. */
const IDLE_STREAM_MS = 60_000;

/** Statements on one engine, so many at once. Throws `serving.busy`, `serving.timeout`, and `engine.cancelled` by the signal. */
export class Lane implements Reader {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(
    private readonly engine: Reader,
    private readonly limits: LaneLimits,
  ) {}

  async query(
    sql: string,
    parameters: readonly Parameter[] = [],
    { signal, ...options }: { maxRows?: number; signal?: AbortSignal } = {},
  ): Promise<readonly Row[]> {
    return this.#within(signal, async (stop) => {
      await this.#enter(stop);
      try {
        return await this.engine.query(sql, parameters, { ...options, signal: stop });
      } finally {
        this.#leave();
      }
    });
  }

  async *stream(
    sql: string,
    parameters: readonly Parameter[] = [],
    signal?: AbortSignal,
  ): AsyncIterable<readonly Row[]> {
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) stop.abort();
    const timed = <T>(work: () => Promise<T>) =>
      this.#within(undefined, (late) => {
        late.addEventListener('abort', onAbort);
        return work();
      });
    try {
      await timed(() => this.#enter(stop.signal));
      let isOpen = true;
      const rows = this.engine.stream(sql, parameters, stop.signal)[Symbol.asyncIterator]();
      const end = async () => {
        if (!isOpen) return;
        isOpen = false;
        await rows.return?.();
        this.#leave();
      };
      try {
        for (;;) {
          const next = await timed(() => rows.next());
          if (next.done === true) return;
          const idle = setTimeout(() => void end(), IDLE_STREAM_MS).unref();
          yield next.value;
          clearTimeout(idle);
          if (!isOpen) throw tooLate(IDLE_STREAM_MS);
        }
      } finally {
        await end();
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #within<T>(signal: AbortSignal | undefined, work: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.limits;
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      stop.abort();
    }, timeoutMs).unref();
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) stop.abort();
    try {
      return await work(stop.signal);
    } catch (error) {
      throw isLate ? tooLate(timeoutMs) : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #enter(stop: AbortSignal): Promise<void> {
    if (stop.aborted) throw cancelled();
    if (this.#running < this.limits.atOnce) {
      this.#running++;
      return;
    }
    if (this.#waiting.size >= this.limits.waiting) {
      throw new LakeError('serving.busy', 'unavailable', 'Too many questions are waiting. Ask again in a few seconds.');
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(go);
        reject(cancelled());
      };
      const go = () => {
        stop.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiting.add(go);
      stop.addEventListener('abort', onAbort);
    });
  }

  /** The place goes to whoever waits longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

function cancelled(): LakeError {
  return new LakeError('engine.cancelled', 'unavailable', 'The question was cancelled while it waited.');
}

function tooLate(timeoutMs: number): LakeError {
  return new LakeError(
    'serving.timeout',
    'unavailable',
    `The question took longer than ${timeoutMs / 1000} s. Filter more, select fewer columns, or ask for less at once.`,
  );
}
