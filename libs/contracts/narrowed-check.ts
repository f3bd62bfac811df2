import type { Check, TableContract } from './contract.js';

/** A relation that a check reads, and what a run knows of it. */
export interface CheckedRelation {
  /** `gold.fact_sales` */
  readonly name: string;
  readonly columns: TableContract['columns'];
  /** A relation with its changed rows: as they were, and as they are (`_came`). */
  readonly changed: string;
}

/** Relations that a check reads, as it names them: `silver.orders`, `quarantine.fact_sales`. */
export function checkedRelations({ failing }: Check): readonly string[] {
  const names = failing.matchAll(/\b(?:bronze|silver|gold|quarantine)\.[a-z_][a-z0-9_]*/g);
  return [...new Set([...names].map(([name]) => name))];
}

/**
 * A query for the changed rows of a relation of which the check reads something that changed, in the columns that it
 * reads. Without any, its verdict is what it was.
 */
export function touchedRows({ failing }: Check, { columns, changed }: CheckedRelation): string {
  const words = new Set(failing.match(/[a-z_][a-z0-9_]*/g));
  const takesAll = failing.replaceAll('count(*)', '').includes('*');
  const read = Object.keys(columns).filter((name) => takesAll || words.has(name));
  const balance = 'sum(CASE WHEN _came THEN 1 ELSE -1 END)';
  if (read.length === 0) return `SELECT ${balance} AS more FROM ${changed} HAVING ${balance} <> 0`;
  return `SELECT ${read.join(', ')} FROM ${changed} GROUP BY ${read.join(', ')} HAVING ${balance} <> 0`;
}

/**
 * A query for the units that a change of these relations touches, each once, or undefined where the check does not hold
 * unit by unit. The columns of the units are named by number.
 */
export function touchedUnits(check: Check, relations: readonly CheckedRelation[]): string | undefined {
  const parts = relations.map((relation) => {
    const by = check.units?.[relation.name];
    if (by === undefined) return undefined;
    const named = by.map((column, n) => `${column} AS ${unitColumn(n)}`);
    return `SELECT ${named.join(', ')} FROM (${touchedRows(check, relation)}) r`;
  });
  return parts.includes(undefined) ? undefined : parts.join(' UNION ');
}

/** The check's query over the rows of some units alone. */
export function failingAmong(
  { failing, units = {} }: Check,
  columnsOf: (relation: string) => TableContract['columns'],
  among: string,
): string {
  // Plain equality lets the engine pass over what lies outside the units' least and greatest values. A NULL where none may
  // be is the matter of another check.
  const width = Object.values(units)[0]?.length ?? 0;
  const isFilled = Array.from({ length: width }, (_, n) =>
    Object.entries(units).every(([relation, by]) => columnsOf(relation)[by[n] ?? '']?.nullable === false),
  );
  return Object.entries(units).reduce((sql, [relation, by]) => {
    const same = by.map((column, n) => `u.${unitColumn(n)} ${isFilled[n] ? '=' : 'IS NOT DISTINCT FROM'} t.${column}`);
    const rows = `(SELECT * FROM ${relation} t WHERE EXISTS (SELECT 1 FROM ${among} u WHERE ${same.join(' AND ')}))`;
    return sql.replace(new RegExp(`\\b${relation.replace('.', '\\.')}\\b`, 'g'), rows);
  }, failing);
}

function unitColumn(n: number): string {
  return `unit_${n}`;
}
