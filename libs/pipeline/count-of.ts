import type { Engine } from '#engine';

/** How many rows a FROM clause gives: a relation, or a query in parentheses, and what may follow it. */
export async function countOf(engine: Engine, from: string, signal?: AbortSignal): Promise<number> {
  const rows = await engine.query(`SELECT count(*) AS n FROM ${from}`, [], signal === undefined ? {} : { signal });
  return Number(rows[0]?.['n'] ?? 0);
}
