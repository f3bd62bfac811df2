import type { Catalogue, TableContract } from '#contracts';
import type { Engine } from '#engine';
import type { ComputedRun } from './compute.js';
import { countOf } from './count-of.js';
import { isConserved } from './conservation.js';
import { isFilledByStats } from './live-table.js';
import type { StageProgress } from './progress.js';
import { withDates } from './sql-name.js';
import type { CheckReport } from './report.js';

interface CheckRequest {
  readonly catalogue: Catalogue;
  readonly engine: Engine;
  readonly computed: ComputedRun;
  readonly stages: StageProgress;
  readonly signal: AbortSignal;
}

/** Runs the contract's checks of every table that was computed, on the staged state, and that no row was lost. */
export async function checkTables({
  catalogue,
  engine,
  computed,
  stages,
  signal,
}: CheckRequest): Promise<readonly CheckReport[]> {
  const checksOf = (table: string) => catalogue.byName.get(table)?.contract.checks ?? [];
  stages.begin(
    'checks',
    computed.outcomes.reduce(
      (sum, { table, conservation }) => sum + checksOf(table).length + (conservation === undefined ? 0 : 1),
      0,
    ),
  );
  const reports: CheckReport[] = [];
  const add = (...check: Parameters<typeof checkReport>) => {
    reports.push(checkReport(...check));
    stages.step('checks');
  };
  for (const { table, live, conservation } of computed.outcomes) {
    const contract = catalogue.byName.get(table)?.contract;
    for (const check of checksOf(table)) {
      const byStats =
        check.name === NEVER_NULL && contract !== undefined && isFilledByStats(live, requiredOf(contract));
      const failing = byStats ? 0 : await countOf(engine, `(${withDates(check.failing, computed.dates)}) f`, signal);
      add(table, check.name, check.severity, failing);
    }
    if (conservation !== undefined) {
      const lost = [conservation.run, conservation.cumulative].filter((counts) => !isConserved(counts)).length;
      add(table, 'rows_conserved', 'error', lost);
    }
  }
  return reports;
}

/** The files' own counts of NULLs spare reading every column of every row once more. */
const NEVER_NULL = 'never_null';

function requiredOf({ columns }: TableContract): readonly string[] {
  return Object.keys(columns).filter((name) => columns[name]?.nullable === false);
}

function checkReport(table: string, name: string, severity: 'error' | 'warn', failing: number): CheckReport {
  const [layer, ...rest] = table.split('/');
  return { table: rest.join('/'), layer: layer ?? '', name, severity, passed: failing === 0, failing_rows: failing };
}
