import { isSourceTable, type Catalogue, type SilverContract, type Source, type TableDefinition } from '#contracts';
import { quarantineOf, type LakeTable } from './lake-schema.js';
import type { Engine } from '#engine';
import { assert } from '#errors';
import { judge, judgedNames, rank, reject, winners, type JudgedTable } from './silver.js';
import { countConservation } from './conservation.js';
import { withMeasures } from './measures.js';
import { bindLive, countRows, sameSchema, type LiveTable } from './live-table.js';
import { stampOf, writeTable, type WriteResult } from './write-table.js';
import { applyWrite, type TableChange } from './table-change.js';
import { relationOf, withDates, workName } from './sql-name.js';
import type { Conservation } from './report.js';

export interface TransformContext {
  readonly engine: Engine;
  readonly runId: string;
  readonly processedAt: string;
  readonly dates: Readonly<Record<string, string>>;
  /** A local folder for this run's new files, one folder a table below it. */
  readonly filesDir: string;
  /** Every table as it lies in the lake, by name. */
  readonly lakeTables: ReadonlyMap<string, LakeTable>;
  /** The parent release's tables. */
  readonly prior: ReadonlyMap<string, LiveTable>;
  /** The load that this run brought, by source. */
  readonly loads: ReadonlyMap<string, number>;
  /** Silver tables whose records are judged and at hand. */
  readonly judged: Set<string>;
  /** Whether some other table reads every valid record of this one. */
  readonly keepsValid: (table: string) => boolean;
  readonly signal: AbortSignal;
}

/** One table written (or found unchanged) and bound at its new state. */
export interface TableOutcome {
  readonly table: string;
  readonly change: TableChange | undefined;
  readonly live: LiveTable;
  readonly write: WriteResult;
  readonly totalRows: number;
  readonly conservation: { readonly cumulative: Conservation; readonly run: Conservation } | undefined;
}

/** What a later attempt of the run needs of a table that this one wrote. */
export type FinishedTable = Pick<TableOutcome, 'table' | 'write' | 'conservation'>;

export function finished({ table, write, conservation }: TableOutcome): FinishedTable {
  return { table, write, conservation };
}

/** Binds a table as an earlier attempt of the run left it. */
export async function restore(
  context: TransformContext,
  { table, write, conservation }: FinishedTable,
): Promise<TableOutcome> {
  return { ...(await settle(context, table, write)), conservation };
}

/** Computes a silver table of a source and its quarantine. */
export async function transformSource(
  context: TransformContext,
  definition: TableDefinition & { readonly contract: SilverContract },
  source: Source,
): Promise<readonly TableOutcome[]> {
  const { engine, signal } = context;
  const table: JudgedTable = { contract: definition.contract, source, sql: definition.sql, dates: context.dates };
  const { judged, losers, rejects } = judgedNames(definition.contract.name);
  await judge(engine, table, signal);
  context.judged.add(definition.contract.name);
  await rank(engine, table, signal);
  await reject(engine, table, signal);
  const silver = await write(context, definition.contract.name, winners(table), definition.contract.key);
  const name = quarantineOf(definition.contract.name);
  const priorQuarantine = context.prior.has(name) ? await bindPrior(context, name) : undefined;
  const conservation = await countConservation({
    engine,
    table: definition.contract.name,
    source: source.name,
    load: context.loads.get(source.name),
    priorQuarantine,
  });
  const quarantine = await write(context, name, rejects, QUARANTINE_KEY);
  if (!context.keepsValid(definition.contract.name)) await engine.drop(judged);
  await engine.drop(losers);
  await engine.drop(rejects);
  return [{ ...silver, conservation }, quarantine];
}

/** Computes a table that is one query over other tables, and its orphans where it has any. */
export async function transformQuery(
  context: TransformContext,
  definition: TableDefinition,
): Promise<readonly TableOutcome[]> {
  const { contract, sql, orphansSql } = definition;
  const main = await withMeasures({ ...context, definition }, () =>
    write(context, contract.name, `(${withDates(sql, context.dates)})`, contract.key),
  );
  if (orphansSql === undefined) return [main];
  const rows = `(${withDates(orphansSql, context.dates)})`;
  const orphans = await write(context, quarantineOf(contract.name), rows, QUARANTINE_KEY);
  const counts = {
    rows_in: main.totalRows + orphans.totalRows,
    rows_out: main.totalRows,
    duplicates: 0,
    quarantined: orphans.totalRows,
  };
  return [{ ...main, conservation: { cumulative: counts, run: counts } }, orphans];
}

/** Judges a silver table's records for whoever reads `valid.<table>`, where this run has not done so already. */
export async function ensureJudged(context: TransformContext, catalogue: Catalogue, valid: string): Promise<void> {
  const definition = catalogue.byName.get(valid.replace('valid.', 'silver/'));
  if (definition === undefined || context.judged.has(definition.contract.name) || !isSourceTable(definition)) return;
  const source = sourceOf(catalogue, definition.contract.source);
  const { engine, dates, signal } = context;
  await judge(engine, { contract: definition.contract, source, sql: definition.sql, dates }, signal);
  context.judged.add(definition.contract.name);
}

export function sourceOf(catalogue: Catalogue, name: string): Source {
  const source = catalogue.sources.find((candidate) => candidate.name === name);
  assert(source !== undefined, `the catalogue has the source ${name}`);
  return source;
}

const QUARANTINE_KEY = ['source', '_batch_id', '_source_file', '_source_row'];

async function write(
  context: TransformContext,
  table: string,
  rows: string,
  key: readonly string[],
): Promise<TableOutcome> {
  const { engine, runId, processedAt, filesDir, signal } = context;
  const { shape, before } = shapeOf(context, table);
  const result = await writeTable({
    engine,
    table,
    rows,
    key,
    schema: shape.schema,
    partitionBy: shape.partitionBy,
    prior: before,
    // A reject names the run that loaded it, whichever run judges it.
    stamp: shape.kind === 'quarantine' ? {} : stampOf(shape.schema, processedAt, runId),
    dir: `${filesDir}/${table}`,
    filePrefix: runId,
    signal,
  });
  const outcome = await settle(context, table, result);
  if (result.changed.kind === 'keys') await engine.drop(result.changed.relation);
  await engine.drop(priorName(table));
  return outcome;
}

/** A table as it lies in the lake, and in the parent release if rows can be compared with it. */
function shapeOf({ lakeTables, prior }: TransformContext, table: string) {
  const shape = lakeTables.get(table);
  assert(shape !== undefined, `${table} is in the catalogue`);
  const replaced = prior.get(table);
  const comparable = replaced !== undefined && sameSchema(replaced.schema, shape.schema);
  return { shape, replaced, before: comparable ? replaced : undefined };
}

/** Binds a table with what was written on top. */
async function settle(context: TransformContext, table: string, write: WriteResult): Promise<TableOutcome> {
  const { change, live } = applyWrite({ table, ...shapeOf(context, table), result: write });
  await bindLive(context.engine, relationOf(table), live);
  const totalRows = await countRows(context.engine, relationOf(table), live);
  return { table, change, live, write, totalRows, conservation: undefined };
}

function priorName(table: string): string {
  return workName('prior', table);
}

async function bindPrior({ engine, prior }: TransformContext, table: string): Promise<string> {
  const live = prior.get(table);
  if (live !== undefined) await bindLive(engine, priorName(table), live);
  return priorName(table);
}
