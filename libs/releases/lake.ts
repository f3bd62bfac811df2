import type { ParquetRows } from '#delta';
import type { ObjectStore } from '#storage';

/** Time as a parameter: tests turn it by hand. */
export interface Clock {
  nowMs(): number;
  sleep(waitMs: number): Promise<void>;
}

/** What reading and committing Delta tables takes. */
export interface Lake {
  readonly store: ObjectStore;
  readonly parquet: ParquetRows;
  /** A local folder for copies of checkpoints. */
  readonly cacheDir: string;
}

export const HOUR_MS = 3_600_000;
