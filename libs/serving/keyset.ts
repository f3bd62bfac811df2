import type { Value } from '#engine';
import type { SqlColumn } from './filter-sql.js';
import type { Bindings } from './sql.js';
import { valueSql, type Scalar } from './value.js';

/** One column of a total order. NULL is the lowest value. */
export interface OrderColumn extends SqlColumn {
  /** The column of the result that carries its value. */
  readonly output: string;
  readonly descending: boolean;
}

/** The values of the order's columns in one row: a place between rows, wherever they move. */
export type Position = readonly (Scalar | null)[];

export function orderBySql(order: readonly OrderColumn[]): string {
  return order.map(({ sql, descending }) => `${sql} ${descending ? 'DESC NULLS LAST' : 'ASC NULLS FIRST'}`).join(', ');
}

/**
 * The rows that come after a position: `a` after its value, or equal and the rest after theirs. The outer AND repeats
 * in plain words what the OR implies, so that engines can skip what lies before.
 */
export function afterSql(order: readonly OrderColumn[], position: Position, bindings: Bindings): string {
  const [column, ...rest] = order;
  const [value = null, ...values] = position;
  if (column === undefined) return 'FALSE';
  const bound = value === null ? undefined : valueSql(value, column.type, bindings);
  const beyond = beyondSql(column, bound);
  if (rest.length === 0) return beyond;
  const equal = bound === undefined ? `${column.sql} IS NULL` : `${column.sql} = ${bound}`;
  const either = `(${beyond} OR (${equal} AND ${afterSql(rest, values, bindings)}))`;
  const notBefore = notBeforeSql(column, bound);
  return notBefore === undefined ? either : `(${notBefore} AND ${either})`;
}

/** The same order seen from its end. */
export function reversed(order: readonly OrderColumn[]): readonly OrderColumn[] {
  return order.map((column) => ({ ...column, descending: !column.descending }));
}

/** A value of a result row as a position keeps it. */
export function toScalar(value: Value): Scalar | null {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  return String(value);
}

/** `bound` is the value as SQL; absent for NULL, the lowest. */
function beyondSql(column: OrderColumn, bound: string | undefined): string {
  if (bound === undefined) return column.descending ? 'FALSE' : `${column.sql} IS NOT NULL`;
  const compared = `${column.sql} ${column.descending ? '<' : '>'} ${bound}`;
  return column.descending && column.nullable ? `(${compared} OR ${column.sql} IS NULL)` : compared;
}

function notBeforeSql(column: OrderColumn, bound: string | undefined): string | undefined {
  if (bound === undefined) return column.descending ? `${column.sql} IS NULL` : undefined;
  if (!column.descending) return `${column.sql} >= ${bound}`;
  return column.nullable ? undefined : `${column.sql} <= ${bound}`;
}
