import { rm } from 'node:fs/promises';

/**
 * What an attempt of a run has finished, for the next attempt of the same run on this machine. An attempt has it to
 * itself: one that is overtaken loses its files and fails.
 */
export interface RunJournal {
  /** Where the run's new files are written. They stay until `clear`. */
  readonly filesDir: string;
  /** The value recorded for a step; undefined when there is none. */
  recall(step: string): Promise<unknown>;
  /**
   * Keeps a JSON value for a step. Resolves when it is durable, and every file that a `localPath` in it names was so
   * before. A `localPath` below `filesDir` is recalled below whatever `filesDir` then is.
   */
  record(step: string, value: unknown): Promise<void>;
  /** False once another attempt has taken over: what is the run's is no longer this attempt's to end. */
  isOurs(): Promise<boolean>;
  /** Forgets every step, then removes every file. */
  clear(): Promise<void>;
}

/** For a run that nobody takes up when it dies. */
export function noJournal(filesDir: string): RunJournal {
  return {
    filesDir,
    recall: () => Promise.resolve(undefined),
    record: () => Promise.resolve(),
    isOurs: () => Promise.resolve(true),
    clear: () => rm(filesDir, { recursive: true, force: true }),
  };
}
