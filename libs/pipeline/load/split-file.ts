import { closeSync, openSync, writeSync } from 'node:fs';
import { CsvSplitter } from './csv-split.js';
import { readFileBytes } from './file-bytes.js';
import { JsonSplitter } from './json-split.js';
import type { LandingFile } from './landing.js';
import { malformed, maxRestBytes, type SplitRecord, type Splitter } from './record.js';
import { formatOf, isGzip } from './scan.js';

export interface SplitCount {
  readonly records: number;
  readonly malformed: number;
  /** Fields that the contract does not name. */
  readonly drift: readonly string[];
  /** In the interchange file: the engine must be told how long lines get. */
  readonly longestLineBytes: number;
}

const flushChars = 1 << 20;

/**
 * Splits a landing file into records and writes them, one JSON object a line, to an interchange file that the engine
 * reads with explicit columns: `n` ordinal, `l` line, `m` malformed, `r` record, `x` rescued, `f0`… fields.
 */
export async function splitFile(
  file: LandingFile,
  fields: readonly string[],
  interchange: string,
  signal?: AbortSignal,
): Promise<SplitCount> {
  const out = new Interchange(interchange, fields.length);
  try {
    const emit = (record: SplitRecord): void => out.write(record);
    let splitter: Splitter | undefined;
    const ending = await readFileBytes(file.localPath, { gzip: isGzip(file.path), signal }, (bytes) => {
      splitter ??= startSplitter(file, bytes, fields, emit);
      splitter.push(bytes);
    });
    splitter ??= startSplitter(file, Buffer.alloc(0), fields, emit);
    splitter.end(ending === 'cut');
    return out.count();
  } finally {
    out.close();
  }
}

function startSplitter(file: LandingFile, first: Buffer, fields: readonly string[], emit: Emit): Splitter {
  const encoding = wideEncoding(first);
  if (encoding !== undefined) return new ForeignText(encoding, emit);
  return formatOf(file.path) === 'csv' ? new CsvSplitter(fields, emit) : new JsonSplitter(fields, emit);
}

type Emit = (record: SplitRecord) => void;

/** UTF-16, by its mark. */
function wideEncoding(bytes: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

/** A file in an encoding that no source uses is one malformed record, legible for the person who looks at it. */
class ForeignText implements Splitter {
  private head: Buffer = Buffer.alloc(0);

  constructor(
    private readonly encoding: string,
    private readonly emit: Emit,
  ) {}

  push(bytes: Buffer): void {
    if (this.head.length < maxRestBytes) {
      this.head = Buffer.concat([this.head, bytes.subarray(0, maxRestBytes - this.head.length)]);
    }
  }

  end(): void {
    this.emit(malformed(1, new TextDecoder(this.encoding).decode(this.head)));
  }
}

class Interchange {
  private readonly handle: number;
  private readonly names: readonly string[];
  private readonly driftNames = new Set<string>();
  private text = '';
  private records = 0;
  private malformed = 0;
  private longestLineBytes = 0;

  constructor(path: string, width: number) {
    this.handle = openSync(path, 'w');
    this.names = Array.from({ length: width }, (_, at) => `,"f${at}":`);
  }

  write(record: SplitRecord): void {
    this.records += 1;
    if (record.malformed) this.malformed += 1;
    let line = `{"n":${this.records},"l":${record.line ?? 'null'},"m":${record.malformed}`;
    if (record.record !== null) line += `,"r":${quoted(record.record)}`;
    if (record.rescued !== null) {
      line += `,"x":${quoted(record.rescued)}`;
      this.noteDrift(record.rescued);
    }
    const { fields } = record;
    for (let at = 0; at < fields.length; at += 1) {
      const value = fields[at];
      if (value !== null && value !== undefined) line += `${this.names[at]}${quoted(value)}`;
    }
    line += '}\n';
    if (line.length * 3 > this.longestLineBytes) {
      this.longestLineBytes = Math.max(this.longestLineBytes, Buffer.byteLength(line));
    }
    this.text += line;
    if (this.text.length >= flushChars) this.flush();
  }

  count(): SplitCount {
    this.flush();
    const { records, malformed: bad, longestLineBytes } = this;
    return { records, malformed: bad, longestLineBytes, drift: [...this.driftNames].sort() };
  }

  close(): void {
    closeSync(this.handle);
  }

  private noteDrift(rescued: string): void {
    // values vary without end, names hardly do; the names alone are remembered
    for (const name of Object.keys(JSON.parse(rescued) as object)) {
      if (this.driftNames.size < maxDriftNames) this.driftNames.add(name);
    }
  }

  private flush(): void {
    const bytes = Buffer.from(this.text);
    for (let at = 0; at < bytes.length;) at += writeSync(this.handle, bytes, at);
    this.text = '';
  }
}

/** Enough to say what a feed has become; a file whose keys are data has more than anyone reads. */
const maxDriftNames = 100;

/** As a JSON string. U+0000, which no engine's text holds, becomes U+FFFD, as does half of a surrogate pair. */
function quoted(text: string): string {
  const json = JSON.stringify(text.includes('\u0000') ? text.replaceAll('\u0000', '\ufffd') : text);
  // a lone surrogate is the only thing that is written as an escape of this kind
  return json.includes('\\ud') ? JSON.stringify(text.replace(/[\0\p{Surrogate}]/gu, '\ufffd')) : json;
}
