import { closeSync, openSync, writeSync } from 'node:fs';
import type { Source } from '#contracts';
import { CsvSplitter } from './csv-split.js';
import { readFileBytes } from './file-bytes.js';
import { indexFields } from './json-record.js';
import { JsonSplitter } from './json-split.js';
import type { LandingFile } from './landing.js';
import type { Drift } from './ledger.js';
import { malformed, maxRestBytes, type SplitRecord, type Splitter } from './record.js';
import { formatOf, isGzip } from './scan.js';

interface SplitCount {
  readonly records: number;
  readonly malformed: number;
  readonly drift: Drift;
  /** In the interchange file: the engine must be told how long lines get. */
  readonly longestLineBytes: number;
}

const flushChars = 1 << 20;

/**
 * Splits a landing file into records and writes them, one JSON object a line, to an interchange file that the engine
 * reads with explicit columns: `n` ordinal, `l` line, `m` malformed, `v` the record, what is rescued, and the fields.
 */
export async function splitFile(
  file: LandingFile,
  fields: Source['fields'],
  interchange: string,
  signal?: AbortSignal,
): Promise<SplitCount> {
  const out = new Interchange(interchange);
  try {
    const emit = (record: SplitRecord): void => out.write(record);
    let splitter: Splitter | undefined;
    const ending = await readFileBytes(file.localPath, { gzip: isGzip(file.path), signal }, (bytes) => {
      splitter ??= startSplitter(file, bytes, fields, emit);
      splitter.push(bytes);
    });
    splitter ??= startSplitter(file, Buffer.alloc(0), fields, emit);
    splitter.end(ending === 'cut');
    return out.count(splitter.missing);
  } finally {
    out.close();
  }
}

function startSplitter(file: LandingFile, first: Buffer, fields: Source['fields'], emit: Emit): Splitter {
  const encoding = wideEncoding(first);
  if (encoding !== undefined) return new ForeignText(encoding, emit);
  return formatOf(file.path) === 'csv'
    ? new CsvSplitter(Object.keys(fields), emit)
    : new JsonSplitter(indexFields(fields), emit);
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
  readonly missing = [];
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
  private readonly driftNames = new Set<string>();
  private text = '';
  private records = 0;
  private malformed = 0;
  private longestLineBytes = 0;

  constructor(path: string) {
    this.handle = openSync(path, 'w');
  }

  write(record: SplitRecord): void {
    this.records += 1;
    if (record.malformed) this.malformed += 1;
    if (record.rescued !== null) this.noteDrift(record.rescued);
    const values = toJson([record.record, record.rescued, ...record.fields]);
    const line = `{"n":${this.records},"l":${record.line ?? 'null'},"m":${record.malformed},"v":${values}}\n`;
    if (line.length * 3 > this.longestLineBytes) {
      this.longestLineBytes = Math.max(this.longestLineBytes, Buffer.byteLength(line));
    }
    this.text += line;
    if (this.text.length >= flushChars) this.flush();
  }

  count(missing: readonly string[]): SplitCount {
    this.flush();
    const { records, malformed: bad, longestLineBytes } = this;
    return { records, malformed: bad, longestLineBytes, drift: { unexpected: [...this.driftNames].sort(), missing } };
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

/** As JSON. U+0000, which no engine's text holds, becomes U+FFFD, as does half of a surrogate pair. */
function toJson(values: readonly (string | null)[]): string {
  const json = JSON.stringify(values);
  // these two are the only characters that are written as escapes of this kind; a backslash of the text is doubled
  if (!json.includes('\\u') || (!json.includes('\\ud') && !json.includes('\\u0000'))) return json;
  return JSON.stringify(values.map((value) => value?.replace(/[\0\p{Surrogate}]/gu, '\ufffd') ?? null));
}
