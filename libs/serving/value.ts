import { assert, assertNever } from '#errors';
import type { ColumnType } from '#contracts';
import { toDuckDbType } from '#engine';
import type { Bindings } from './sql.js';

/** A value in the one spelling that its type has: numbers, dates and instants are text, so that nothing is rounded. */
export type Scalar = string | boolean;

export type ParsedValue =
  | { readonly kind: 'value'; readonly value: Scalar }
  | { readonly kind: 'mistake'; readonly code: 'wrong-type' | 'out-of-range'; readonly detail: string };

const MAX_TEXT = 10_000;
/** Digits of the widest decimal that engines compute with. */
const MAX_DIGITS = 38;
const LONG = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const INTEGER = { min: -(2n ** 31n), max: 2n ** 31n - 1n };

/** Reads a value for a column of a type. Numbers and booleans may come as text, as URLs have them. Never throws. */
export function parseValue(raw: unknown, type: ColumnType): ParsedValue {
  switch (type.kind) {
    case 'string':
      return parseText(raw);
    case 'boolean':
      if (typeof raw === 'boolean') return is(raw);
      if (raw === 'true' || raw === 'false') return is(raw === 'true');
      return wrong('a boolean: true or false');
    case 'integer':
    case 'long':
      return parseWhole(raw);
    case 'decimal':
      return parseDecimal(raw, type);
    case 'date':
      return parseDate(raw);
    case 'timestamp':
      return parseInstant(raw);
    case 'strings':
      return wrong('nothing: lists are not compared');
    default:
      return assertNever(type);
  }
}

/** A parsed value as SQL: a bound parameter, cast to a type that its column can be compared with exactly. */
export function valueSql(value: Scalar, type: ColumnType, bindings: Bindings): string {
  return `CAST(${bindings.bind(value)} AS ${comparableType(value, type)})`;
}

/** The type, as SQL, in which a value meets its column and neither loses a digit. */
export function comparableType(value: Scalar, type: ColumnType): string {
  if (type.kind === 'integer' && typeof value === 'string') {
    const whole = BigInt(value);
    return whole < INTEGER.min || whole > INTEGER.max ? 'BIGINT' : 'INTEGER';
  }
  if (type.kind !== 'decimal') return toDuckDbType(type);
  assert(typeof value === 'string', 'a decimal is kept as text');
  const { whole, places } = digitsOf(value);
  const fits = places <= type.scale && whole <= type.precision - type.scale;
  return fits ? toDuckDbType(type) : `DECIMAL(${MAX_DIGITS},${Math.max(places, type.scale)})`;
}

function parseText(raw: unknown): ParsedValue {
  if (typeof raw !== 'string') return wrong('text');
  if (raw.length > MAX_TEXT) return outOfRange(`text of at most ${MAX_TEXT} characters`);
  // half a character has no UTF-8; engines would see another text
  if (/\p{Surrogate}/u.test(raw)) return wrong('well-formed Unicode text');
  return is(raw);
}

function parseWhole(raw: unknown): ParsedValue {
  const isNumber = typeof raw === 'number' && Number.isSafeInteger(raw);
  const text = isNumber || typeof raw === 'bigint' ? String(raw) : raw;
  if (typeof text !== 'string' || !/^[+-]?\d{1,40}$/.test(text)) {
    return wrong('a whole number; beyond 2^53 as text');
  }
  const whole = BigInt(text.replace('+', ''));
  if (whole < LONG.min || whole > LONG.max) return outOfRange('a 64-bit integer');
  return is(String(whole));
}

function parseDecimal(raw: unknown, type: ColumnType & { kind: 'decimal' }): ParsedValue {
  const text = typeof raw === 'number' && Number.isFinite(raw) ? withoutExponent(raw) : raw;
  const [, sign, whole, fraction = ''] =
    typeof text === 'string' ? (/^([+-]?)(\d{1,400})(?:\.(\d{1,400}))?$/.exec(text) ?? []) : [];
  if (sign === undefined || whole === undefined) return wrong('a decimal number, as 12.50');
  const digits = whole.replace(/^0+(?=\d)/, '');
  const places = fraction.replace(/0+$/, '');
  const room = MAX_DIGITS - Math.max(places.length, type.scale);
  if (digits.length > room || type.precision - type.scale > room) {
    return outOfRange(`a number that DECIMAL(${type.precision},${type.scale}) can be compared with exactly`);
  }
  const magnitude = places === '' ? digits : `${digits}.${places}`;
  return is(sign === '-' && /[1-9]/.test(magnitude) ? `-${magnitude}` : magnitude);
}

/** The shortest decimal that reads back as the number; what the asker wrote, unless it had more digits than JSON keeps. */
function withoutExponent(value: number): string {
  const text = String(value);
  const [, sign, first, rest = '', power] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (sign === undefined || first === undefined || power === undefined) return text;
  const shift = Number(power);
  if (shift < 0) return `${sign}0.${'0'.repeat(-shift - 1)}${first}${rest}`;
  return `${sign}${first}${rest.padEnd(shift, '0')}`;
}

function digitsOf(decimal: string): { readonly whole: number; readonly places: number } {
  const [whole = '', fraction = ''] = decimal.replace('-', '').split('.');
  return { whole: whole === '0' ? 0 : whole.length, places: fraction.length };
}

function parseDate(raw: unknown): ParsedValue {
  const [, year, month, day] = typeof raw === 'string' ? (/^(\d{4})-(\d\d)-(\d\d)$/.exec(raw) ?? []) : [];
  if (dayMs(year, month, day) === undefined) return wrong('a date, as 2026-01-31');
  return is(String(raw));
}

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})0*)?)?([Zz]|[+-]\d\d:\d\d)?)?$/;

/** RFC 3339; without a zone it is UTC, a date alone is its midnight. */
function parseInstant(raw: unknown): ParsedValue {
  const instant = 'an instant, as 2026-01-31T12:00:00Z';
  const parts = typeof raw === 'string' ? INSTANT.exec(raw) : null;
  if (parts === null) return wrong(instant);
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = parts;
  const midnight = dayMs(year, month, day);
  if (midnight === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return wrong(instant);
  const offset = offsetMinutes(zone);
  if (offset === undefined) return wrong(instant);
  const seconds = (Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second);
  const iso = new Date(midnight + seconds * 1000).toISOString();
  if (!/^(?!0000)\d{4}-/.test(iso)) return outOfRange('an instant of the years 0001 to 9999');
  const micros = fraction.replace(/0+$/, '');
  return is(`${iso.slice(0, 19)}${micros === '' ? '' : `.${micros}`}Z`);
}

function offsetMinutes(zone: string): number | undefined {
  if (/^z$/i.test(zone)) return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Midnight UTC of a day that the calendar has. */
function dayMs(year = '', month = '', day = ''): number | undefined {
  if (year === '' || year === '0000') return undefined;
  const ms = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  // Date.parse takes 30 February for 1 March
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== `${year}-${month}-${day}`) return undefined;
  return ms;
}

function is(value: Scalar): ParsedValue {
  return { kind: 'value', value };
}

function wrong(expected: string): ParsedValue {
  return { kind: 'mistake', code: 'wrong-type', detail: `expected ${expected}` };
}

function outOfRange(expected: string): ParsedValue {
  return { kind: 'mistake', code: 'out-of-range', detail: `expected ${expected}` };
}
