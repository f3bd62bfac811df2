import type { DuckDbEngine, Row } from '#engine';
import { replaceFile, writeWhole } from './whole-file.js';

export const exportFormats = ['parquet', 'csv', 'ndjson'] as const;

export type ExportFormat = (typeof exportFormats)[number];

/** Writes every row of a relation to a file, which appears whole or not at all. */
export async function exportToFile(
  engine: DuckDbEngine,
  { relation, format, path }: { readonly relation: string; readonly format: ExportFormat; readonly path: string },
  signal: AbortSignal,
): Promise<void> {
  if (format === 'parquet')
    await replaceFile(path, (hidden) => engine.copyParquet(`SELECT * FROM ${relation}`, hidden));
  else await writeWhole(path, rowsAsText(engine, relation, format, signal));
}

/** Every row of a relation, in parts that need not be lines. */
export async function* rowsAsText(
  engine: DuckDbEngine,
  relation: string,
  format: Exclude<ExportFormat, 'parquet'>,
  signal: AbortSignal,
): AsyncIterable<string> {
  const { csvHeader, csvRowWriter, engineTextColumns, jsonRowWriter } = await import('#serving');
  const query = `SELECT * FROM ${relation}`;
  const columns = engineTextColumns(await engine.describe(query));
  const jsonRow = jsonRowWriter(columns);
  const toText = format === 'csv' ? csvRowWriter(columns) : (row: Row) => `${jsonRow(row)}\n`;
  if (format === 'csv') yield csvHeader(columns);
  for await (const rows of engine.stream(query, [], signal)) yield rows.map(toText).join('');
}
