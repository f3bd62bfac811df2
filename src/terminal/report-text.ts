import type { RunReport, TableReport } from '#pipeline';
import { countText, tableText, type TextColumn } from './table-text.js';

const columns: readonly TextColumn[] = [
  { title: 'table', align: 'left' },
  ...['rows in', 'rows out', 'duplicates', 'quarantined', 'inserted', 'updated', 'deleted', 'total', 'seconds'].map(
    (title) => ({ title, align: 'right' as const }),
  ),
];

/** The run report for people: a line for each table, the equations, the checks, the files, and last the release. */
export function reportText(report: RunReport): string {
  const parts =
    report.tables.length === 0 ? [] : [tableText(columns, report.tables.map(tableRow)), equationText(report)];
  return [...parts, ...fileLines(report), ...checkLines(report), releaseLine(report)].join('\n');
}

/** Whether every counted table keeps rows in = rows out + duplicates + quarantined. */
function equationText({ tables }: RunReport): string {
  const counted = tables.filter(({ rows_in }) => rows_in !== null);
  const broken = counted.filter(
    ({ rows_in, rows_out, duplicates, quarantined }) =>
      rows_in !== (rows_out ?? 0) + (duplicates ?? 0) + (quarantined ?? 0),
  );
  const verdict = broken.length === 0 ? 'holds' : `is BROKEN for ${broken.map(nameOf).join(', ')};`;
  return `\nrows in = rows out + duplicates + quarantined ${verdict} (${counted.length} tables counted)`;
}

export function fileLines({ files }: Pick<RunReport, 'files'>): readonly string[] {
  const of = (outcome: string) => files.filter((file) => file.outcome === outcome);
  const counts = [
    [of('loaded').length, 'loaded'],
    [of('repeat').length, 'with bytes loaded before'],
    [of('waiting').length, 'waiting for the next run'],
    [of('skipped').length, 'left alone'],
  ] as const;
  const said = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const notes = files.filter(({ note }) => note !== null).map(({ path, note }) => `  ${path}: ${note}`);
  return said.length === 0 ? [] : [`files: ${said.join(', ')}`, ...notes];
}

export function checkLines({ checks }: Pick<RunReport, 'checks'>): readonly string[] {
  if (checks.length === 0) return [];
  const failed = checks.filter(({ passed }) => !passed);
  const errors = failed.filter(({ severity }) => severity === 'error').length;
  const warnings = failed.length - errors;
  return [
    `checks: ${checks.length - failed.length} passed, ${errors} failed, ${warnings} with a warning`,
    ...failed.map(
      (check) =>
        `  ${check.severity === 'error' ? 'FAILED' : 'warning'} ${nameOf(check)} ${check.name}: ${countText(check.failing_rows)} rows`,
    ),
  ];
}

function releaseLine({ mode, release, parent, as_of, run_id, checks }: RunReport): string {
  if (checks.some(({ severity, passed }) => severity === 'error' && !passed))
    return `Nothing was published: a check failed. ${parent === null ? 'There is no release yet.' : `Release ${parent} keeps serving.`} (run ${run_id})`;
  if (mode === 'none')
    return release === null
      ? `Nothing to do, and no release yet: no source file was found. (run ${run_id})`
      : `Nothing new: release ${release} is current. (run ${run_id})`;
  return `Release ${String(release)} published, as of ${as_of}. (run ${run_id})`;
}

function tableRow(table: TableReport): readonly string[] {
  const { rows_in, rows_out, duplicates, quarantined, inserted, updated, deleted, total_rows, seconds } = table;
  const counts = [rows_in, rows_out, duplicates, quarantined, inserted, updated, deleted, total_rows];
  return [nameOf(table), ...counts.map(countText), seconds.toFixed(2)];
}

export function nameOf({ layer, table }: { readonly layer: string; readonly table: string }): string {
  return `${layer}/${table}`;
}
