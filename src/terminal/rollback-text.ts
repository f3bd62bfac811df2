import { loadName, type RollbackReport } from '#pipeline';
import { countText, tableText, type TextColumn } from './table-text.js';

const columns: readonly TextColumn[] = [
  { title: 'table', align: 'left' },
  ...['rows before', 'rows now', 'files back', 'files out'].map((title) => ({ title, align: 'right' as const })),
];

/** A rollback for people: the tables that it restored, the loads that no longer count, and last the release. */
export function rollbackText(report: RollbackReport): string {
  const { mode, release, rollback_to, as_of, run_id, tables, withdrawn, restored } = report;
  if (mode === 'none') {
    return `Nothing to do: release ${release} has the state of release ${rollback_to} already. (run ${run_id})`;
  }
  const emptied = tables.filter((table) => table.emptied).map(nameOf);
  return [
    ...(tables.length === 0 ? [] : [tableText(columns, tables.map(cells))]),
    ...(emptied.length === 0
      ? []
      : [`Release ${rollback_to} did not have ${emptied.join(', ')}: empty until the next run computes it.`]),
    ...loadLines('withdrawn', withdrawn),
    ...loadLines('counting again', restored),
    ...(withdrawn.length === 0
      ? []
      : ['Bronze keeps their records; `npx shopsmart loads restore SOURCE/N` lets a load count again.']),
    `Release ${release} published: the state of release ${rollback_to}, as of ${as_of}. (run ${run_id})`,
  ].join('\n');
}

type Table = RollbackReport['tables'][number];
type Load = RollbackReport['withdrawn'][number];

function cells(table: Table): readonly string[] {
  const { rows_before, total_rows, files_added, files_removed } = table;
  return [nameOf(table), ...[rows_before, total_rows, files_added, files_removed].map(countText)];
}

function loadLines(what: string, loads: readonly Load[]): readonly string[] {
  if (loads.length === 0) return [];
  const lines = loads.map(
    (load) =>
      `  ${loadName(load)}: ${countText(load.files)} files, ${countText(load.records)} records of ${load.loaded_at}`,
  );
  return [`loads ${what}:`, ...lines];
}

function nameOf({ layer, table }: Table): string {
  return `${layer}/${table}`;
}
