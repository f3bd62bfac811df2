import { inputsOf, inputTables, isSourceTable, type Catalogue, type Owner, type TableDefinition } from '#contracts';
import type { Engine } from '#engine';
import { planScope, type Change } from './affected.js';
import { lakeTables } from './lake-schema.js';
import { loadLanding } from './load-landing.js';
import { logicDigest } from './logic-digest.js';
import type { ParentState } from './parent-state.js';
import type { FileReport, RunReport } from './report.js';
import type { RunOptions } from './run.js';
import { runInOrder } from './schedule.js';
import { relationOf } from './sql-name.js';
import type { TableChange } from './table-change.js';
import {
  ensureJudged,
  sourceOf,
  transformQuery,
  transformSource,
  type TableOutcome,
  type TransformContext,
} from './transform.js';

export interface ComputeRequest extends RunOptions {
  readonly engine: Engine;
  readonly state: ParentState;
  readonly filesDir: string;
  /** RFC 3339; stamped on every row that changes. */
  readonly processedAt: string;
}

export type ComputedChange = TableChange & {
  readonly owner: Owner;
  readonly describes: string;
  readonly logic: string;
  readonly totalRows: number;
};

/** Everything a run computed and nobody has published. */
export interface ComputedRun {
  readonly mode: RunReport['mode'];
  readonly files: readonly FileReport[];
  readonly outcomes: readonly (TableOutcome & { readonly seconds: number })[];
  readonly changes: ReadonlyMap<string, ComputedChange>;
  /** Tables whose state the result follows from. */
  readonly readSet: ReadonlySet<string>;
  /** Loads that this run brought, by source. */
  readonly loads: ReadonlyMap<string, number>;
  readonly dates: Readonly<Record<string, string>>;
}

/** Tables computed side by side: more only share the same cores and the same memory limit. */
const SIDE_BY_SIDE = 2;

/** Loads what has landed and computes every table that it, a moved as_of or changed logic touches. */
export async function computeRun(request: ComputeRequest): Promise<ComputedRun> {
  const { catalogue, engine, state } = request;
  const dates = { as_of: request.asOf, date_from: request.dateFrom, date_to: request.dateTo };
  request.onProgress({ kind: 'stage', stage: 'load' });
  const landed = await loadLanding(request);
  const outcomes: (TableOutcome & { seconds: number })[] = [...landed.outcomes];
  const changes = new Map<string, Change>(landed.outcomes.map(({ table }) => [relationOf(table), { kind: 'all' }]));
  const asOfMoved = state.parent !== undefined && state.parent.as_of !== request.asOf;
  const readBy = validReaders(catalogue);
  const context: TransformContext = {
    engine,
    runId: request.runId,
    processedAt: request.processedAt,
    dates,
    filesDir: request.filesDir,
    lakeTables: new Map(lakeTables(catalogue).map((table) => [table.name, table])),
    prior: state.tables,
    judged: new Set(),
    loads: landed.loads,
    keepsValid: (table) => readBy.has(table.replace('silver/', 'valid.')),
    signal: request.signal,
  };
  const logic = new Map(
    catalogue.tables.map((table) => [table.contract.name, logicDigest(table, catalogue, request.prelude)]),
  );
  let done = 0;
  const run = async (definition: TableDefinition): Promise<void> => {
    const { name } = definition.contract;
    done += 1;
    const renewsLogic = state.parent?.tables[name]?.logic !== logic.get(name);
    const logicChanged = request.full || renewsLogic;
    // A stream's tables are its own; a batch run only makes them where they are missing.
    if (definition.contract.owner === 'stream' && state.tables.has(name)) return;
    if (planScope({ contract: definition.contract, changes, asOfMoved, logicChanged }).kind === 'none') return;
    const startedMs = request.clock.nowMs();
    for (const input of inputsOf(definition.sql)) {
      if (input.startsWith('valid.')) await ensureJudged(context, catalogue, input);
    }
    const results = isSourceTable(definition)
      ? await transformSource(context, definition, sourceOf(catalogue, definition.contract.source))
      : await transformQuery(context, definition);
    const seconds = (request.clock.nowMs() - startedMs) / 1000;
    for (const result of results) {
      // New logic that gives the same rows is recorded too: else every later run would compute them again.
      const change = result.change ?? (renewsLogic && result.table === name ? sameRows(result) : undefined);
      outcomes.push({ ...result, change, seconds });
      if (result.change !== undefined) changes.set(relationOf(result.table), { kind: 'all' });
    }
    // Losers count too: who reads every valid record sees more than the winners.
    if (isSourceTable(definition)) changes.set(relationOf(name).replace('silver.', 'valid.'), { kind: 'all' });
    const total = catalogue.tables.length;
    request.onProgress({ kind: 'table', table: name, rows: results[0]?.totalRows ?? 0, seconds, done, total });
  };
  request.onProgress({ kind: 'stage', stage: 'transform' });
  await runInOrder(
    catalogue.tables.map((definition) => ({
      name: relationOf(definition.contract.name),
      after: inputTables(definition).map(relationOf),
      run: () => run(definition),
    })),
    SIDE_BY_SIDE,
  );
  const order = new Map(lakeTables(catalogue).map(({ name }, at) => [name, at]));
  outcomes.sort((a, b) => (order.get(a.table) ?? 0) - (order.get(b.table) ?? 0));
  return {
    mode: outcomes.some(({ change }) => change !== undefined) || request.full ? 'full' : 'none',
    files: landed.files,
    outcomes,
    changes: withOwners(outcomes, catalogue, logic),
    readSet: new Set(lakeTables(catalogue).map(({ name }) => name)),
    loads: landed.loads,
    dates,
  };
}

function sameRows({ table, live }: TableOutcome): TableChange {
  const { schema, partitionBy } = live;
  return { table, schema, partitionBy, redefines: 'keeps', added: [], removed: [] };
}

/** `valid.<table>` relations that some transform reads. */
function validReaders(catalogue: Catalogue): ReadonlySet<string> {
  return new Set(catalogue.tables.flatMap(({ sql }) => inputsOf(sql)).filter((input) => input.startsWith('valid.')));
}

function withOwners(
  outcomes: readonly TableOutcome[],
  catalogue: Catalogue,
  logic: ReadonlyMap<string, string>,
): ReadonlyMap<string, ComputedChange> {
  const described = new Map(lakeTables(catalogue).map((table) => [table.name, table]));
  return new Map(
    outcomes.flatMap(({ table, change, totalRows }) => {
      if (change === undefined) return [];
      const { owner = 'batch', describes = '' } = described.get(table) ?? {};
      return [[table, { ...change, owner, describes, logic: logic.get(table) ?? '', totalRows }] as const];
    }),
  );
}
