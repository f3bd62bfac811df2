/** What a run did to one table. `rows_in` is null where the conservation equation has no meaning (bronze, sessions, gold but fact_sales). */
export interface TableReport {
  /** Within its layer: `orders`, `quarantine/orders`. */
  readonly table: string;
  readonly layer: string;
  /** Source records considered in this run: rows_in = rows_out + duplicates + quarantined. */
  readonly rows_in: number | null;
  readonly rows_out: number | null;
  readonly duplicates: number | null;
  readonly quarantined: number | null;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly files_added: number;
  readonly files_removed: number;
  readonly total_rows: number;
  readonly seconds: number;
  /** The same four over all bronze, counted anew and not added up. */
  readonly cumulative: Conservation | null;
}

export interface Conservation {
  readonly rows_in: number;
  readonly rows_out: number;
  readonly duplicates: number;
  readonly quarantined: number;
}

export interface CheckReport {
  readonly table: string;
  readonly layer: string;
  readonly name: string;
  readonly severity: 'error' | 'warn';
  readonly passed: boolean;
  readonly failing_rows: number;
}

export interface FileReport {
  readonly source: string;
  readonly path: string;
  readonly outcome: 'loaded' | 'repeat' | 'waiting' | 'skipped';
  readonly records: number;
  readonly malformed: number;
  /** Fields that came but are not in the contract, or are in it but did not come; or why a file waits. */
  readonly note: string | null;
}

export interface RunReport {
  readonly run_id: string;
  /** The release that serves after the run; null while the lake has none. */
  readonly release: number | null;
  readonly parent: number | null;
  readonly as_of: string;
  /** `none`: nothing new, so nothing was published. */
  readonly mode: 'full' | 'incremental' | 'none';
  readonly started_at: string;
  readonly finished_at: string;
  readonly files: readonly FileReport[];
  readonly tables: readonly TableReport[];
  readonly checks: readonly CheckReport[];
}
