import type { QueryColumn, Row, Value } from '#engine';
import { engineTextColumns, jsonRowWriter } from '#serving';
import { openRelease, writeAll } from '#platform';
import type { Call } from '../call.js';
import { usageError } from '../exit-code.js';
import { rowLayout, tableText } from '../terminal/table-text.js';

export interface SqlOptions {
  readonly select: string;
  readonly release?: number;
  readonly json?: true;
}

/** Rows that decide how wide the columns of the printed table are; later rows may stick out. */
const measuredRows = 1000;

export async function sqlCommand(call: Call, { select, release: number, json }: SqlOptions): Promise<void> {
  const { settings, terminal, signal } = call;
  const opened = await openRelease(settings, number);
  try {
    const { engine, release } = opened;
    await opened.seal();
    const query = withoutEnd(select);
    const columns = await engine.describe(query);
    const twice = columns.find(({ name }, i) => columns.findIndex((other) => other.name === name) < i);
    if (twice !== undefined) throw usageError(`two columns of the result are named ${twice.name}: rename one with AS`);
    const batches = engine.stream(query, [], signal);
    const text = json ? jsonDocument(columns, batches, release.number) : alignedText(columns, batches);
    await writeAll(terminal.out, text);
    if (!json) terminal.log('info', `(release ${release.number}, as of ${release.as_of})`);
  } finally {
    await opened.close();
  }
}

/** A semicolon and comments at the end are no second statement. */
function withoutEnd(sql: string): string {
  return sql.replace(/;(\s|--[^\n]*(\n|$))*$/, '');
}

async function* jsonDocument(
  columns: readonly QueryColumn[],
  batches: AsyncIterable<readonly Row[]>,
  release: number,
): AsyncIterable<string> {
  const jsonRow = jsonRowWriter(engineTextColumns(columns));
  let separator = '{"data":[';
  for await (const rows of batches) {
    for (const row of rows) {
      yield separator + jsonRow(row);
      separator = ',\n';
    }
  }
  yield `${separator === ',\n' ? '' : separator}],"release":${release}}\n`;
}

async function* alignedText(
  columns: readonly QueryColumn[],
  batches: AsyncIterable<readonly Row[]>,
): AsyncIterable<string> {
  const titles = columns.map(({ name, type }) => ({
    title: name,
    align: isNumber(type) ? ('right' as const) : ('left' as const),
  }));
  const cells = (row: Row) => columns.map(({ name }) => cellText(row[name] ?? null));
  let layout: ((row: readonly string[]) => string) | undefined;
  let measured: (readonly string[])[] = [];
  for await (const rows of batches) {
    if (layout !== undefined) {
      yield `${rows.map(cells).map(layout).join('\n')}\n`;
      continue;
    }
    measured.push(...rows.map(cells));
    if (measured.length < measuredRows) continue;
    layout = rowLayout(titles, measured);
    yield `${tableText(titles, measured)}\n`;
    measured = [];
  }
  if (layout === undefined) yield `${tableText(titles, measured)}\n`;
}

function cellText(value: Value): string {
  if (value === null) return 'NULL';
  return typeof value === 'object' ? JSON.stringify(value) : String(value).replaceAll(/[\r\n]+/g, ' ');
}

function isNumber(type: string): boolean {
  return /^(DECIMAL|U?(BIG|HUGE|SMALL|TINY)INT|U?INTEGER|DOUBLE|FLOAT)/.test(type) && !type.endsWith('[]');
}
