/** What a splitter makes of one record; the loader gives it its place in the file and in the load. */
export interface SplitRecord {
  /** Physical line on which it starts, from 1; null inside a JSON array. */
  readonly line: number | null;
  readonly malformed: boolean;
  /** The record verbatim; of a CSV file only what could not be read. */
  readonly record: string | null;
  /** JSON object of the fields that the contract does not name. */
  readonly rescued: string | null;
  /** One text a contract field, in the contract's order; null where there is none. */
  readonly fields: readonly (string | null)[];
}

export type Emit = (record: SplitRecord) => void;

/** Takes a file's unpacked bytes in order and emits its records. */
export interface Splitter {
  push(bytes: Buffer): void;
  /** `cut`: the file is known to be incomplete, so what is left is one malformed record, even if it is nothing. */
  end(cut: boolean): void;
  /** Fields that the file's header lacks, once it was read. */
  readonly missing: readonly string[];
}

/** A record longer than this is malformed: memory stays bounded whatever lands. */
export const maxRecordBytes = 8 << 20;
/** Of what cannot be told apart into records, this much is kept for the person who looks at it. */
export const maxRestBytes = 64 << 10;

export function malformed(line: number | null, text: string): SplitRecord {
  return { line, malformed: true, record: text, rescued: null, fields: [] };
}

/** The bytes that a splitter has not consumed yet. */
export class Pending {
  private kept: Buffer = Buffer.alloc(0);

  /** What is left of earlier chunks, followed by this one. */
  join(bytes: Buffer): Buffer {
    return this.kept.length === 0 ? bytes : Buffer.concat([this.kept, bytes]);
  }

  keep(bytes: Buffer): void {
    this.kept = bytes.length === 0 ? Buffer.alloc(0) : Buffer.from(bytes);
  }
}
