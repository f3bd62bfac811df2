import type { Row } from '#engine';
import {
  csvHeader,
  csvRowWriter,
  jsonRowWriter,
  textColumns,
  type Answer,
  type OutputColumn,
  type ReleaseLabel,
} from '#serving';
import type { AnswerOptions } from './answer-options.js';

/** `{data: [rows], page: {next_cursor, total?}, release}`. */
export function pageText(answer: Answer, label: ReleaseLabel, { decimals }: AnswerOptions): string {
  const rows = answer.rows.map(jsonRowWriter(textColumns(answer.columns, { decimals })));
  const page = { next_cursor: answer.nextCursor, ...(answer.total === undefined ? {} : { total: answer.total }) };
  return `{"data":[${rows.join(',')}],"page":${JSON.stringify(page)},"release":${JSON.stringify(label)}}`;
}

/** `{data: row, release}`. */
export function rowText(
  row: Row,
  columns: readonly OutputColumn[],
  label: ReleaseLabel,
  { decimals }: AnswerOptions,
): string {
  const data = jsonRowWriter(textColumns(columns, { decimals }))(row);
  return `{"data":${data},"release":${JSON.stringify(label)}}`;
}

const BYTE_ORDER_MARK = '\uFEFF';

/** Writes batches of rows as CSV or NDJSON: what comes before the first row, and each batch. */
export function batchWriter(
  columns: readonly OutputColumn[],
  { format, decimals, excel }: AnswerOptions,
): { readonly opening: string; readonly toText: (rows: readonly Row[]) => string } {
  const text = textColumns(columns, { decimals });
  if (format === 'csv') {
    const toCsv = csvRowWriter(text, { quoteFormulas: excel });
    const opening = `${excel ? BYTE_ORDER_MARK : ''}${csvHeader(text)}`;
    return { opening, toText: (rows) => rows.map(toCsv).join('') };
  }
  const toJson = jsonRowWriter(text);
  return { opening: '', toText: (rows) => rows.map((row) => `${toJson(row)}\n`).join('') };
}
