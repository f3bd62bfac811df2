import type { ComputedRun } from './compute.js';
import type { CheckReport, RunReport, TableReport } from './report.js';

interface ReportParts {
  readonly runId: string;
  readonly release: number | null;
  readonly parent: number | null;
  readonly asOf: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly computed: ComputedRun;
  readonly checks: readonly CheckReport[];
}

/** Pure: the report of a run. A run that changed nothing lists no tables. */
export function buildReport(parts: ReportParts): RunReport {
  const { computed } = parts;
  return {
    run_id: parts.runId,
    release: parts.release,
    parent: parts.parent,
    as_of: parts.asOf,
    mode: computed.mode,
    started_at: parts.startedAt,
    finished_at: parts.finishedAt,
    files: computed.files,
    tables: computed.mode === 'none' ? [] : computed.outcomes.map(tableReport),
    checks: parts.checks,
  };
}

export function tableReport(outcome: ComputedRun['outcomes'][number]): TableReport {
  const [layer, ...rest] = outcome.table.split('/');
  const run = outcome.conservation?.run;
  return {
    table: rest.join('/'),
    layer: layer ?? '',
    rows_in: run?.rows_in ?? null,
    rows_out: run?.rows_out ?? null,
    duplicates: run?.duplicates ?? null,
    quarantined: run?.quarantined ?? null,
    inserted: outcome.write.inserted,
    updated: outcome.write.updated,
    deleted: outcome.write.deleted,
    files_added: outcome.change?.added.length ?? 0,
    files_removed: outcome.change?.removed.length ?? 0,
    total_rows: outcome.totalRows,
    seconds: outcome.seconds,
    cumulative: outcome.conservation?.cumulative ?? null,
  };
}
