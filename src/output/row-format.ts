import type { QueryColumn, Row, Value } from '#engine';
import { assert } from '#errors';

/** CSV by RFC 4180: CRLF, NULL is nothing and empty text is `""`. */
export function csvHeader(columns: readonly QueryColumn[]): string {
  return `${columns.map(({ name }) => csvField(name)).join(',')}\r\n`;
}

export function csvRow(columns: readonly QueryColumn[], row: Row): string {
  return `${columns.map(({ name }) => csvField(row[name] ?? null)).join(',')}\r\n`;
}

/** Decimals and 64-bit integers keep their digits as JSON numbers. */
export function jsonRow(columns: readonly QueryColumn[], row: Row): string {
  const members = columns.map(({ name, type }) => {
    const value = row[name] ?? null;
    const digits =
      typeof value === 'string' && /^(DECIMAL|BIGINT|HUGEINT|UBIGINT|UHUGEINT)/.test(type) && !type.endsWith('[]');
    assert(!digits || /^-?\d+(\.\d+)?$/.test(value), `${name} is a number: ${String(value)}`);
    return `${JSON.stringify(name)}:${digits ? value : JSON.stringify(value)}`;
  });
  return `{${members.join(',')}}`;
}

function csvField(value: Value): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
