import type { TableShape } from './table-shape.js';

/** A filter as GraphQL coerced it. */
export type FilterInput = Readonly<Record<string, unknown>>;

/** The filter as the query model reads it: names as in contracts, `isNull` as `null`. */
export function toWhere(filter: unknown, shape: TableShape): unknown {
  if (!isObject(filter)) return filter;
  const entries = Object.entries(filter).map(([name, value]): readonly [string, unknown] => {
    if (name === 'and' || name === 'or') {
      return [name, Array.isArray(value) ? value.map((part) => toWhere(part, shape)) : value];
    }
    if (name === 'not') return [name, toWhere(value, shape)];
    const relation = shape.relations.get(name);
    if (relation !== undefined) return [relation.relation, toWhere(value, relation.to)];
    return [shape.columns.get(name)?.column ?? name, toConditions(value)];
  });
  return Object.fromEntries(entries);
}

export function toConditions(conditions: unknown): unknown {
  if (!isObject(conditions)) return conditions;
  return Object.fromEntries(
    Object.entries(conditions).map(([operator, value]) => [operator === 'isNull' ? 'null' : operator, value]),
  );
}

export function isObject(value: unknown): value is FilterInput {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
