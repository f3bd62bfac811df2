import type { Source } from '#contracts';

/** A JSON object's members as bronze keeps them. */
interface JsonFields {
  readonly fields: (string | null)[];
  readonly rescued: string | null;
}

/** A contract's fields, as records are read by them. */
export interface FieldIndex {
  readonly names: readonly string[];
  readonly at: ReadonlyMap<string, number>;
  /** Fields that hold numbers: zeros at the end of a fraction mean nothing there, so every reader may drop them. */
  readonly numeric: readonly boolean[];
}

export function indexFields(fields: Source['fields']): FieldIndex {
  const names = Object.keys(fields);
  const numeric = Object.values(fields).map(({ kind }) => kind === 'decimal' || kind === 'integer');
  return { names, at: new Map(names.map((name, at) => [name, at])), numeric };
}

/**
 * Reads a record's text, or returns undefined if it is not one JSON object. Of two members with one name the last is
 * meant, as in JavaScript.
 */
export function parseJsonRecord(text: string, index: FieldIndex): JsonFields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  } catch {
    return undefined;
  }
  const fields = new Array<string | null>(index.names.length).fill(null);
  let rescued: Map<string, string> | undefined;
  // The text is valid JSON from here on: only the ends of tokens are looked for.
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text[at] !== '}') {
    const keyEnd = stringEnd(text, at);
    const name = plainString(text, at, keyEnd);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    const field = index.at.get(name);
    if (field === undefined) (rescued ??= new Map()).set(name, compact(text, start, end));
    else fields[field] = fieldText(text, start, end, index.numeric[field] === true);
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return { fields, rescued: rescued === undefined ? null : toObject(rescued) };
}

function toObject(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

function fieldText(text: string, start: number, end: number, numeric: boolean): string | null {
  switch (text[start]) {
    case '"':
      return plainString(text, start, end);
    case 'n':
      return null;
    case 't':
    case 'f':
      return text.slice(start, end);
    case '{':
    case '[':
      return compact(text, start, end);
    default:
      return numeric ? shortDecimal(plainDecimal(text.slice(start, end))) : plainDecimal(text.slice(start, end));
  }
}

/** Nested JSON without white space; a string is re-written only if it has an escape, a number never. */
function compact(text: string, start: number, end: number): string {
  let out = '';
  let from = start;
  let at = start;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      const stop = stringEnd(text, at);
      const token = text.slice(at, stop);
      if (token.includes('\\')) {
        out += text.slice(from, at) + JSON.stringify(JSON.parse(token));
        from = stop;
      }
      at = stop;
    } else if (code <= 32) {
      out += text.slice(from, at);
      at = skipSpace(text, at);
      from = at;
    } else {
      at += 1;
    }
  }
  return out + text.slice(from, end);
}

/** A number's text; an exponent is written out, so that only plain decimals reach the parsers. Absurd exponents stay. */
export function plainDecimal(text: string): string {
  if (!text.includes('e') && !text.includes('E')) return text;
  const parts = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', whole = '', fraction = '', power = '0'] = parts;
  const shift = Number(power);
  if (Math.abs(shift) > 400) return text;
  const digits = whole + fraction;
  const point = whole.length + shift;
  if (point >= digits.length) {
    return sign + digits.padEnd(point, '0').replace(/^0+(?=\d)/, '');
  }
  const padded = point > 0 ? digits : '0'.repeat(1 - point) + digits;
  const split = point > 0 ? point : 1;
  const head = padded.slice(0, split).replace(/^0+(?=\d)/, '');
  const tail = padded.slice(split).replace(/0+$/, '');
  return sign + (tail === '' ? head : `${head}.${tail}`);
}

/** `1.50` → `1.5`, `2.00` → `2.0`. */
function shortDecimal(text: string): string {
  return text.endsWith('0') && text.includes('.') ? text.replace(/(\.\d+?)0+$/, '$1') : text;
}

function plainString(text: string, start: number, end: number): string {
  const inside = text.slice(start + 1, end - 1);
  return inside.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : inside;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 32) at += 1;
  return at;
}

/** One behind the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === 92) escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
}

function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === 34) return stringEnd(text, start);
  let at = start;
  if (first === 123 || first === 91) {
    let depth = 0;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 34) {
        at = stringEnd(text, at);
        continue;
      }
      at += 1;
      if (code === 123 || code === 91) depth += 1;
      else if ((code === 125 || code === 93) && --depth === 0) return at;
    }
  }
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 44 || code === 125 || code <= 32) return at;
    at += 1;
  }
}
