import { setTimeout } from 'node:timers/promises';
import { types } from 'node:util';
import { LakeError } from '#errors';
import type { ShopLog } from './shop-log.js';

/** A process beside us that serves. */
export interface Running {
  /** Resolves when it has ended, whatever the reason, with words for it: `exit code 1`, `SIGKILL`. Never rejects. */
  readonly exited: Promise<string>;
  /** Ends it gently, in bounded time. Resolves when it is gone. */
  stop(): Promise<void>;
}

export interface Service<R extends Running = Running> {
  readonly name: string;
  /**
   * Resolves when it serves. Rejects, with nothing left running, when it does not or when `signal` is aborted; with a
   * `LakeError` that is not `unavailable` if another try would end the same way.
   */
  start(signal: AbortSignal): Promise<R>;
}

/** How long a service that fell is left alone, and when it is given up. */
export interface Patience {
  /** Doubled by every fall, up to `mostWaitMs`. */
  readonly firstWaitMs: number;
  readonly mostWaitMs: number;
  /** After this the falls before are forgotten. */
  readonly healthyMs: number;
  /** A service that has never served after so many starts never will. */
  readonly firstStarts: number;
}

/** Keeps a service running until it is stopped. */
export class Supervised<R extends Running> {
  private readonly stopping = new AbortController();
  private loop = Promise.resolve();
  private running: R | undefined;
  private isRestart = false;

  /** Resolves when it serves for the first time; rejects if it is given up or stopped before. */
  readonly first: Promise<R>;

  constructor(
    private readonly service: Service<R>,
    private readonly log: ShopLog,
    private readonly patience: Patience,
    /** Told of every start that worked, the first one too. */
    private readonly onUp: (running: R) => void = () => undefined,
  ) {
    this.first = new Promise((served, failed) => {
      this.loop = this.keepRunning(served).then(() => failed(new Error(`${service.name} was stopped`)), failed);
    });
    // Whoever stops it before it serves need not listen.
    this.first.catch(() => undefined);
  }

  /** Ends it; it is started anew at once. */
  async restart(): Promise<void> {
    this.isRestart = true;
    await this.running?.stop();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running?.stop();
    await this.loop;
  }

  private async keepRunning(served: (running: R) => void): Promise<void> {
    const { signal } = this.stopping;
    const { name } = this.service;
    let waitMs = this.patience.firstWaitMs;
    let hasServed = false;
    for (let starts = 1; !signal.aborted; starts++) {
      const beganMs = Date.now();
      let fall: string;
      this.isRestart = false;
      try {
        const running = (this.running = await this.service.start(signal));
        // It was asked to go while there was nothing to be stopped.
        if (signal.aborted || this.isRestart) {
          await running.stop();
          continue;
        }
        hasServed = true;
        this.onUp(running);
        served(running);
        fall = `ended (${await running.exited})`;
      } catch (error) {
        if (signal.aborted) return;
        const isHopeless = isPermanent(error) || (!hasServed && starts >= this.patience.firstStarts);
        if (isHopeless && !hasServed) throw error;
        if (isHopeless) return this.log.say(name, 'error', `is given up: ${messageOf(error)}`);
        fall = `did not start: ${messageOf(error)}`;
      }
      this.running = undefined;
      if (signal.aborted) return;
      if (this.isRestart) continue;
      if (Date.now() - beganMs >= this.patience.healthyMs) waitMs = this.patience.firstWaitMs;
      this.log.say(name, 'warn', `${fall}; it is started again in ${waitMs / 1000} s`);
      await setTimeout(waitMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(this.patience.mostWaitMs, waitMs * 2);
    }
  }
}

function isPermanent(error: unknown): boolean {
  return error instanceof LakeError && error.kind !== 'unavailable';
}

function messageOf(error: unknown): string {
  return types.isNativeError(error) ? error.message : String(error);
}
