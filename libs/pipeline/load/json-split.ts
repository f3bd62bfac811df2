import { isUtf8 } from 'node:buffer';
import { parseJsonRecord, type FieldIndex } from './json-record.js';
import { malformed, maxRecordBytes, maxRestBytes, Pending, type Emit, type Splitter } from './record.js';

const lineFeed = 10;

type State =
  /** Nothing but white space so far. */
  | 'start'
  | 'lines'
  /** In an array: a value may start. */
  | 'value'
  /** In an array: a comma or the end must come. */
  | 'comma'
  | 'done'
  /** An array is broken: what is left is one malformed record. */
  | 'broken';

/**
 * One object a line, or one array of objects, written over any number of lines. An array is read as it comes, element
 * by element; where it breaks, the elements before stay and the rest is one malformed record.
 */
export class JsonSplitter implements Splitter {
  readonly missing = [];
  private readonly pending = new Pending();
  private state: State = 'start';
  private line = 1;
  private atStart = true;
  private skipping = false;
  private rest: Buffer = Buffer.alloc(0);
  private first = true;

  constructor(
    private readonly index: FieldIndex,
    private readonly emit: Emit,
  ) {}

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
    if (this.state === 'start') {
      for (; at < data.length && isSpace(data[at]); at += 1) if (data[at] === lineFeed) this.line += 1;
      if (at < data.length) {
        this.state = data[at] === 91 ? 'value' : 'lines';
        if (this.state === 'value') at += 1;
      }
    }
    if (this.state === 'lines' || this.state === 'start') at = this.readLines(data, at, final && !cut);
    else at = this.readArray(data, at);
    if (final) this.finish(data, at, cut);
    else this.pending.keep(data.subarray(at));
  }

  private finish(data: Buffer, at: number, cut: boolean): void {
    const left = data.toString('utf8', at, Math.min(data.length, at + maxRestBytes));
    if (this.state === 'broken') this.emit(malformed(null, this.rest.toString('utf8')));
    else if (this.state === 'value' || this.state === 'comma') this.emit(malformed(null, left));
    else if (cut) this.emit(malformed(this.state === 'done' ? null : this.line, left));
  }

  private readLines(data: Buffer, from: number, final: boolean): number {
    const clean = isUtf8(data);
    let at = from;
    while (at < data.length) {
      const end = data.indexOf(lineFeed, at);
      const stop = end < 0 ? data.length : end;
      if (this.skipping) {
        if (end < 0) return data.length;
        this.skipping = false;
      } else if (end < 0 && !final && stop - at <= maxRecordBytes) {
        return at;
      } else if (stop - at > maxRecordBytes) {
        this.emit(malformed(this.line, data.toString('utf8', at, at + maxRestBytes)));
        this.skipping = end < 0;
        if (end < 0) return data.length;
      } else {
        this.take(data, at, stop, clean, this.line);
      }
      if (end < 0) return data.length;
      this.line += 1;
      at = end + 1;
    }
    return at;
  }

  private take(data: Buffer, from: number, to: number, clean: boolean, line: number | null): void {
    let start = from;
    let end = to;
    while (start < end && isSpace(data[start])) start += 1;
    while (end > start && isSpace(data[end - 1])) end -= 1;
    if (start === end) return;
    const text = data.toString('utf8', start, end);
    const parsed = clean || isUtf8(data.subarray(start, end)) ? parseJsonRecord(text, this.index) : undefined;
    this.emit(parsed === undefined ? malformed(line, text) : { line, malformed: false, record: text, ...parsed });
  }

  private readArray(data: Buffer, from: number): number {
    const clean = isUtf8(data);
    let at = from;
    while (at < data.length) {
      if (this.state === 'broken') return this.keepRest(data, at);
      const byte = data[at];
      if (isSpace(byte)) {
        at += 1;
      } else if (this.state === 'value') {
        if (byte === 93 && this.first) {
          this.state = 'done';
          at += 1;
          continue;
        }
        const end = elementEnd(data, at);
        if (end === undefined) {
          if (data.length - at <= maxRecordBytes) return at;
          this.state = 'broken';
        } else if (end === at) {
          this.state = 'broken';
        } else {
          this.take(data, at, end, clean, null);
          this.first = false;
          this.state = 'comma';
          at = end;
        }
      } else if (this.state === 'comma' && byte === 44) {
        this.state = 'value';
        at += 1;
      } else if (this.state === 'comma' && byte === 93) {
        this.state = 'done';
        at += 1;
      } else {
        this.state = 'broken';
      }
    }
    return at;
  }

  private keepRest(data: Buffer, at: number): number {
    const room = maxRestBytes - this.rest.length;
    if (room > 0) this.rest = Buffer.concat([this.rest, data.subarray(at, at + room)]);
    return data.length;
  }
}

/** Where the array element at `start` ends; `start` itself if none can begin there; undefined if the end is not in sight. */
function elementEnd(data: Buffer, start: number): number | undefined {
  const size = data.length;
  const first = data[start];
  if (first === 44 || first === 93 || first === 125 || first === 58) return start;
  let at = start;
  let depth = 0;
  while (at < size) {
    const byte = data[at];
    if (byte === 34) {
      at += 1;
      while (at < size && data[at] !== 34) at += data[at] === 92 ? 2 : 1;
      if (at >= size) return undefined;
      at += 1;
      if (depth === 0) return at;
    } else if (byte === 123 || byte === 91) {
      depth += 1;
      at += 1;
    } else if (byte === 125 || byte === 93) {
      if (depth === 0) return at;
      depth -= 1;
      at += 1;
      if (depth === 0) return at;
    } else if (depth === 0 && (byte === 44 || isSpace(byte))) {
      return at;
    } else {
      at += 1;
    }
  }
  return undefined;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9;
}
