import type { Engine } from '#engine';
import { filesHolding, type Units } from './holding-files.js';
import { bindLive, countRows, type LiveTable } from './live-table.js';
import { semiJoin } from './semi-join.js';
import { relationOf, workName } from './sql-name.js';

/** Below this many units a table is never computed as a whole for their sake. */
const FEW_UNITS = 20_000;
/** Above this share of its rows, computing all of a table costs less than picking the rows of its units out of its inputs. */
const LARGE_SHARE = 0.25;

/** Computes which units a change touches, each once. The caller drops the relation. */
export async function stageUnits(
  engine: Engine,
  table: string,
  sql: string,
  by: readonly string[],
  signal: AbortSignal,
): Promise<Units> {
  const relation = workName('scope', table);
  const count = await engine.stage(relation, `SELECT DISTINCT ${by.join(', ')} FROM (${sql}) u`, signal);
  return { relation, by, count };
}

/** Whether so many units of a table are touched that it is cheaper to compute, or to check, all of it. */
export async function isMost(engine: Engine, table: string, units: number, live: LiveTable): Promise<boolean> {
  if (units <= FEW_UNITS) return false;
  return units > LARGE_SHARE * (await countRows(engine, relationOf(table), live));
}

/**
 * Stages the rows of a table that belong to the units under `name`; `columns` of the table are the units', in their
 * order. Files that hold none are not read.
 */
export async function stageRowsOf(
  engine: Engine,
  { name, live, columns }: { name: string; live: LiveTable; columns: readonly string[] },
  units: Units,
  signal: AbortSignal,
): Promise<void> {
  const renamed = `${name}_units`;
  const holding = `${name}_files`;
  await engine.define(
    renamed,
    `SELECT ${columns.map((column, n) => `${units.by[n] ?? column} AS ${column}`).join(', ')} FROM ${units.relation}`,
  );
  try {
    const numbers = await filesHolding(
      engine,
      name.replace('work.', ''),
      live,
      { ...units, relation: renamed, by: columns },
      signal,
    );
    await bindLive(engine, holding, { ...live, files: numbers.flatMap((number) => live.files[number] ?? []) });
    await engine.stage(
      name,
      `SELECT x.* FROM ${holding} x${await semiJoin(engine, 'x', { relation: renamed, by: columns })}`,
      signal,
    );
  } finally {
    await engine.drop(holding);
    await engine.drop(renamed);
  }
}
