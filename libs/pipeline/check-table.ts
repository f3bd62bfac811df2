import type { Catalogue, TableContract } from '#contracts';
import type { Engine } from '#engine';
import type { ComputedRun } from './compute.js';
import { countOf } from './count-of.js';
import { isConserved } from './conservation.js';
import { isFilledByStats } from './live-table.js';
import { withDates } from './sql-name.js';
import type { CheckReport } from './report.js';

interface CheckRequest {
  readonly catalogue: Catalogue;
  readonly engine: Engine;
  readonly computed: ComputedRun;
  readonly signal: AbortSignal;
}

/** Runs the contract's checks of every table that was computed, on the staged state, and that no row was lost. */
export async function checkTables({
  catalogue,
  engine,
  computed,
  signal,
}: CheckRequest): Promise<readonly CheckReport[]> {
  const reports: CheckReport[] = [];
  for (const { table, live, conservation } of computed.outcomes) {
    const contract = catalogue.byName.get(table)?.contract;
    for (const check of contract?.checks ?? []) {
      if (check.name === NEVER_NULL && contract !== undefined && isFilledByStats(live, requiredOf(contract))) {
        reports.push(checkReport(table, check.name, check.severity, 0));
        continue;
      }
      const failing = await countOf(engine, `(${withDates(check.failing, computed.dates)}) f`, signal);
      reports.push(checkReport(table, check.name, check.severity, failing));
    }
    if (conservation !== undefined) {
      const lost = [conservation.run, conservation.cumulative].filter((counts) => !isConserved(counts)).length;
      reports.push(checkReport(table, 'rows_conserved', 'error', lost));
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
