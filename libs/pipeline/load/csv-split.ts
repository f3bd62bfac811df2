import { isAscii, isUtf8 } from 'node:buffer';
import { parseCsvHeader, type CsvHeader } from './csv-record.js';
import { malformed, maxRecordBytes, maxRestBytes, Pending, type Emit, type Splitter } from './record.js';

const lineFeed = 10;
const carriageReturn = 13;
const quote = 34;
const comma = 44;

/** An open quote is given up on after this much: the text behind it is read again, line by line. */
const maxQuotedBytes = 1 << 20;

/**
 * RFC 4180, and what is met in the wild. A record whose quotes are wrong is malformed up to the end of its first
 * physical line, and reading goes on with the next line, so that one stray quote never swallows its neighbours.
 */
export class CsvSplitter implements Splitter {
  private readonly pending = new Pending();
  private line = 1;
  private atStart = true;
  private skipping = false;
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private lines = 0;
  private quoted = false;
  /** The bytes at hand as text, if each byte is a character. */
  private text: string | undefined;
  private header: CsvHeader | undefined;

  constructor(
    private readonly fields: readonly string[],
    private readonly emit: Emit,
  ) {}

  get missing(): readonly string[] {
    return this.header?.missing ?? [];
  }

  push(bytes: Buffer): void {
    this.read(this.pending.join(bytes), false, false);
  }

  end(cut: boolean): void {
    this.read(this.pending.join(Buffer.alloc(0)), true, cut);
  }

  private read(data: Buffer, final: boolean, cut: boolean): void {
    let at = 0;
    if (this.atStart) {
      if (data.length < 3 && !final) {
        this.pending.keep(data);
        return;
      }
      if (data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf) at = 3;
      this.atStart = false;
    }
    this.text = isAscii(data) ? data.toString('latin1') : undefined;
    const clean = this.text !== undefined || isUtf8(data);
    const complete = final && !cut;
    while (at < data.length) {
      if (this.skipping) {
        const end = data.indexOf(lineFeed, at);
        if (end < 0) {
          at = data.length;
          break;
        }
        at = end + 1;
        this.line += 1;
        this.skipping = false;
        continue;
      }
      const next = this.readRecord(data, at, complete, clean);
      if (next < 0) break;
      at = next;
    }
    if (cut) {
      this.emit(malformed(this.line, data.toString('utf8', at, Math.min(data.length, at + maxRestBytes))));
      at = data.length;
    }
    this.pending.keep(data.subarray(at));
  }

  /** Reads the record at `start`; returns where the next one starts, or -1 if its end has not arrived. */
  private readRecord(data: Buffer, start: number, final: boolean, clean: boolean): number {
    const next = this.delimit(data, start, final);
    if (next === needsMore) {
      return data.length - start > maxRecordBytes ? this.readBad(data, start, true) : -1;
    }
    if (next === wrongQuotes) return this.readBad(data, start, final || data.length - start > maxRecordBytes);
    const { starts, ends } = this;
    const stop = ends[ends.length - 1] ?? start;
    const line = this.line;
    this.line += this.lines;
    if (starts.length === 1 && !this.quoted && isBlank(data, start, stop)) return next;
    const rawEnd = this.quoted ? trimEnd(data, start, next) : stop;
    if (!clean && !isUtf8(data.subarray(start, rawEnd))) {
      if (this.header === undefined) this.takeHeader(data);
      else this.emit(malformed(line, data.toString('utf8', start, rawEnd)));
      return next;
    }
    if (this.header === undefined) {
      this.takeHeader(data);
      return next;
    }
    const { header } = this;
    if (starts.length !== header.width) {
      this.emit(malformed(line, data.toString('utf8', start, rawEnd)));
      return next;
    }
    this.emit({
      line,
      malformed: false,
      record: null,
      rescued: header.extra.length === 0 ? null : this.rescue(data, header),
      fields: header.columns.map((column) => (column < 0 ? null : this.value(data, column))),
    });
    return next;
  }

