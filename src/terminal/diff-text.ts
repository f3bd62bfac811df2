import type { CauseChange, DailyChanges, TableDiff } from '#pipeline';
import { countText, tableText, type TextColumn } from './table-text.js';

export interface ReleaseDiff {
  readonly before: number;
  readonly after: number;
  readonly tables: readonly TableDiff[];
  readonly daily: DailyChanges | undefined;
}

/** Days that are printed; `--json` has more of them. */
const PRINTED_DAYS = 10;

/** What differs between two releases, for people: rows by table, figures by cause, and the days that moved most. */
export function diffText({ before, after, tables, daily }: ReleaseDiff): string {
  if (tables.length === 0) return `Releases ${before} and ${after} have the same rows.`;
  return [
    tableText(tableColumns, tables.map(tableRow)),
    ...tables.flatMap(({ table, columns_added, columns_removed }) => [
      ...columns_added.map((name) => `${table} has the new column ${name}`),
      ...columns_removed.map((name) => `${table} no longer has the column ${name}`),
    ]),
    ...(daily === undefined ? [] : dailyLines(daily)),
  ].join('\n');
}

const left = (title: string): TextColumn => ({ title, align: 'left' });
const right = (title: string): TextColumn => ({ title, align: 'right' });

const tableColumns: readonly TextColumn[] = [
  left('table'),
  ...['added', 'removed', 'changed', 'rows before', 'rows after'].map(right),
];

function tableRow({ table, added, removed, changed, rows_before, rows_after }: TableDiff): readonly string[] {
  return [table, ...[added, removed, changed, rows_before, rows_after].map(countText)];
}

function dailyLines({ table, total, causes, days }: DailyChanges): readonly string[] {
  if (total === 0) return ['', `No figure of ${table} moved.`];
  const names = Object.keys(days[0]?.change ?? {});
  const [first = ''] = names;
  const shown = days.slice(0, PRINTED_DAYS);
  return [
    '',
    `change of ${table} by cause`,
    tableText(
      [left('cause'), ...names.map(right)],
      causes.map((row) => [row.cause, ...names.map((n) => figure(row, n))]),
    ),
    '',
    `${countText(total)} days moved${total > shown.length ? `, the first ${shown.length} of them` : ''}`,
    tableText(
      [
        ...Object.keys(shown[0]?.key ?? {}).map(left),
        right(`${first} before`),
        right('after'),
        right('change'),
        left('by cause'),
      ],
      shown.map(({ key, before, after, change, causes: why }) => [
        ...Object.values(key).map((value) => (value === null ? 'NULL' : String(value))),
        ...[before, after].map((side) => (side === null ? '-' : String(side[first] ?? '-'))),
        signed(change[first]),
        why.map((row) => `${row.cause} ${figure(row, first)}`).join(', '),
      ]),
    ),
  ];
}

function figure({ change }: CauseChange, name: string): string {
  return signed(change[name]);
}

function signed(value: CauseChange['change'][string] | undefined): string {
  const text = String(value);
  return /^[1-9]|^0\.0*[1-9]/.test(text) ? `+${text}` : text;
}
