import {
  checkedRelations,
  failingAmong,
  touchedRows,
  touchedUnits,
  type Catalogue,
  type Check,
  type CheckedRelation,
  type TableContract,
} from '#contracts';
import type { Engine } from '#engine';
import type { Change } from './affected.js';
import type { ComputedRun } from './compute.js';
import { countOf } from './count-of.js';
import { isConserved } from './conservation.js';
import { isFilledByStats } from './live-table.js';
import type { StageProgress } from './progress.js';
import { relationOf, withDates, workName } from './sql-name.js';
import type { CheckReport } from './report.js';
import { isMost } from './units.js';

interface CheckRequest {
  readonly catalogue: Catalogue;
  readonly engine: Engine;
  readonly computed: ComputedRun;
  readonly stages: StageProgress;
  readonly signal: AbortSignal;
}

/**
 * Checks the staged state, and that no row was lost. An `error` check passed in the parent release, so it looks at what
 * changed in any table that it reads; where logic is new or nothing is known of the change, at everything.
 */
export async function checkTables(request: CheckRequest): Promise<readonly CheckReport[]> {
  const { catalogue, computed, stages } = request;
  const planned = planChecks(catalogue, computed);
  const conserved = computed.outcomes.filter(({ conservation }) => conservation !== undefined);
  stages.begin('checks', planned.length + conserved.length);
  const reports: CheckReport[] = [];
  const add = (...check: Parameters<typeof checkReport>) => {
    reports.push(checkReport(...check));
    stages.step('checks');
  };
  for (const plan of planned) add(plan.contract.name, plan.check, await failingRows(request, plan));
  for (const { table, conservation } of conserved) {
    const counts = conservation === undefined ? [] : [conservation.run, conservation.cumulative];
    const lost = counts.filter((count) => !isConserved(count)).length;
    add(table, { name: 'rows_conserved', severity: 'error' }, lost);
  }
  return reports;
}

interface PlannedCheck {
  readonly contract: TableContract;
  readonly check: Check;
  /** Relations that changed, of those that the check reads; or the whole tables are looked at. */
  readonly changed: 'whole' | readonly CheckedRelation[];
}

/** Pure: which checks a run has to make, and of what. */
function planChecks(catalogue: Catalogue, { outcomes, renewed }: ComputedRun): readonly PlannedCheck[] {
  const columns = new Map(catalogue.contracts.map((contract) => [relationOf(contract.name), contract.columns]));
  const changes = new Map<string, Change>(outcomes.map(({ table, changed }) => [relationOf(table), changed]));
  const computed = new Set(outcomes.map(({ table }) => table));
  return catalogue.tables.flatMap(({ contract }) =>
    contract.checks.flatMap((check): readonly PlannedCheck[] => {
      if (renewed.has(contract.name) || namesDay(check)) return [{ contract, check, changed: 'whole' }];
      const read = checkedRelations(check).map((name) => ({ name, change: changes.get(name) ?? { kind: 'none' } }));
      if (read.every(({ change }) => change.kind === 'none')) return [];
      // Whether a warning was given before is not known; only the table's own change asks for it again.
      if (check.severity === 'warn') {
        return computed.has(contract.name) ? [{ contract, check, changed: 'whole' }] : [];
      }
      if (read.some(({ change }) => change.kind === 'all')) return [{ contract, check, changed: 'whole' }];
      const changed = read.flatMap(({ name, change }) =>
        change.kind === 'keys' ? [{ name, columns: columns.get(name) ?? {}, changed: change.relation }] : [],
      );
      return [{ contract, check, changed }];
    }),
  );
}

/** The verdict may turn although no row does. */
function namesDay({ failing }: Check): boolean {
  return failing.includes(':as_of');
}

async function failingRows(request: CheckRequest, { contract, check, changed }: PlannedCheck): Promise<number> {
  const { catalogue, computed, engine, signal } = request;
  const outcome = computed.outcomes.find(({ table }) => table === contract.name);
  if (check.name === NEVER_NULL && outcome !== undefined && isFilledByStats(outcome.live, requiredOf(contract)))
    return 0;
  const count = (sql: string) => countOf(engine, `(${withDates(sql, computed.dates)}) f`, signal);
  if (changed === 'whole') return count(check.failing);
  const touched = touchedUnits(check, changed);
  if (touched === undefined) {
    for (const relation of changed) if ((await count(touchedRows(check, relation))) > 0) return count(check.failing);
    return 0;
  }
  const units = workName(`touched_${check.name}`, contract.name);
  try {
    const among = await engine.stage(units, touched, signal);
    if (among === 0) return 0;
    if (outcome !== undefined && (await isMost(engine, contract.name, among, outcome.live))) {
      return await count(check.failing);
    }
    const columns = new Map(catalogue.contracts.map(({ name, columns }) => [relationOf(name), columns]));
    return await count(failingAmong(check, (relation) => columns.get(relation) ?? {}, units));
  } finally {
    await engine.drop(units);
  }
}

/** The files' own counts of NULLs spare reading every column of every row once more. */
const NEVER_NULL = 'never_null';

function requiredOf({ columns }: TableContract): readonly string[] {
  return Object.keys(columns).filter((name) => columns[name]?.nullable === false);
}

function checkReport(
  table: string,
  { name, severity }: Pick<Check, 'name' | 'severity'>,
  failing: number,
): CheckReport {
  const [layer, ...rest] = table.split('/');
  return { table: rest.join('/'), layer: layer ?? '', name, severity, passed: failing === 0, failing_rows: failing };
}