  private takeHeader(data: Buffer): void {
    this.header = parseCsvHeader(
      this.starts.map((_, column) => this.value(data, column)),
      this.fields,
    );
  }

  private rescue(data: Buffer, header: CsvHeader): string {
    const members = header.extra.map(
      ({ column, name }) => `${JSON.stringify(name)}:${JSON.stringify(this.value(data, column))}`,
    );
    return `{${members.join(',')}}`;
  }

  private value(data: Buffer, column: number): string {
    const start = this.starts[column] ?? 0;
    const end = this.ends[column] ?? start;
    if (data[start] !== quote) return this.decode(data, start, end);
    const text = this.decode(data, start + 1, end - 1);
    return text.includes('"') ? text.replaceAll('""', '"') : text;
  }

  private decode(data: Buffer, start: number, end: number): string {
    return this.text === undefined ? data.toString('utf8', start, end) : this.text.slice(start, end);
  }

  /** Finds the fields of the record at `start`. Quotes stay inside a field's span. */
  private delimit(data: Buffer, start: number, final: boolean): number {
    const { starts, ends } = this;
    const size = data.length;
    starts.length = 0;
    ends.length = 0;
    this.quoted = false;
    let lines = 0;
    let at = start;
    for (;;) {
      starts.push(at);
      if (data[at] === quote) {
        this.quoted = true;
        at += 1;
        for (;;) {
          at = data.indexOf(quote, at);
          if (at < 0 || at - start > maxQuotedBytes) {
            return final || size - start > maxQuotedBytes ? wrongQuotes : needsMore;
          }
          if (at + 1 === size && !final) return needsMore;
          if (data[at + 1] !== quote) break;
          at += 2;
        }
        const from = starts[starts.length - 1] ?? at;
        for (let i = data.indexOf(lineFeed, from); i >= 0 && i < at; i = data.indexOf(lineFeed, i + 1)) lines += 1;
        at += 1;
      } else {
        while (at < size) {
          const byte = data[at];
          if (byte === comma || byte === lineFeed) break;
          if (byte === quote) return wrongQuotes;
          if (byte === carriageReturn && (data[at + 1] === lineFeed || at + 1 === size)) break;
          at += 1;
        }
      }
      ends.push(at);
      if (at >= size) {
        if (!final) return needsMore;
        this.lines = lines;
        return size;
      }
      const byte = data[at];
      if (byte === comma) {
        at += 1;
        continue;
      }
      this.lines = lines + 1;
      if (byte === lineFeed) return at + 1;
      if (byte !== carriageReturn) return wrongQuotes;
      if (at + 1 === size) return final ? size : needsMore;
      return data[at + 1] === lineFeed ? at + 2 : wrongQuotes;
    }
  }

  /** The first physical line of a record that cannot be told apart. */
  private readBad(data: Buffer, start: number, final: boolean): number {
    const end = data.indexOf(lineFeed, start);
    if (end < 0 && !final) return -1;
    const tooLong = end < 0 ? data.length - start > maxRecordBytes : end - start > maxRecordBytes;
    const stop = end < 0 ? data.length : end;
    const text = data.toString('utf8', start, tooLong ? start + maxRestBytes : trimEnd(data, start, stop));
    if (this.header === undefined) {
      this.header = parseCsvHeader(text.split(','), this.fields);
    } else {
      this.emit(malformed(this.line, text));
    }
    if (end < 0) {
      this.skipping = true;
      return data.length;
    }
    this.line += 1;
    return end + 1;
  }
}

const needsMore = -1;
const wrongQuotes = -2;

/** Without the line end. */
function trimEnd(data: Buffer, start: number, end: number): number {
  let stop = end;
  if (stop > start && data[stop - 1] === lineFeed) stop -= 1;
  if (stop > start && data[stop - 1] === carriageReturn) stop -= 1;
  return stop;
}

function isBlank(data: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = data[at];
    if (byte !== 32 && byte !== 9) return false;
  }
  return true;
}
