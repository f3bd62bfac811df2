import type { CsvHeader } from './csv-record.js';

/** Looks at a file's lines and says whether the engine can read the file by itself. */
export interface PlainScan {
  /** Whole lines, each ended by a line feed. */
  takeLines(block: Buffer): void;
  readonly plain: boolean;
  /** Data records so far; means something only while `plain`. */
  readonly records: number;
  readonly header: CsvHeader | undefined;
}
