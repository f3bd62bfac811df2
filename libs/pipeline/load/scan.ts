import { createHash } from 'node:crypto';
import type { Source } from '#contracts';
import type { CsvHeader } from './csv-record.js';
import { readFileBytes } from './file-bytes.js';
import { indexFields } from './json-record.js';
import type { LandingFile } from './landing.js';
import { PlainCsvScan } from './plain-csv.js';
import { PlainJsonScan } from './plain-json.js';
import type { PlainScan } from './plain.js';

type FileFormat = 'csv' | 'json';

/** How a file is best read. `plain`: by the engine, in one go. `split`: record by record. */
export type Reading =
  | { readonly kind: 'empty' }
  | { readonly kind: 'plain'; readonly records: number; readonly header: CsvHeader | undefined }
  | { readonly kind: 'split' };

export interface Scan {
  /** SHA-256 of the stored bytes, hexadecimal. */
  readonly digest: string;
  readonly reading: Reading;
}

/** A line that is not over by then is nobody's plain line. */
const maxCarryBytes = 2 << 20;

export function formatOf(path: string): FileFormat {
  return /\.csv(\.gz)?$/.test(path) ? 'csv' : 'json';
}

export function isGzip(path: string): boolean {
  return path.endsWith('.gz');
}

/** Reads a file once: its digest, and how to read it. Stops looking at lines at the first that is out of the ordinary. */
export async function scanFile(file: LandingFile, fields: Source['fields'], signal?: AbortSignal): Promise<Scan> {
  const hash = createHash('sha256');
  const lines = new Lines(
    formatOf(file.path) === 'csv' ? new PlainCsvScan(Object.keys(fields)) : new PlainJsonScan(indexFields(fields)),
  );
  const ending = await readFileBytes(
    file.localPath,
    { gzip: isGzip(file.path), signal, onStored: (bytes) => void hash.update(bytes) },
    (bytes) => lines.push(bytes),
  );
  return { digest: hash.digest('hex'), reading: ending === 'cut' ? { kind: 'split' } : lines.end() };
}

class Lines {
  private carry: Buffer = Buffer.alloc(0);
  private seen = 0;

  constructor(private readonly scan: PlainScan) {}

  push(bytes: Buffer): void {
    this.seen += bytes.length;
    if (!this.scan.plain || this.refused) return;
    const end = bytes.lastIndexOf(10) + 1;
    if (end > 0) {
      const whole = bytes.subarray(0, end);
      this.scan.takeLines(this.carry.length === 0 ? whole : Buffer.concat([this.carry, whole]));
      this.carry = Buffer.from(bytes.subarray(end));
    } else {
      this.carry = Buffer.concat([this.carry, bytes]);
    }
    if (this.carry.length > maxCarryBytes) this.refused = true;
  }

  private refused = false;

  end(): Reading {
    if (this.seen === 0) return { kind: 'empty' };
    if (this.refused) return { kind: 'split' };
    if (this.scan.plain && this.carry.length > 0) this.scan.takeLines(Buffer.concat([this.carry, Buffer.from('\n')]));
    if (!this.scan.plain) return { kind: 'split' };
    return { kind: 'plain', records: this.scan.records, header: this.scan.header };
  }
}
