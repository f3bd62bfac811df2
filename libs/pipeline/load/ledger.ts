/** One file in `bronze/loads`: what has been loaded, so that nothing is loaded twice and every row finds its place. */
export interface LedgerRow {
  readonly source: string;
  /** The load's number within its source; `_batch_id` of its rows. */
  readonly load: number;
  readonly path: string;
  readonly size_bytes: number;
  readonly modified_ms: number;
  /** Of a landing file in an object store; none on a local disk. */
  readonly etag: string | null;
  /** SHA-256 of the bytes as stored, hexadecimal. */
  readonly digest: string;
  readonly records: number;
  /** Records of the load's earlier files: the ordinal in the load is this plus `_source_row`. */
  readonly row_offset: number;
  readonly malformed: number;
  /** JSON of a `Drift`; null if there is none. */
  readonly drift: string | null;
}

/** How a file's fields differ from the contract's. */
export interface Drift {
  /** Kept in `_rescued`. */
  readonly unexpected: readonly string[];
  /** Of a CSV header; a JSON record may leave out what it likes. */
  readonly missing: readonly string[];
}
