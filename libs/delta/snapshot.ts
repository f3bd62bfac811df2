import type { Add, Metadata, Protocol, Remove } from './action.js';
import type { Schema } from './schema.js';

/** A table at a version: a plain value, nothing in it reads the store again. */
export interface Snapshot {
  /** The table's folder in the store: `gold/fact_sales`. */
  readonly table: string;
  readonly version: number;
  /** When that version was committed (commitInfo's time, else the log file's). */
  readonly timestampMs: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly schema: Schema;
  /** Live files by `Add.path`, in log order. */
  readonly files: ReadonlyMap<string, Add>;
  /** Removed files whose tombstones are still kept, by path. */
  readonly tombstones: ReadonlyMap<string, Remove>;
  /** Last version by application id. */
  readonly txns: ReadonlyMap<string, number>;
}
