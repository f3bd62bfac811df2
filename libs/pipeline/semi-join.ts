import type { Engine } from '#engine';

/**
 * What follows a relation `x` in a FROM clause to keep the rows that have the values of one of the units in `columns`;
 * NULL equals NULL.
 * DuckDB passes over all that lies outside the units' least and greatest values only for a semi join that is written as
 * one and compares plainly: measured on 5 million order lines, a twentieth of the cost of EXISTS or of a NULL-safe one.
 */
export async function semiJoin(
  engine: Engine,
  x: string,
  units: { readonly relation: string; readonly by: readonly string[] },
  columns = units.by,
): Promise<string> {
  const { relation, by } = units;
  const counts = by.map((column, n) => `count(*) - count(${column}) AS nulls_${n}`);
  const [row] = await engine.query(`SELECT ${counts.join(', ')} FROM ${relation}`);
  const same = by.map((column, n) => {
    const isFilled = Number(row?.[`nulls_${n}`] ?? 0) === 0;
    return `u.${column} ${isFilled ? '=' : 'IS NOT DISTINCT FROM'} ${x}.${columns[n] ?? column}`;
  });
  return ` SEMI JOIN ${relation} u ON ${same.join(' AND ')}`;
}
