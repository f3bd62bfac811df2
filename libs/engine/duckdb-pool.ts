import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { cancelled, toLakeError } from './query-error.js';

/** How often a cancelled query is interrupted again: one that had not yet started does not hear the first call. */
const INTERRUPT_EVERY_MS = 25;
const CLOSE_WAIT_MS = 2_000;

/**
 * One in-memory instance and its connections, all opened at the start: session settings cannot be given to a connection
 * that is opened after the configuration was locked.
 */
export class DuckDbPool {
  readonly #idle: DuckDBConnection[];
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = [];
  readonly #running = new Set<AbortController>();

  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connections: readonly DuckDBConnection[],
  ) {
    this.#idle = [...connections];
  }

  static async open(settings: Record<string, string>, session: readonly string[], size: number): Promise<DuckDbPool> {
    const instance = await DuckDBInstance.create(':memory:', settings);
    const connections: DuckDBConnection[] = [];
    for (let at = 0; at < size; at++) {
      const connection = await instance.connect();
      for (const statement of session) await connection.run(statement);
      connections.push(connection);
    }
    return new DuckDbPool(instance, connections);
  }

  /** Runs `work` on a connection of its own; `doing` names it in errors. The signal interrupts it. */
  async use<T>(
    doing: string,
    signal: AbortSignal | undefined,
    work: (connection: DuckDBConnection) => Promise<T>,
  ): Promise<T> {
    const lease = await this.lease(doing, signal);
    try {
      return await work(lease.connection);
    } catch (error) {
      throw lease.toError(error);
    } finally {
      lease.release();
    }
  }

  /** A connection to hold over several calls. `release` must be called. */
  async lease(doing: string, signal: AbortSignal | undefined): Promise<ConnectionLease> {
    if (signal?.aborted) throw cancelled(doing);
    const connection = await this.#take();
    const cancel = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const onOuterAbort = () => cancel.abort();
    cancel.signal.addEventListener('abort', () => {
      connection.interrupt();
      timer = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS).unref();
    });
    this.#running.add(cancel);
    signal?.addEventListener('abort', onOuterAbort);
    if (signal?.aborted) cancel.abort();
    return {
      connection,
      isCancelled: () => cancel.signal.aborted,
      toError: (error) => (cancel.signal.aborted ? cancelled(doing) : toLakeError(error, doing)),
      release: () => {
        clearInterval(timer);
        signal?.removeEventListener('abort', onOuterAbort);
        this.#running.delete(cancel);
        this.#giveBack(connection);
      },
    };
  }

  cancelAll(): void {
    for (const cancel of this.#running) cancel.abort();
  }

  /** Cancels what runs and waits for it to end; a stream that nobody reads on is not waited for long. */
  async close(): Promise<void> {
    this.cancelAll();
    for (let waitedMs = 0; this.#idle.length < this.connections.length && waitedMs < CLOSE_WAIT_MS;) {
      await new Promise((resolve) => setTimeout(resolve, INTERRUPT_EVERY_MS));
      waitedMs += INTERRUPT_EVERY_MS;
    }
    for (const connection of this.connections) connection.closeSync();
    this.instance.closeSync();
  }

  #take(): Promise<DuckDBConnection> {
    const connection = this.#idle.pop();
    if (connection !== undefined) return Promise.resolve(connection);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(connection: DuckDBConnection): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next(connection);
  }
}

export interface ConnectionLease {
  readonly connection: DuckDBConnection;
  isCancelled(): boolean;
  toError(error: unknown): Error;
  release(): void;
}
