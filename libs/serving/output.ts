import { assert } from '#errors';
import type { ColumnType } from '#contracts';
import type { BucketUnit, GroupColumn, Measure } from './query.js';

/** Digits of the widest decimal; sums and averages have the room that engines have. */
const WIDEST = 38;
const AVERAGE_PLACES = 2;

/** A column of an answer. */
export interface OutputColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** What it is made of; absent for the count of rows. */
  readonly path?: string;
}

/** The name that an aggregate has unless the asker gives one: `sum_net_line_total`, `count`. */
export function measureName({ measure, path }: Omit<Measure, 'name'>): string {
  return path === undefined ? measure : `${measure}_${path}`;
}

/** `order_date_month`; a plain column keeps its path. */
export function groupName({ path, bucket }: Omit<GroupColumn, 'name'>): string {
  return bucket === undefined ? path : `${path}_${bucket}`;
}

/** The type of a bucket, or undefined where the column cannot be cut so. */
export function bucketType(unit: BucketUnit, type: ColumnType): ColumnType | undefined {
  if (unit === 'hour') return type.kind === 'timestamp' ? { kind: 'timestamp' } : undefined;
  return type.kind === 'timestamp' || type.kind === 'date' ? { kind: 'date' } : undefined;
}

/** The type of a measure over a column of a type, or undefined where it has no meaning. */
export function measureType({ measure, path }: Omit<Measure, 'name'>, type?: ColumnType): ColumnType | undefined {
  if (path === undefined) return measure === 'count' ? { kind: 'long' } : undefined;
  if (type === undefined || type.kind === 'strings') return undefined;
  switch (measure) {
    case 'count':
    case 'count_distinct':
      return { kind: 'long' };
    case 'min':
    case 'max':
      return type.kind === 'boolean' ? undefined : type;
    case 'sum':
    case 'avg': {
      const scale = scaleOf(type);
      if (scale === undefined) return undefined;
      return { kind: 'decimal', precision: WIDEST, scale: measure === 'sum' ? scale : scale + AVERAGE_PLACES };
    }
  }
}

/** The columns of a group query's answer, in order: groups, then measures. */
export function groupsOutputs(
  group: readonly GroupColumn[],
  measures: readonly Measure[],
  typeOf: (path: string) => ColumnType | undefined,
): readonly OutputColumn[] {
  const groups = group.map(({ name, path, bucket }): OutputColumn => {
    const own = typeOf(path);
    const type = own === undefined || bucket === undefined ? own : bucketType(bucket, own);
    assert(type !== undefined, `${name} was parsed`);
    return { name, type, path };
  });
  const measured = measures.map((measure): OutputColumn => {
    const { name, path } = measure;
    const type = measureType(measure, path === undefined ? undefined : typeOf(path));
    assert(type !== undefined, `${name} was parsed`);
    return path === undefined ? { name, type } : { name, type, path };
  });
  return [...groups, ...measured];
}

/** A column cut to a unit of time, as SQL. Instants are cut in UTC, whatever zone a session has. */
export function bucketSql(unit: BucketUnit, column: string, type: ColumnType): string {
  const plain = type.kind === 'timestamp' ? `make_timestamp(epoch_us(${column}))` : column;
  const cut = `date_trunc('${unit}', ${plain})`;
  // sessions are in UTC, so the way back to an instant changes nothing
  return `CAST(${cut} AS ${unit === 'hour' ? 'TIMESTAMP WITH TIME ZONE' : 'DATE'})`;
}

/** A measure as SQL over the column's; NULL over no values, but for counts. */
export function measureSql(measure: Measure, column: string, type?: ColumnType): string {
  switch (measure.measure) {
    case 'count':
      return measure.path === undefined ? 'count(*)' : `count(${column})`;
    case 'count_distinct':
      return `count(DISTINCT ${column})`;
    case 'min':
    case 'max':
      return `${measure.measure}(${column})`;
    case 'sum':
      return `CAST(sum(${column}) AS DECIMAL(${WIDEST},${scaleOf(type) ?? 0}))`;
    case 'avg':
      return averageSql(column, scaleOf(type) ?? 0);
  }
}

/**
 * The mean in whole units of the last place, rounded half away from zero: quotient and remainder are divided apart, so
 * nothing overflows that the sum could hold, and no DOUBLE is near. Integer division cuts towards zero.
 */
function averageSql(column: string, scale: number): string {
  const sum = `CAST(replace(CAST(sum(${column}) AS VARCHAR), '.', '') AS HUGEINT)`;
  const rows = `CAST(count(${column}) AS HUGEINT)`;
  const factor = 10 ** AVERAGE_PLACES;
  const rest = `(${2 * factor} * abs(${sum} % ${rows}) + ${rows}) // (2 * ${rows})`;
  const units = `(${sum} // ${rows}) * ${factor} + CASE WHEN ${sum} < 0 THEN -1 ELSE 1 END * (${rest})`;
  const places = scale + AVERAGE_PLACES;
  return `CAST(CAST(${units} AS DECIMAL(${WIDEST},0)) * 0.${'1'.padStart(places, '0')} AS DECIMAL(${WIDEST},${places}))`;
}

function scaleOf(type: ColumnType | undefined): number | undefined {
  if (type?.kind === 'decimal') return type.scale;
  return type?.kind === 'integer' || type?.kind === 'long' ? 0 : undefined;
}
