import type { ColumnType } from '#contracts';
import type { Row, Value } from '#engine';
import { line, thing, type ShopRows } from './serving-fixture.js';

/** Answers questions about the fixture's lines in plain TypeScript, from the question's JSON: what SQL has to agree with. */
export class NaiveShop {
  readonly #rows: readonly Row[];

  constructor(rows: ShopRows) {
    const things = new Map(rows.thing.map((row) => [row['thing_id'], row]));
    this.#rows = rows.line.map((row) => {
      const found = row['thing_id'] === null ? undefined : things.get(row['thing_id'] ?? null);
      const reached = Object.keys(thing.columns).map((name) => [`thing.${name}`, found?.[name] ?? null]);
      return { ...row, ...Object.fromEntries(reached) } as Row;
    });
  }

  /** All rows that pass, in order: full rows, each with what it reaches. */
  rows(where: object, sort: readonly string[]): readonly Row[] {
    return this.#rows.filter((row) => passes(row, where)).sort(byOrder([...sort, ...line.key]));
  }

  groups(where: object, group: readonly string[], measures: readonly string[]): readonly Row[] {
    const groups = new Map<string, Row[]>(group.length === 0 ? [['[]', []]] : []);
    for (const row of this.rows(where, [])) {
      const key = JSON.stringify(group.map((asked) => bucketOf(row, asked)));
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    return [...groups].map(([key, rows]) => {
      const values = JSON.parse(key) as Value[];
      const measured = measures.map((measure) => [nameOf(measure), measureOf(rows, measure)]);
      return Object.fromEntries([...group.map((asked, n) => [nameOf(asked), values[n]]), ...measured]) as Row;
    });
  }
}

/** `month(day)` is named `day_month`, `sum(amount)` `sum_amount`. */
export function nameOf(asked: string): string {
  const [, outer = '', inner] = /^(\w+)\((.*)\)$/.exec(asked) ?? [];
  if (inner === undefined) return asked;
  if (inner === '') return outer;
  return ['month', 'week', 'quarter', 'hour'].includes(outer) ? `${inner}_${outer}` : `${outer}_${inner}`;
}

export function typeOf(path: string): ColumnType {
  const column = path.startsWith('thing.') ? thing.columns[path.slice(6)] : line.columns[path];
  return column?.type ?? { kind: 'string' };
}

function passes(row: Row, where: object, prefix = ''): boolean {
  return Object.entries(where).every(([key, value]) => {
    if (key === 'and') return (value as object[]).every((part) => passes(row, part, prefix));
    if (key === 'or') return (value as object[]).some((part) => passes(row, part, prefix));
    if (key === 'not') return !passes(row, value as object, prefix);
    if (key === 'thing') return passes(row, value as object, 'thing.');
    const path = `${prefix}${key}`;
    return Object.entries(value as object).every(([operator, operand]) =>
      holds(row[path] ?? null, operator, operand as Value, typeOf(path)),
    );
  });
}

function holds(value: Value, operator: string, operand: Value | readonly Value[], type: ColumnType): boolean {
  if (operator === 'null') return (value === null) === operand;
  if (operator === 'ne') return !holds(value, 'eq', operand, type);
  if (operator === 'nin') return !holds(value, 'in', operand, type);
  if (operator === 'in') return (operand as readonly Value[]).some((item) => holds(value, 'eq', item, type));
  if (value === null || operand === null) return false;
  const order = compare(value, operand as Value, type);
  const [text, wanted] = [String(value), String(operand)];
  switch (operator) {
    case 'eq':
      return order === 0;
    case 'gt':
      return order > 0;
    case 'gte':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'lte':
      return order <= 0;
    case 'like':
      return pattern(wanted).test(text);
    case 'contains':
      return text.includes(wanted);
    case 'starts':
      return text.startsWith(wanted);
    case 'ends':
      return text.endsWith(wanted);
    default:
      return holds(text.toLowerCase(), operator.slice(1), wanted.toLowerCase(), type);
  }
}

function pattern(like: string): RegExp {
  const parts = like.match(/\\[^]|[^]/gu) ?? [];
  const source = parts.map((part) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return (part.startsWith('\\') ? part.slice(1) : part).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, 'su');
}

export function byOrder(sort: readonly string[], types: (path: string) => ColumnType = typeOf) {
  return (a: Row, b: Row): number => {
    for (const item of sort) {
      const path = item.replace(/^-/, '');
      const order = compare(a[path] ?? null, b[path] ?? null, types(path));
      if (order !== 0) return item.startsWith('-') ? -order : order;
    }
    return 0;
  };
}

function compare(a: Value, b: Value, type: ColumnType): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (type.kind === 'string') return comparePoints([...String(a)], [...String(b)]);
  const [x, y] = [comparable(a, type), comparable(b, type)];
  return x < y ? -1 : Number(x > y);
}

function comparePoints(a: readonly string[], b: readonly string[]): number {
  const points = (text: readonly string[]) => text.map((point) => point.codePointAt(0) ?? 0);
  const [x, y] = [points(a), points(b)];
  const at = x.findIndex((point, n) => point !== y[n]);
  if (at < 0) return x.length - y.length;
  return at >= y.length ? 1 : (x[at] ?? 0) - (y[at] ?? 0);
}

/** In units so small that every value of the tests is whole. */
function comparable(value: Value, type: ColumnType): bigint | string | number {
  if (type.kind === 'boolean') return Number(value);
  if (type.kind === 'date') return String(value);
  if (type.kind !== 'timestamp') return unscaled(String(value), 6);
  const [seconds = '', fraction = ''] = String(value).replace('Z', '').split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}

function unscaled(text: string, scale: number): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const units = BigInt(whole + fraction.padEnd(scale, '0'));
  return text.startsWith('-') ? -units : units;
}

function toDecimal(units: bigint, scale: number): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return units < 0n ? `-${text}` : text;
}

function bucketOf(row: Row, asked: string): Value {
  const [, unit, path = asked] = /^(\w+)\((.*)\)$/.exec(asked) ?? [];
  const value = row[path] ?? null;
  if (value === null || unit === undefined) return value;
  const text = String(value);
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (unit === 'hour') return `${text.slice(0, 13)}:00:00Z`;
  if (unit === 'month') return `${text.slice(0, 7)}-01`;
  if (unit === 'quarter') day.setUTCMonth(day.getUTCMonth() - (day.getUTCMonth() % 3), 1);
  if (unit === 'week') day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

function measureOf(rows: readonly Row[], asked: string): Value {
  const [, measure = '', path = ''] = /^(\w+)\((.*)\)$/.exec(asked) ?? [];
  if (path === '') return String(rows.length);
  const type = typeOf(path);
  const values = rows.map((row) => row[path] ?? null).filter((value) => value !== null);
  if (measure === 'count') return String(values.length);
  if (measure === 'count_distinct') return String(new Set(values).size);
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => compare(a, b, type));
  if (measure === 'min') return sorted[0] ?? null;
  if (measure === 'max') return sorted.at(-1) ?? null;
  const scale = type.kind === 'decimal' ? type.scale : 0;
  const sum = values.reduce<bigint>((total, value) => total + unscaled(String(value), scale), 0n);
  if (measure === 'sum') return toDecimal(sum, scale);
  const [count, size] = [BigInt(values.length), sum < 0n ? -sum : sum];
  const average = (2n * size * 100n + count) / (2n * count);
  return toDecimal(sum < 0n ? -average : average, scale + 2);
}
