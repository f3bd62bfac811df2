import { inputRelations, inputTables, isSourceTable, type Catalogue, type Owner, type TableDefinition } from '#contracts';
import type { Engine } from '#engine';
import type { WithdrawnLoad } from '#releases';
import { planScope, withDependants, type Change } from './affected.js';
import { bindConsidered, withdrawnAfter } from './considered.js';
import { lakeTables } from './lake-schema.js';
import { loadLanding } from './load-landing.js';
import type { Landing } from './load/landing.js';
import { logicDigest, type LogicOptions } from './logic-digest.js';
import type { ParentState } from './parent-state.js';
import { stageOf, type Stage, type StageProgress } from './progress.js';
import type { FileReport, RunReport } from './report.js';
import type { RunJournal } from './run-journal.js';
import { runInOrder } from './schedule.js';
import { relationOf } from './sql-name.js';
import type { StageOptions } from './stage-run.js';
import type { TableChange } from './table-change.js';
import {
  ensureJudged,
  finished,
  restore,
  sourceOf,
  transformQuery,
  transformSource,
  type FinishedTable,
  type TableOutcome,
  type TransformContext,
} from './transform.js';

export interface ComputeRequest extends StageOptions {
  readonly engine: Engine;
  readonly state: ParentState;
  readonly journal: RunJournal;
  readonly stages: StageProgress;
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
  /** The last load that this run brought, by source. */
  readonly loads: ReadonlyMap<string, number>;
  /** Loads that count neither in this run nor later, until they are restored. */
  readonly withdrawn: readonly WithdrawnLoad[];
  /** Other loads are withdrawn than before: a release even where no table changed. */
  readonly movesLoads: boolean;
  readonly dates: Readonly<Record<string, string>>;
}

/** Tables computed side by side: more only share the same cores and the same memory limit. */
const SIDE_BY_SIDE = 2;

/** Loads what has landed and computes every table that it, a moved as_of, changed logic or the caller's wish touches. */
export async function computeRun(
  request: ComputeRequest,
  landing: Landing,
  logic: ReadonlyMap<string, string>,
): Promise<ComputedRun> {
  const { catalogue, engine, journal, stages, state } = request;
  const dates = { as_of: request.asOf, date_from: request.dateFrom, date_to: request.dateTo };
  const wanted = withDependants(request.tables ?? [], catalogue);
  const landed = await loadLanding(request, landing);
  const outcomes: (TableOutcome & { seconds: number })[] = [...landed.outcomes];
  const changes = new Map<string, Change>(landed.outcomes.map(({ table }) => [relationOf(table), { kind: 'all' }]));
  const before = state.parent?.withdrawn ?? [];
  const withdrawn = withdrawnAfter(before, request);
  const movesLoads = JSON.stringify(withdrawn) !== JSON.stringify(before);
  const live = new Map([...state.tables, ...landed.outcomes.map(({ table, live }) => [table, live] as const)]);
  for (const source of catalogue.sources) {
    const bronze = live.get(`bronze/${source.name}`);
    if (bronze !== undefined) await bindConsidered(engine, source, bronze, withdrawn);
    const loadsOf = (list: readonly WithdrawnLoad[]) =>
      JSON.stringify(list.filter((load) => load.source === source.name));
    if (loadsOf(withdrawn) !== loadsOf(before)) changes.set(`bronze.${source.name}`, { kind: 'all' });
  }
  const asOfMoved = state.parent !== undefined && state.parent.as_of !== request.asOf;
  const readBy = validReaders(catalogue);
  const context: TransformContext = {
    engine,
    runId: request.runId,
    processedAt: request.processedAt,
    dates,
    filesDir: journal.filesDir,
    lakeTables: new Map(lakeTables(catalogue).map((table) => [table.name, table])),
    prior: state.tables,
    judged: new Set(),
    loads: landed.loads,
    keepsValid: (table) => readBy.has(table.replace('silver/', 'valid.')),
    signal: request.signal,
  };
  const steps = new Map<Stage, number>(COMPUTING.map((stage) => [stage, 0]));
  for (const { contract } of catalogue.tables) steps.set(stageOf(contract), (steps.get(stageOf(contract)) ?? 0) + 1);
  for (const [stage, total] of steps) if (total === 0) stages.begin(stage, 0);
  const run = async (definition: TableDefinition): Promise<void> => {
    const { name } = definition.contract;
    const stage = stageOf(definition.contract);
    stages.begin(stage, steps.get(stage) ?? 0);
    const renewsLogic = state.parent?.tables[name]?.logic !== logic.get(name);
    const logicChanged = request.full || wanted.has(name) || renewsLogic;
    // A stream's tables are its own; a batch run only makes them where they are missing.
    const isOthers = definition.contract.owner === 'stream' && state.tables.has(name);
    if (isOthers || planScope({ contract: definition.contract, changes, asOfMoved, logicChanged }).kind === 'none') {
      stages.step(stage);
      return;
    }
    const { seconds, results } = await tableStep(request, context, definition);
    for (const result of results) {
      // New logic that gives the same rows is recorded too: else every later run would compute them again.
      const change = result.change ?? (renewsLogic && result.table === name ? sameRows(result) : undefined);
      outcomes.push({ ...result, change, seconds });
      if (result.change !== undefined) changes.set(relationOf(result.table), { kind: 'all' });
    }
    // Losers count too: who reads every valid record sees more than the winners.
    if (isSourceTable(definition)) changes.set(relationOf(name).replace('silver.', 'valid.'), { kind: 'all' });
    stages.step(stage, { kind: 'table', table: name, rows: results[0]?.totalRows ?? 0, seconds });
  };
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
    mode:
      outcomes.some(({ change }) => change !== undefined) || request.full || wanted.size > 0 || movesLoads
        ? 'full'
        : 'none',
    files: landed.files,
    outcomes,
    changes: withOwners(outcomes, catalogue, logic),
    readSet: new Set(lakeTables(catalogue).map(({ name }) => name)),
    loads: landed.lastLoads,
    withdrawn,
    movesLoads,
    dates,
  };
}

