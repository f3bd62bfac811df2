import type { Engine } from '#engine';
import { FILE_COLUMN } from './live-table.js';

/** Two states of the same rows, told apart by their key; NULL equals NULL. */
export interface Sides {
  readonly key: readonly string[];
  /** Columns that make a row another one when they differ, the key among them. */
  readonly own: readonly string[];
  /** Relation with the own columns. */
  readonly after: string;
  /** Relation with the own columns and `FILE_COLUMN`. */
  readonly before: string;
}

export interface Counts {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * Stages the rows that differ: their own columns as they are now (of a row that went, only its key), the file that the
 * row before stands in, and how they differ (`_change`).
 */
export async function stageDifference(
  engine: Engine,
  name: string,
  sides: Sides,
  rows: { readonly after: number; readonly before: number },
  signal: AbortSignal,
): Promise<Counts> {
  const counts = await stage(engine, name, sides, differsIn(sides), signal);
  if (rows.after - counts.inserted === rows.before - counts.deleted) return counts;
  // A key that comes twice: every row is written as it is, so that the check on the key sees them.
  return stage(engine, name, sides, 'TRUE', signal);
}

async function stage(
  engine: Engine,
  name: string,
  { key, own, after, before }: Sides,
  differs: string,
  signal: AbortSignal,
): Promise<Counts> {
  const columns = own.map((column) =>
    key.includes(column) ? `CASE WHEN n._new THEN n.${column} ELSE p.${column} END AS ${column}` : `n.${column}`,
  );
  await engine.stage(
    name,
    `SELECT ${columns.join(', ')}, p.${FILE_COLUMN},
      CASE WHEN p.${FILE_COLUMN} IS NULL THEN 'inserted' WHEN n._new THEN 'updated' ELSE 'deleted' END AS _change
    FROM (SELECT *, TRUE AS _new FROM ${after}) n FULL JOIN ${before} p ON ${sameKey(key, 'n', 'p')}
    WHERE n._new IS NULL OR p.${FILE_COLUMN} IS NULL OR ${differs}`,
    signal,
  );
  const counts = await engine.query(`SELECT _change, count(*) AS n FROM ${name} GROUP BY _change`);
  const count = (change: string) => Number(counts.find((row) => row['_change'] === change)?.['n'] ?? 0);
  return { inserted: count('inserted'), updated: count('updated'), deleted: count('deleted') };
}

/** The rows that came, as they are now: own columns. */
export function cameRows(difference: string, own: readonly string[]): string {
  return `SELECT ${own.join(', ')} FROM ${difference} WHERE _change <> 'deleted'`;
}

/** Rows of `before` that are in the difference, or that are not. `before` holds every file that the difference names. */
export function beforeRows(
  difference: string,
  { key, before }: { readonly key: readonly string[]; readonly before: string },
  columns: readonly string[],
  which: 'differing' | 'same',
): string {
  return `SELECT ${columns.map((column) => `p.${column}`).join(', ')} FROM ${before} p
    WHERE ${which === 'same' ? 'NOT ' : ''}EXISTS (
      SELECT 1 FROM ${difference} d WHERE d._change <> 'inserted' AND ${sameKey(key, 'd', 'p')})`;
}

/** Numbers of the files that hold a row which changed or went. */
export async function touchedFiles(engine: Engine, difference: string): Promise<readonly number[]> {
  const rows = await engine.query(
    `SELECT DISTINCT ${FILE_COLUMN} AS file FROM ${difference} WHERE ${FILE_COLUMN} IS NOT NULL ORDER BY file`,
    [],
    { maxRows: 1_000_000 },
  );
  return rows.map((row) => Number(row['file']));
}

function sameKey(key: readonly string[], left: string, right: string): string {
  return key.map((name) => `${left}.${name} IS NOT DISTINCT FROM ${right}.${name}`).join(' AND ');
}

function differsIn({ key, own }: Sides): string {
  const others = own.filter((name) => !key.includes(name));
  return others.map((name) => `n.${name} IS DISTINCT FROM p.${name}`).join(' OR ') || 'FALSE';
}
