import { isUtf8 } from 'node:buffer';
import type { FieldIndex } from './json-record.js';
import type { PlainScan } from './plain.js';

const maxLineBytes = 1 << 20;
const maxDepth = 64;
/** More digits than a double holds for certain. */
const maxDigits = 15;

/**
 * Decides whether a JSON file is so plain that any reader reads it the same: one object a line, only fields that the
 * contract names and each once, numbers whose text survives a double. What is merely broken JSON may pass: the engine
 * refuses it, and the file is split after all.
 */
export class PlainJsonScan implements PlainScan {
  records = 0;
  plain = true;
  readonly header = undefined;
  private readonly keys: readonly Buffer[];

  constructor(private readonly index: FieldIndex) {
    this.keys = index.names.map((name) => Buffer.from(name));
    // the fields seen in a record are kept as bits of one integer
    if (index.names.length > 31) this.plain = false;
  }

  takeLines(block: Buffer): void {
    if (!this.plain) return;
    const records = isUtf8(block) ? this.scan(block) : refused;
    if (records === refused) this.plain = false;
    else this.records += records;
  }

  /** Counts the records of a block of whole lines, or returns `refused`. Every inner loop stops at a line feed. */
  private scan(block: Buffer): number {
    const size = block.length;
    const { numeric } = this.index;
    let records = 0;
    let at = 0;
    while (at < size) {
      const start = at;
      if (block[at] !== 123) return refused;
      at += 1;
      let depth = 1;
      let seen = 0;
      let expected = 0;
      let keyNext = true;
      let afterComma = false;
      while (depth > 0) {
        const byte = block[at] as number;
        at += 1;
        if (byte === 34) {
          const from = at;
          let escaped = false;
          for (;;) {
            const inside = block[at] as number;
            if (inside === 34) break;
            if (inside === 92) {
              if (block[at + 1] === 117 && !isPlainEscape(block, at + 2)) return refused;
              escaped = true;
              at += 2;
            } else if (inside < 32) return refused;
            else at += 1;
            if (at >= size) return refused;
          }
          if (depth === 1 && keyNext) {
            if (escaped) return refused;
            const key = this.keyAt(block, from, at, expected);
            if (key < 0 || (seen & (1 << key)) !== 0) return refused;
            seen |= 1 << key;
            expected = key + 1;
            keyNext = false;
          }
          at += 1;
          afterComma = false;
        } else if (byte === 44) {
          if (afterComma) return refused;
          afterComma = true;
          if (depth === 1) keyNext = true;
        } else if (byte === 58 || byte === 32 || byte === 9) {
          continue;
        } else if (byte === 123 || byte === 91) {
          depth += 1;
          if (depth > maxDepth) return refused;
          afterComma = false;
        } else if (byte === 125 || byte === 93) {
          if (afterComma) return refused;
          depth -= 1;
        } else if (byte === 45 || (byte >= 48 && byte <= 57)) {
          at = numberEnd(block, at - 1, depth === 1 && numeric[expected - 1] === true);
          if (at < 0) return refused;
          afterComma = false;
        } else if (byte === 116 || byte === 102 || byte === 110) {
          at = wordEnd(block, at - 1);
          if (at < 0) return refused;
          afterComma = false;
        } else {
          return refused;
        }
      }
      if (block[at] !== 10 || at - start > maxLineBytes) return refused;
      at += 1;
      records += 1;
    }
    return records;
  }

  /** Records of one file mostly have their fields in one order: the expected one is compared first. */
  private keyAt(block: Buffer, from: number, to: number, expected: number): number {
    const guess = this.keys[expected];
    if (guess !== undefined && guess.length === to - from) {
      let same = 0;
      while (same < guess.length && guess[same] === block[from + same]) same += 1;
      if (same === guess.length) return expected;
    }
    return this.index.at.get(block.toString('utf8', from, to)) ?? -1;
  }
}

const refused = -1;

/** An escape that every reader turns into the same character: no control character, no half of a pair. */
function isPlainEscape(block: Buffer, at: number): boolean {
  const first = block[at] as number;
  if (first === 100 || first === 68) return false;
  return !(first === 48 && block[at + 1] === 48 && (block[at + 2] as number) < 50);
}

/** Where a number ends whose text a reader that holds doubles gives back unchanged; -1 for any other. */
function numberEnd(block: Buffer, start: number, zerosMayEnd: boolean): number {
  let at = start;
  if (block[at] === 45) at += 1;
  const whole = at;
  while ((block[at] as number) >= 48 && (block[at] as number) <= 57) at += 1;
  const wholeDigits = at - whole;
  if (wholeDigits === 0 || wholeDigits > maxDigits || (wholeDigits > 1 && block[whole] === 48)) return -1;
  const zero = block[whole] === 48;
  if (block[at] !== 46) return (zero && whole > start) || isExponent(block[at]) ? -1 : at;
  at += 1;
  const fraction = at;
  while ((block[at] as number) >= 48 && (block[at] as number) <= 57) at += 1;
  const digits = at - fraction;
  if (digits === 0 || wholeDigits + digits > maxDigits || isExponent(block[at])) return -1;
  if (zero && whole > start && isZero(block, fraction, at)) return -1;
  if (block[at - 1] === 48 && digits > 1 && !zerosMayEnd) return -1;
  // a small fraction may come back with an exponent
  return zero && digits > 4 && block[fraction] === 48 && block[fraction + 1] === 48 ? -1 : at;
}

function isZero(block: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (block[at] !== 48) return false;
  return true;
}

function isExponent(byte: number | undefined): boolean {
  return byte === 101 || byte === 69;
}

function wordEnd(block: Buffer, start: number): number {
  const word = block[start] === 116 ? 'true' : block[start] === 102 ? 'false' : 'null';
  for (let i = 1; i < word.length; i += 1) if (block[start + i] !== word.charCodeAt(i)) return -1;
  return start + word.length;
}
