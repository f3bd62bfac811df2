import { assertNever } from '#errors';
import type { ColumnType } from '#contracts';
import type { CompareOperator, Filter, MatchOperator } from './query.js';
import type { Bindings } from './sql.js';
import { comparableType, valueSql, type Scalar } from './value.js';

/** Thousands of parameters take engines a second to plan, and one that holds them all nothing; few let them skip files. */
const MAX_SPELLED_LIST = 100;

/** What a path of a filter is in the statement at hand. */
export interface SqlColumn {
  readonly sql: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
}

/**
 * A filter as SQL for WHERE. SQL's third truth value never gets under a negation: `not` is pushed down to the conditions,
 * and each negated condition says that it takes NULL. What remains is NULL only where false would do as well, so engines
 * see plain comparisons that they can skip files by.
 */
export function filterSql(
  filter: Filter,
  columnAt: (path: string) => SqlColumn,
  bindings: Bindings,
  negated = false,
): string {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const isAll = (filter.kind === 'and') !== negated;
      if (filter.of.length === 0) return truth(isAll);
      const parts = filter.of.map((part) => filterSql(part, columnAt, bindings, negated));
      return parts.length === 1 ? parts.join('') : `(${parts.join(isAll ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return filterSql(filter.filter, columnAt, bindings, !negated);
    case 'null':
      return `${columnAt(filter.path).sql} IS ${filter.isNull === negated ? 'NOT ' : ''}NULL`;
    case 'compare': {
      const isNegated = (filter.operator === 'ne') !== negated;
      if (filter.value === null) return truth(isNegated);
      const column = columnAt(filter.path);
      const value = valueSql(filter.value, column.type, bindings);
      return orNull(`${column.sql} ${comparison(filter.operator, negated)} ${value}`, column, isNegated);
    }
    case 'list': {
      const isNegated = (filter.operator === 'nin') !== negated;
      if (filter.values.length === 0) return truth(isNegated);
      const column = columnAt(filter.path);
      return orNull(listSql(column, filter.values, isNegated, bindings), column, isNegated);
    }
    case 'match': {
      if (filter.text === null) return truth(negated);
      const column = columnAt(filter.path);
      const match = matchSql(filter.operator, column.sql, bindings.bind(filter.text));
      return orNull(negated ? `NOT ${match}` : match, column, negated);
    }
    default:
      return assertNever(filter);
  }
}

function truth(value: boolean): string {
  return value ? 'TRUE' : 'FALSE';
}

function orNull(condition: string, column: SqlColumn, isNegated: boolean): string {
  return isNegated && column.nullable ? `(${condition} OR ${column.sql} IS NULL)` : condition;
}

/** One list for each type that values are compared as. */
function listSql(column: SqlColumn, values: readonly Scalar[], isNegated: boolean, bindings: Bindings): string {
  const lists = new Map<string, Scalar[]>();
  for (const value of values) {
    const type = comparableType(value, column.type);
    lists.set(type, [...(lists.get(type) ?? []), value]);
  }
  const parts = [...lists].map(([type, list]) => {
    const items = list.length > MAX_SPELLED_LIST ? [unnested(list, type, bindings)] : spelled(list, type, bindings);
    return `${column.sql} ${isNegated ? 'NOT ' : ''}IN (${items.join(', ')})`;
  });
  return parts.length === 1 ? parts.join('') : `(${parts.join(isNegated ? ' AND ' : ' OR ')})`;
}

function spelled(list: readonly Scalar[], type: string, bindings: Bindings): readonly string[] {
  return list.map((value) => `CAST(${bindings.bind(value)} AS ${type})`);
}

function unnested(list: readonly Scalar[], type: string, bindings: Bindings): string {
  const texts = JSON.stringify(list.map(String));
  return `SELECT CAST(unnest(from_json(${bindings.bind(texts)}, '["VARCHAR"]')) AS ${type})`;
}

function comparison(operator: CompareOperator, negated: boolean): string {
  switch (operator) {
    case 'eq':
      return negated ? '<>' : '=';
    case 'ne':
      return negated ? '=' : '<>';
    case 'gt':
      return negated ? '<=' : '>';
    case 'gte':
      return negated ? '<' : '>=';
    case 'lt':
      return negated ? '>=' : '<';
    case 'lte':
      return negated ? '>' : '<=';
  }
}

function matchSql(operator: MatchOperator, column: string, parameter: string): string {
  const text = `CAST(${parameter} AS VARCHAR)`;
  switch (operator) {
    case 'like':
      return `(${column} LIKE ${text} ESCAPE '\\')`;
    case 'ilike':
      return `(lower(${column}) LIKE lower(${text}) ESCAPE '\\')`;
    case 'contains':
      return `contains(${column}, ${text})`;
    case 'icontains':
      return `contains(lower(${column}), lower(${text}))`;
    case 'starts':
      return `starts_with(${column}, ${text})`;
    case 'istarts':
      return `starts_with(lower(${column}), lower(${text}))`;
    case 'ends':
      return `ends_with(${column}, ${text})`;
    case 'iends':
      return `ends_with(lower(${column}), lower(${text}))`;
  }
}
