import type { MovedFigure, MovedFigures, RunPlan, TablePlan } from '#pipeline';
import { checkLines, fileLines, nameOf } from './report-text.js';
import { countText, tableText, type TextColumn } from './table-text.js';

/** Days that are printed; `--json` has more of them. */
const PRINTED_DAYS = 10;

/** A plan for people: the tables that would change, the files, the checks, the figures, and last what it comes to. */
export function planText(plan: RunPlan): string {
  const changed = plan.tables.filter(({ changed_keys, files_added, files_removed }) => {
    return changed_keys + files_added + files_removed > 0;
  });
  return [
    ...(changed.length === 0 ? [] : [tableText(tableColumns, changed.map(tableRow)), '']),
    ...sameLine(plan.tables.filter((table) => !changed.includes(table))),
    ...fileLines(plan),
    ...checkLines(plan),
    ...figureLines(plan.figures),
    outcomeLine(plan),
  ].join('\n');
}

const right = (title: string): TextColumn => ({ title, align: 'right' });

const tableColumns: readonly TextColumn[] = [
  { title: 'table', align: 'left' },
  ...['inserted', 'updated', 'deleted', 'rows then', 'files written', 'bytes', 'rows', 'files dropped'].map(right),
  right('partitions'),
];

function tableRow(table: TablePlan): readonly string[] {
  const { inserted, updated, deleted, total_rows, files_added, bytes_added, rows_written } = table;
  const counts = [inserted, updated, deleted, total_rows, files_added, bytes_added, rows_written];
  return [nameOf(table), ...[...counts, table.files_removed, table.partitions].map(countText)];
}

function sameLine(same: readonly TablePlan[]): readonly string[] {
  return same.length === 0 ? [] : [`computed, and the same as before: ${same.map(nameOf).join(', ')}`];
}

function figureLines(figures: MovedFigures | null): readonly string[] {
  if (figures === null || figures.total === 0) return [];
  const shown = figures.moved.slice(0, PRINTED_DAYS);
  const keys = Object.keys(shown[0]?.key ?? {});
  const names = Object.keys({ ...shown[0]?.before, ...shown[0]?.after });
  const columns = [
    ...keys.map((title): TextColumn => ({ title, align: 'left' })),
    ...names.flatMap((name) => [right(name), right('→')]),
  ];
  const rest = figures.total - shown.length;
  return [
    '',
    `figures of ${figures.table} that would move: ${countText(figures.total)}${rest > 0 ? `, the first ${shown.length} of them` : ''}`,
    tableText(
      columns,
      shown.map((row) => figureRow(row, names)),
    ),
    '',
  ];
}

function figureRow({ key, before, after }: MovedFigure, names: readonly string[]): readonly string[] {
  const keys = Object.values(key).map((value) => (value === null ? 'NULL' : String(value)));
  const figure = (side: MovedFigure['before'], name: string) => String(side?.[name] ?? '-');
  return [
    ...keys,
    ...names.flatMap((name) => {
      const [was, is] = [figure(before, name), figure(after, name)];
      return was === is ? [was, '='] : [was, is];
    }),
  ];
}

function outcomeLine({ outcome, release, release_as_of, as_of }: RunPlan): string {
  const from = `release ${String(release)} (as of ${String(release_as_of)})`;
  switch (outcome) {
    case 'publish':
      return release === null
        ? `A run would publish the first release, as of ${as_of}. Nothing was changed.`
        : `A run would publish a release after ${from}, as of ${as_of}. Nothing was changed.`;
    case 'check_failed':
      return 'A run would publish nothing: a check would fail. Nothing was changed.';
    case 'nothing_new':
      return release === null
        ? 'Nothing to do, and no release yet: no source file was found.'
        : `Nothing to do: a run would leave ${from} as it is.`;
  }
}