const COMPUTING = ['silver', 'gold', 'ml'] as const;

interface FinishedStep {
  readonly seconds: number;
  readonly tables: readonly FinishedTable[];
}

/** Computes a table with its rejects, or takes both as an earlier attempt of this run left them. */
async function tableStep(
  { catalogue, clock, journal }: ComputeRequest,
  context: TransformContext,
  definition: TableDefinition,
): Promise<{ readonly seconds: number; readonly results: readonly TableOutcome[] }> {
  const { name } = definition.contract;
  const recalled = (await journal.recall(name)) as FinishedStep | undefined;
  if (recalled !== undefined) {
    const results = [];
    for (const table of recalled.tables) results.push(await restore(context, table));
    return { seconds: recalled.seconds, results };
  }
  const startedMs = clock.nowMs();
  for (const input of inputRelations(definition)) {
    if (input.startsWith('valid.')) await ensureJudged(context, catalogue, input);
  }
  const results = isSourceTable(definition)
    ? await transformSource(context, definition, sourceOf(catalogue, definition.contract.source))
    : await transformQuery(context, definition);
  const seconds = (clock.nowMs() - startedMs) / 1000;
  await journal.record(name, { seconds, tables: results.map(finished) } satisfies FinishedStep);
  return { seconds, results };
}

/** What each computed table's rows follow from besides its inputs. */
export function logicDigests(options: LogicOptions): ReadonlyMap<string, string> {
  return new Map(options.catalogue.tables.map((table) => [table.contract.name, logicDigest(table, options)] as const));
}

function sameRows({ table, live }: TableOutcome): TableChange {
  const { schema, partitionBy } = live;
  return { table, schema, partitionBy, redefines: 'keeps', added: [], removed: [] };
}

/** `valid.<table>` relations that some transform reads. */
function validReaders(catalogue: Catalogue): ReadonlySet<string> {
  return new Set(catalogue.tables.flatMap(inputRelations).filter((input) => input.startsWith('valid.')));
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
