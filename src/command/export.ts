import { extname } from 'node:path';
import type { Row } from '#engine';
import { csvHeader, csvRowWriter, engineTextColumns, jsonRowWriter } from '#serving';
import type { Call } from '../call.js';
import { openRelease, type OpenRelease } from '../composition.js';
import { usageError } from '../exit-code.js';
import { resolveRelation } from '../output/relation.js';
import { replaceFile, writeWhole } from '../output/whole-file.js';

export interface ExportOptions {
  readonly table: string;
  readonly release?: number;
  readonly format?: string;
  readonly out?: string;
}

type Format = (typeof formats)[number];

const formats = ['parquet', 'csv', 'ndjson'] as const;

export async function exportCommand(
  call: Call,
  { table, release: number, format: asked, out }: ExportOptions,
): Promise<void> {
  const format = formatOf(asked, out);
  if (format === 'parquet' && out === undefined) throw usageError('parquet needs a file: add --out FILE');
  const opened = await openRelease(call, number);
  try {
    const relation = resolveRelation(table, opened.relations);
    if (format === 'parquet' && out !== undefined)
      await replaceFile(out, (hidden) => opened.engine.copyParquet(`SELECT * FROM ${relation}`, hidden));
    else await writeWhole(out, rowsAsText(call, opened, relation, format), call.terminal.out);
    const to = out === undefined ? '' : ` to ${out}`;
    call.terminal.log(
      'info',
      `${relation} of release ${opened.release.number} (as of ${opened.release.as_of}) written${to}`,
    );
  } finally {
    await opened.close();
  }
}

function formatOf(asked: string | undefined, out: string | undefined): Format {
  const ending = extname(out ?? '')
    .slice(1)
    .toLowerCase();
  return (
    formats.find((format) => format === asked) ??
    formats.find((format) => asked === undefined && format === ending) ??
    'csv'
  );
}

async function* rowsAsText(
  call: Call,
  { engine }: OpenRelease,
  relation: string,
  format: Format,
): AsyncIterable<string> {
  const query = `SELECT * FROM ${relation}`;
  const columns = engineTextColumns(await engine.describe(query));
  const jsonRow = jsonRowWriter(columns);
  const toText = format === 'csv' ? csvRowWriter(columns) : (row: Row) => `${jsonRow(row)}\n`;
  if (format === 'csv') yield csvHeader(columns);
  for await (const rows of engine.stream(query, [], call.signal)) {
    yield rows.map(toText).join('');
  }
}
