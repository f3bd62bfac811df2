import { assert } from '#errors';
import type { Engine } from '#engine';
import type { WithdrawnLoad } from '#releases';
import type { Change } from './affected.js';
import type { BronzeChange } from './bronze-change.js';
import type { LakeTable } from './lake-schema.js';
import { bindLive, countRows, sameShape, type LiveTable } from './live-table.js';
import { relationOf, workName } from './sql-name.js';
import { applyWrite, type TableChange } from './table-change.js';
import { restageChanged, stampOf, writeTable, type WriteRequest, type WriteResult } from './write-table.js';
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
  /** Every table as it stands in this run so far. */
  readonly current: Map<string, LiveTable>;
  /** The load that this run brought, by source. */
  readonly loads: ReadonlyMap<string, number>;
  /** Loads that do not count. */
  readonly withdrawn: readonly WithdrawnLoad[];
  /** What came to bronze and what went, by source. */
  readonly bronze: ReadonlyMap<string, BronzeChange>;
  /** What changed so far, by relation. */
  readonly changes: ReadonlyMap<string, Change>;
  /** Silver tables of which every record is judged and at hand. */
  readonly judged: Set<string>;
  /** Columns by which some table follows from every valid record of this one. */
  readonly validColumns: (table: string) => readonly string[];
  readonly signal: AbortSignal;
}

/** One table written (or found unchanged) and bound at its new state. */
export interface TableOutcome {
  readonly table: string;
  readonly key: readonly string[];
  readonly change: TableChange | undefined;
  /** The rows that went and came. */
  readonly changed: Change;
  readonly live: LiveTable;
  readonly write: WriteResult;
  readonly totalRows: number;
  readonly conservation: { readonly cumulative: Conservation; readonly run: Conservation } | undefined;
}

/** What a later attempt of the run needs of a table that this one wrote. */
export type FinishedTable = Pick<TableOutcome, 'table' | 'key' | 'write' | 'conservation'>;

export function finished({ table, key, write, conservation }: TableOutcome): FinishedTable {
  return { table, key, write, conservation };
}

/** Binds a table as an earlier attempt of the run left it; its changed rows, which died with that attempt, are staged again. */
export async function restore(
  context: TransformContext,
  { table, key, write, conservation }: FinishedTable,
): Promise<TableOutcome> {
  const { engine, signal } = context;
  const { shape, before } = shapeOf(context, table);
  if (before !== undefined && write.changed.kind === 'keys') {
    await restageChanged(
      { engine, table, key, schema: shape.schema, stamp: stampsOf(context, shape), signal },
      before,
      write,
    );
  }
  return { ...(await settle(context, table, key, write)), conservation };
}

export interface Rows {
  readonly table: string;
  /** A relation or query with every column of the table but its stamps. */
  readonly rows: string;
  readonly key: readonly string[];
  /** Only the rows of these units were computed; without it, all. */
  readonly scope?: NonNullable<WriteRequest['scope']>;
}

export async function write(context: TransformContext, { table, rows, key, scope }: Rows): Promise<TableOutcome> {
  const { engine, runId, filesDir, signal } = context;
  const { shape, before } = shapeOf(context, table);
  const result = await writeTable({
    engine,
    table,
    rows,
    key,
    schema: shape.schema,
    partitionBy: shape.partitionBy,
    layout: shape.layout,
    prior: before,
    ...(scope === undefined ? {} : { scope }),
    stamp: stampsOf(context, shape),
    dir: `${filesDir}/${table}`,
    filePrefix: runId,
    signal,
  });
  return settle(context, table, key, result);
}

/** Whether the parent release has the table with the schema of now, so that only some of it can be computed. */
export function isComparable(context: TransformContext, table: string): boolean {
  return shapeOf(context, table).before !== undefined;
}

/** Binds the table's parent state under a name of its own: the table's own name gets the new state. */
export async function bindPrior({ engine, prior }: TransformContext, table: string): Promise<string> {
  const live = prior.get(table);
  assert(live !== undefined, `the parent release has ${table}`);
  await bindLive(engine, priorName(table), live);
  return priorName(table);
}

/** A table as it lies in the lake, and in the parent release if rows can be compared with it. */
function shapeOf({ lakeTables, prior }: Pick<TransformContext, 'lakeTables' | 'prior'>, table: string) {
  const shape = lakeTables.get(table);
  assert(shape !== undefined, `${table} is in the catalogue`);
  const replaced = prior.get(table);
  const comparable = replaced !== undefined && sameShape(replaced, shape);
  return { shape, replaced, before: comparable ? replaced : undefined };
}

function stampsOf({ processedAt, runId }: TransformContext, { kind, schema }: LakeTable): WriteRequest['stamp'] {
  // A reject names the run that loaded it, whichever run judges it.
  return kind === 'quarantine' ? {} : stampOf(schema, processedAt, runId);
}

/** Binds a table with what was written on top. */
async function settle(
  context: TransformContext,
  table: string,
  key: readonly string[],
  result: WriteResult,
): Promise<TableOutcome> {
  const { change, live } = applyWrite({ table, ...shapeOf(context, table), result });
  await bindLive(context.engine, relationOf(table), live);
  const totalRows = await countRows(context.engine, relationOf(table), live);
  context.current.set(table, live);
  return { table, key, change, changed: result.changed, live, write: result, totalRows, conservation: undefined };
}

function priorName(table: string): string {
  return workName('prior', table);
}
