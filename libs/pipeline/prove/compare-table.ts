import { lakeColumns, type TableContract } from '#contracts';
import type { Engine, Row, Value } from '#engine';
import { countOf } from '../count-of.js';
import { workName } from '../sql-name.js';
import type { RowDifference } from './proof.js';

/** A table twice: as a release has it and as bronze gives it. */
export interface Comparison {
  readonly engine: Engine;
  readonly contract: TableContract;
  /** Relations. */
  readonly released: string;
  readonly rebuilt: string;
  /** Columns that both have and that say something of the row, the key among them. */
  readonly columns: readonly string[];
  readonly signal: AbortSignal;
}

export interface Compared {
  readonly missing: number;
  readonly unexpected: number;
  readonly changed: number;
  readonly first: readonly RowDifference[];
}

/** Differences that are told of a table. */
const TOLD = 5;

/**
 * Compares two relations row by row, in no order, by key. A key that comes more than once is compared copy by copy, so
 * that a row which stayed behind twice is found too. Exact: decimals and timestamps are compared as such.
 */
export async function compareTable(comparison: Comparison): Promise<Compared> {
  const { engine, contract, released, rebuilt, columns, signal } = comparison;
  const { key } = contract;
  const twice = await repeatsKeys(comparison);
  const copy = `row_number() OVER (PARTITION BY ${key.join(', ')} ORDER BY ${columns.join(', ')})`;
  const side = (relation: string) =>
    `(SELECT ${columns.join(', ')}, TRUE AS _is_there, ${twice ? copy : '1'} AS _copy FROM ${relation})`;
  const on = [...key, ...(twice ? ['_copy'] : [])].map((name) => `a.${name} IS NOT DISTINCT FROM b.${name}`);
  const others = columns.filter((name) => !key.includes(name));
  const differs = others.map((name) => `a.${name} IS DISTINCT FROM b.${name}`);
  const differing = workName('differing', contract.name);
  try {
    const found = await engine.stage(
      differing,
      `SELECT CASE WHEN a._is_there IS NULL THEN 'missing' WHEN b._is_there IS NULL THEN 'unexpected' ELSE 'changed' END AS kind,
        ${key.map((name) => `coalesce(a.${name}, b.${name}) AS key_${name}`).join(', ')}
        ${others.map((name) => `, a.${name} AS released_${name}, b.${name} AS rebuilt_${name}`).join('')}
      FROM ${side(released)} a FULL JOIN ${side(rebuilt)} b ON ${on.join(' AND ')}
      WHERE a._is_there IS NULL OR b._is_there IS NULL ${differs.map((one) => `OR ${one}`).join(' ')}`,
      signal,
    );
    if (found === 0) return { missing: 0, unexpected: 0, changed: 0, first: [] };
    const counts = new Map(
      (await engine.query(`SELECT kind, count(*) AS n FROM ${differing} GROUP BY kind`)).map((row) => [
        String(row['kind']),
        Number(row['n']),
      ]),
    );
    const order = key.map((name) => `key_${name}`).join(', ');
    const rows = await engine.query(`SELECT * FROM ${differing} ORDER BY ${order} LIMIT ${TOLD}`);
    return {
      missing: counts.get('missing') ?? 0,
      unexpected: counts.get('unexpected') ?? 0,
      changed: counts.get('changed') ?? 0,
      first: rows.map((row) => toDifference(row, contract, others)),
    };
  } finally {
    await engine.drop(differing);
  }
}

async function repeatsKeys({ engine, contract, released, rebuilt, signal }: Comparison): Promise<boolean> {
  const key = contract.key.join(', ');
  const repeated = (relation: string) => `SELECT 1 FROM ${relation} GROUP BY ${key} HAVING count(*) > 1`;
  const found = await countOf(engine, `(${repeated(released)} UNION ALL ${repeated(rebuilt)})`, signal);
  return found > 0;
}

function toDifference(row: Row, contract: TableContract, others: readonly string[]): RowDifference {
  const kind = row['kind'] as RowDifference['kind'];
  const columns = lakeColumns(contract);
  const shown = (name: string, value: Value | undefined): Value => {
    if (value === undefined || value === null) return null;
    return columns[name]?.pii === undefined ? value : '***';
  };
  const differs = (name: string) => JSON.stringify(row[`released_${name}`]) !== JSON.stringify(row[`rebuilt_${name}`]);
  return {
    kind,
    key: Object.fromEntries(contract.key.map((name) => [name, shown(name, row[`key_${name}`])])),
    columns:
      kind === 'changed'
        ? others.filter(differs).map((name) => ({
            column: name,
            release: shown(name, row[`released_${name}`]),
            rebuilt: shown(name, row[`rebuilt_${name}`]),
          }))
        : [],
  };
}
