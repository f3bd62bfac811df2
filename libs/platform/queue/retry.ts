import type { Job, JobsOptions } from 'bullmq';
import { LakeError } from '#errors';

/** With the delays below: about half an hour. */
const ATTEMPTS = 36;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;
/** The records of runs remember; the queue may forget. */
const kept = { age: 24 * 3600, count: 1_000 };

export const jobOptions: JobsOptions = {
  attempts: ATTEMPTS,
  backoff: { type: 'doubling' },
  removeOnComplete: kept,
  removeOnFail: kept,
};

export function retryDelayMs(attemptsMade: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (attemptsMade - 1), LONGEST_DELAY_MS);
}

/** What a processor throws for an error: BullMQ tries again after all but an `UnrecoverableError`. */
export function forQueue(error: unknown): Error {
  if (isTransient(error)) return error;
  // BullMQ goes by the name, and its own class would load all of it.
  return Object.assign(new Error(error instanceof Error ? error.message : String(error), { cause: error }), {
    name: 'UnrecoverableError',
  });
}

/** Whether the queue will hand the job out again when its processor throws `forQueue(error)` now. */
export function willRetry(job: Pick<Job, 'attemptsMade' | 'opts'>, error: unknown): boolean {
  return isTransient(error) && job.attemptsMade + 1 < (job.opts.attempts ?? 1);
}

function isTransient(error: unknown): error is LakeError {
  return error instanceof LakeError && error.kind === 'unavailable';
}
