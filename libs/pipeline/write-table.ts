import type { Engine, WrittenFile } from '#engine';
import type { Schema } from '#delta';
import { countOf } from './count-of.js';
import { literal, workName } from './sql-name.js';

export interface WriteRequest {
  readonly engine: Engine;
  readonly table: string;
  /** Columns that tell rows apart; NULL equals NULL. */
  readonly key: readonly string[];
  readonly partitionBy: readonly string[];
  readonly schema: Schema;
  /** A relation or query with every column of the schema but `_processed_at` and `_run_id`. */
  readonly rows: string;
  /** Relation of the table in the parent release, when it has one of the same schema. */
  readonly prior: string | undefined;
  /** The stamp columns this table carries (a subset of `_processed_at`, `_run_id`). */
  readonly stamp: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly filePrefix: string;
  readonly signal: AbortSignal;
}

export interface WriteResult {
  readonly written: readonly WrittenFile[];
  /** Partition tuples of the parent's files that are replaced, as the log writes them; `all` for the whole table. */
  readonly replaced: 'none' | 'all' | readonly (readonly (string | null)[])[];
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * Writes what differs from the parent release and nothing else: partitions in which no row changed keep their files,
 * and a row whose own columns did not change keeps its stamp.
 */
export async function writeTable(request: WriteRequest): Promise<WriteResult> {
  return request.prior === undefined ? writeAll(request) : writeChanges(request, request.prior);
}

async function writeAll(request: WriteRequest): Promise<WriteResult> {
  const { engine, rows, schema, stamp, dir, filePrefix, partitionBy, signal } = request;
  const columns = schema.map(({ name }) => (name in stamp ? `${stamp[name]} AS ${name}` : name));
  const written = await engine.materialise(
    `SELECT ${columns.join(', ')} FROM ${rows}`,
    { dir, filePrefix, schema, partitionBy },
    signal,
  );
  return { written, replaced: 'all', inserted: sum(written.map((file) => file.rows)), updated: 0, deleted: 0 };
}

async function writeChanges(request: WriteRequest, prior: string): Promise<WriteResult> {
  const { engine, table, key, schema, stamp, rows, partitionBy, signal } = request;
  const own = schema.map(({ name }) => name).filter((name) => !(name in stamp));
  const on = key.map((name) => `n.${name} IS NOT DISTINCT FROM p.${name}`).join(' AND ');
  const differs = own
    .filter((name) => !key.includes(name))
    .map((name) => `n.${name} IS DISTINCT FROM p.${name}`)
    .join(' OR ');
  const merged = workName('merged', table);
  const touched = workName('touched', table);
  try {
    await engine.stage(
      merged,
      `SELECT ${[
        ...own.map((name) => `n.${name}`),
        ...Object.keys(stamp).map((name) => `p.${name} AS prior${name}`),
        ...partitionBy.map((name) => `p.${name} AS prior_${name}`),
      ].join(', ')},
        CASE WHEN p._prior IS NULL THEN 'inserted' WHEN ${differs || 'FALSE'} THEN 'updated' ELSE 'same' END AS _change
      FROM ${rows} n LEFT JOIN (SELECT *, TRUE AS _prior FROM ${prior}) p ON ${on}`,
      signal,
    );
    const gone = `(SELECT * FROM ${prior} p WHERE NOT EXISTS (SELECT 1 FROM ${merged} n WHERE ${on}))`;
    const counts = new Map(
      (await engine.query(`SELECT _change, count(*) AS n FROM ${merged} GROUP BY _change`)).map((row) => [
        String(row['_change']),
        Number(row['n']),
      ]),
    );
    const deleted = await countOf(engine, gone);
    const change = { inserted: counts.get('inserted') ?? 0, updated: counts.get('updated') ?? 0, deleted };
    if (change.inserted + change.updated + change.deleted === 0) return { written: [], replaced: 'none', ...change };

    const columns = schema.map(({ name }) =>
      name in stamp
        ? `CASE WHEN n._change = 'same' THEN n.prior${name} ELSE ${stamp[name]} END AS ${name}`
        : `n.${name}`,
    );
    let where = '';
    let replaced: WriteResult['replaced'] = 'all';
    if (partitionBy.length > 0) {
      const tuple = partitionBy.join(', ');
      const before = partitionBy.map((name) => `prior_${name} AS ${name}`).join(', ');
      await engine.stage(
        touched,
        `SELECT ${tuple} FROM ${merged} WHERE _change <> 'same'
        UNION SELECT ${before} FROM ${merged} WHERE _change = 'updated' UNION SELECT ${tuple} FROM ${gone}`,
        signal,
      );
      const same = partitionBy.map((name) => `t.${name} IS NOT DISTINCT FROM n.${name}`).join(' AND ');
      where = ` WHERE EXISTS (SELECT 1 FROM ${touched} t WHERE ${same})`;
      const tuples = await engine.query(`SELECT ${tuple} FROM ${touched}`, [], { maxRows: 100_000 });
      replaced = tuples.map((row) =>
        partitionBy.map((name) => (row[name] === null || row[name] === '' ? null : String(row[name]))),
      );
    }
    const written = await engine.materialise(
      `SELECT ${columns.join(', ')} FROM ${merged} n${where}`,
      { dir: request.dir, filePrefix: request.filePrefix, schema, partitionBy },
      signal,
    );
    return { written, replaced, ...change };
  } finally {
    await engine.drop(merged);
    await engine.drop(touched);
  }
}

/** The stamp columns among a schema's, with what this run writes into them. */
export function stampOf(schema: Schema, processedAt: string, runId: string): Readonly<Record<string, string>> {
  const all: Record<string, string> = {
    _processed_at: `TIMESTAMPTZ ${literal(processedAt)}`,
    _run_id: literal(runId),
  };
  return Object.fromEntries(schema.filter(({ name }) => name in all).map(({ name }) => [name, all[name] ?? 'NULL']));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
