import type { Action } from './action.js';

/** Checkpoints are Parquet; the engine reads and writes them for us (local files on both sides). */
export interface ParquetRows {
  /** The actions of a classic checkpoint file (single, or one part). */
  readCheckpoint(localFile: string): Promise<readonly Action[]>;
  /** Writes a classic single-file checkpoint; returns its size in bytes. */
  writeCheckpoint(localFile: string, actions: readonly Action[]): Promise<number>;
}
