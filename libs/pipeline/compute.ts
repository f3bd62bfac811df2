import { inputTables, isSourceTable, type Catalogue, type Owner, type TableDefinition } from '#contracts';
import type { Engine } from '#engine';
import type { WithdrawnLoad } from '#releases';
import { planScope, withDependants, type Change } from './affected.js';
import { bindConsidered, withdrawnAfter } from './considered.js';
import { lakeTables } from './lake-schema.js';
import { bindBronzeChange, type BronzeChange } from './bronze-change.js';
import { loadLanding } from './load-landing.js';
import { transformQuery } from './transform-query.js';
import { bindRejected, transformSource, type SourceScope } from './transform-source.js';
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
import { finished, restore, type FinishedTable, type TableOutcome, type TransformContext } from './transform.js';

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
  /** Tables that were computed by other logic than the parent's, or by wish: how their checks stood is not known. */
  readonly renewed: ReadonlySet<string>;
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
  const { parent } = state;
  const before = parent?.withdrawn ?? [];
  const withdrawn = withdrawnAfter(before, request);
  const movesLoads = JSON.stringify(withdrawn) !== JSON.stringify(before);
  const current = new Map([...state.tables, ...landed.outcomes.map(({ table, live }) => [table, live] as const)]);
  const bronze = new Map<string, BronzeChange>();
  for (const source of catalogue.sources) {
    const live = current.get(`bronze/${source.name}`);
    if (live !== undefined) await bindConsidered(engine, source, live, withdrawn);
    const change = await bindBronzeChange({ engine, source, prior: state.tables, current, landed, before, withdrawn });
    if (change !== undefined) bronze.set(source.name, change);
  }
  const changes = new Map<string, Change>(
    [...bronze].map(([source, { parsed }]) => [`bronze.${source}`, { kind: 'keys', relation: parsed }]),
  );
  const asOfMoved = parent !== undefined && parent.as_of !== request.asOf;
  // Rows that follow from a day that is taken back, and verdicts on records of days after it, are not looked for one by one.
  const isWhole = request.full || parent === undefined || request.asOf < parent.as_of;
  const context: TransformContext = {
    engine,
    runId: request.runId,
    processedAt: request.processedAt,
    dates,
    filesDir: journal.filesDir,
    lakeTables: new Map(lakeTables(catalogue).map((table) => [table.name, table])),
    prior: state.tables,
    current,
    judged: new Set(),
    loads: landed.loads,
    withdrawn,
    bronze,
    changes,
    validColumns: (table) => validColumns(catalogue, table),
    signal: request.signal,
  };
  const steps = new Map<Stage, number>(COMPUTING.map((stage) => [stage, 0]));
  for (const { contract } of catalogue.tables) steps.set(stageOf(contract), (steps.get(stageOf(contract)) ?? 0) + 1);
  for (const [stage, total] of steps) if (total === 0) stages.begin(stage, 0);
  const renewed = new Set<string>();
  const run = async (definition: TableDefinition): Promise<void> => {
    const { name } = definition.contract;
    const stage = stageOf(definition.contract);
    stages.begin(stage, steps.get(stage) ?? 0);
    const renewsLogic = state.parent?.tables[name]?.logic !== logic.get(name);
    const logicChanged = isWhole || wanted.has(name) || renewsLogic;
    if (logicChanged) renewed.add(name);
    // A stream's tables are its own; a batch run only makes them where they are missing.
    const isOthers = definition.contract.owner === 'stream' && state.tables.has(name);
    const rejudges = asOfMoved && definition.contract.recompute.asOf === 'rejects';
    const rejected =
      isSourceTable(definition) && rejudges && !logicChanged
        ? await bindRejected(context, catalogue, definition)
        : undefined;
    const question = { contract: definition.contract, changes, asOfMoved, logicChanged };
    const scope = planScope(rejected === undefined ? question : { ...question, rejected });
    if (isOthers || scope.kind === 'none') {
      stages.step(stage);
      return;
    }
    const { seconds, results, valid } = await tableStep(request, context, definition, { scope, rejudges });
    for (const result of results) {
      // New logic that gives the same rows is recorded too: else every later run would compute them again.
      const change = result.change ?? (renewsLogic && result.table === name ? sameRows(result) : undefined);
      outcomes.push({ ...result, change, seconds });
      // What follows from other logic follows from other rows, the same ones or not.
      if (result.change !== undefined)
        changes.set(relationOf(result.table), renewsLogic ? { kind: 'all' } : result.changed);
    }
    // Losers count too: who reads every valid record sees more than the winners.
    if (isSourceTable(definition)) changes.set(relationOf(name).replace('silver.', 'valid.'), valid);
    if (results.length === 0) stages.step(stage);
    else stages.step(stage, { kind: 'table', table: name, rows: results[0]?.totalRows ?? 0, seconds });
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
      isWhole || wanted.size > 0
        ? 'full'
        : movesLoads || outcomes.some(({ change }) => change !== undefined)
          ? 'incremental'
          : 'none',
    files: landed.files,
    outcomes,
    changes: withOwners(outcomes, catalogue, logic),
    renewed,
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

interface StepResult {
  readonly seconds: number;
  readonly results: readonly TableOutcome[];
  /** What changed of a source's valid records. */
  readonly valid: Change;
}

/** Computes a table with its rejects, or takes both as an earlier attempt of this run left them. */
async function tableStep(
  { catalogue, clock, journal }: ComputeRequest,
  context: TransformContext,
  definition: TableDefinition,
  what: SourceScope,
): Promise<StepResult> {
  const { name } = definition.contract;
  const recalled = (await journal.recall(name)) as FinishedStep | undefined;
  if (recalled !== undefined) {
    const results = [];
    for (const table of recalled.tables) results.push(await restore(context, table));
    // which of them changed was not kept
    return { seconds: recalled.seconds, results, valid: { kind: 'all' } };
  }
  const startedMs = clock.nowMs();
  const { outcomes: results, valid } = isSourceTable(definition)
    ? await transformSource(context, catalogue, definition, what)
    : { outcomes: await transformQuery(context, catalogue, definition, what.scope), valid: { kind: 'none' as const } };
  const seconds = (clock.nowMs() - startedMs) / 1000;
  await journal.record(name, { seconds, tables: results.map(finished) } satisfies FinishedStep);
  return { seconds, results, valid };
}

/** What each computed table's rows follow from besides its inputs. */
export function logicDigests(options: LogicOptions): ReadonlyMap<string, string> {
  return new Map(options.catalogue.tables.map((table) => [table.contract.name, logicDigest(table, options)] as const));
}

function sameRows({ table, live }: TableOutcome): TableChange {
  const { schema, partitionBy } = live;
  return { table, schema, partitionBy, redefines: 'keeps', added: [], removed: [], moved: [] };
}

/** The columns by which tables follow from every valid record of a silver table. */
function validColumns({ tables }: Catalogue, table: string): readonly string[] {
  const input = table.replace('silver/', 'valid.');
  const paths = tables.flatMap(({ contract }) => contract.recompute.from).filter((path) => path.input === input);
  return [...new Set(paths.flatMap(({ by }) => (by === 'all' ? [] : by)))];
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
