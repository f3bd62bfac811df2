import type { Schema } from '#delta';

/** A value as it leaves an engine: decimals, 64-bit integers, dates and timestamps are text, so nothing is rounded. */
export type Value = string | number | boolean | null | readonly (string | null)[];
export type Row = Readonly<Record<string, Value>>;

/** What can be bound as a parameter. Text never becomes part of the SQL. */
export type Parameter = string | number | bigint | boolean | null;

/** A table's live files, ready to be read on this machine. */
export interface BoundFile {
  readonly localPath: string;
  /** From the log, never from the path. */
  readonly partitionValues: Readonly<Record<string, string | null>>;
  /** What the table's `fileColumn` says of its rows. */
  readonly number?: number;
}

export interface BoundTable {
  readonly schema: Schema;
  readonly partitionColumns: readonly string[];
  readonly files: readonly BoundFile[];
  /** Adds a column of this name: the number of the file that a row stands in. */
  readonly fileColumn?: string;
}

export interface ColumnStats {
  readonly min?: string;
  readonly max?: string;
  readonly nullCount: number;
}

/** A Parquet file that an engine has written and nobody has committed. */
export interface WrittenFile {
  readonly localPath: string;
  /** Path below the table's folder, as Delta wants it in `add.path` (already encoded). */
  readonly addPath: string;
  readonly partitionValues: Readonly<Record<string, string | null>>;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Ready for `add.stats`. */
  readonly stats: string;
}

export interface MaterialiseTarget {
  /** A local folder of the caller's; partition folders are made below it. */
  readonly dir: string;
  /** Begins every file name (the run id), so that an orphan names its run. */
  readonly filePrefix: string;
  readonly schema: Schema;
  readonly partitionBy: readonly string[];
  /** Rows that are read as a whole at least, where the file is not partitioned: few for tables that are asked for single rows. */
  readonly rowGroupRows?: number;
  /** A column of the query beyond the schema's, and not written: rows that differ in it go into different files. */
  readonly apartBy?: string;
  /** Without it, rows keep their order and no file is split. */
  readonly layout?: Layout;
}

/** How a table's rows are cut into files: a partition of more than `targetBytes` into ranges of `sortBy`. */
export interface Layout {
  readonly sortBy: readonly string[];
  readonly targetBytes: number;
}

/**
 * SQL over snapshots. An engine reads bound files and writes Parquet files; it never commits and knows no lake.
 * Relations are named `layer.table` (`silver.orders`). Every session runs in UTC with the prelude loaded.
 */
export interface Engine {
  readonly name: 'duckdb' | 'spark';
  /** Makes a table version readable under a name; replaces an earlier binding of that name. An empty file list is an empty table. */
  bind(name: string, table: BoundTable): Promise<void>;
  /** Names a query (a view). */
  define(name: string, sql: string): Promise<void>;
  /** Computes a query once and keeps its rows under a name until `drop`; may spill to the work folder. Returns its row count. */
  stage(name: string, sql: string, signal?: AbortSignal): Promise<number>;
  drop(name: string): Promise<void>;
  /** Rows in batches; memory stays bounded however many there are. */
  stream(sql: string, parameters?: readonly Parameter[], signal?: AbortSignal): AsyncIterable<readonly Row[]>;
  /** All rows of a small result; more than `maxRows` (default 10,000) is an error, not a cut. */
  query(
    sql: string,
    parameters?: readonly Parameter[],
    options?: { maxRows?: number; signal?: AbortSignal },
  ): Promise<readonly Row[]>;
  /** Writes a query's rows as Parquet files. No rows, no files. The query's columns must be the schema's, by name. */
  materialise(sql: string, target: MaterialiseTarget, signal?: AbortSignal): Promise<readonly WrittenFile[]>;
  close(): Promise<void>;
}
