import type { QueryColumn, Row, Value } from '#engine';
import { assert } from '#errors';
import type { OutputColumn } from './output.js';

/** A column of rows that are written as text. */
export interface TextColumn {
  readonly name: string;
  /** `digits`: numbers that come as text, because JSON's own numbers would lose some. `text` can hold anything. */
  readonly kind: 'digits' | 'text' | 'other';
}

/** `decimals: 'string'` keeps decimals quoted, for readers whose numbers are binary fractions. */
export function textColumns(
  columns: readonly OutputColumn[],
  { decimals }: { readonly decimals?: 'number' | 'string' } = {},
): readonly TextColumn[] {
  return columns.map(({ name, type }) => {
    if (type.kind === 'decimal') return { name, kind: decimals === 'string' ? 'other' : 'digits' };
    if (type.kind === 'long') return { name, kind: 'digits' };
    return { name, kind: type.kind === 'string' || type.kind === 'strings' ? 'text' : 'other' };
  });
}

/** Columns of any query, by the names that the engine gives to types. */
export function engineTextColumns(columns: readonly QueryColumn[]): readonly TextColumn[] {
  return columns.map(({ name, type }) => {
    const digits = /^(DECIMAL|BIGINT|HUGEINT|UBIGINT|UHUGEINT)/.test(type) && !type.endsWith('[]');
    return { name, kind: digits ? 'digits' : type.startsWith('VARCHAR') ? 'text' : 'other' };
  });
}

/** Writes rows as JSON objects; decimals and 64-bit integers keep their digits as numbers. */
export function jsonRowWriter(columns: readonly TextColumn[]): (row: Row) => string {
  const members = columns.map(({ name, kind }, n) => ({
    name,
    isDigits: kind === 'digits',
    opening: `${n === 0 ? '{' : ','}${JSON.stringify(name)}:`,
  }));
  return (row) => {
    let text = members.length === 0 ? '{' : '';
    for (const { name, isDigits, opening } of members) {
      const value = row[name] ?? null;
      text += opening;
      text += isDigits && typeof value === 'string' ? digitsOf(value, name) : JSON.stringify(value);
    }
    return `${text}}`;
  };
}

/** CSV by RFC 4180: CRLF, NULL is nothing and empty text is `""`. */
export function csvHeader(columns: readonly TextColumn[]): string {
  return `${columns.map(({ name }) => csvField(name)).join(',')}\r\n`;
}

/** `quoteFormulas` puts a `'` before text that a spreadsheet would run as a formula. */
export function csvRowWriter(
  columns: readonly TextColumn[],
  { quoteFormulas = false }: { readonly quoteFormulas?: boolean } = {},
): (row: Row) => string {
  return (row) => {
    const fields = columns.map(({ name, kind }) => {
      const value = row[name] ?? null;
      const isFormula = quoteFormulas && kind === 'text' && typeof value === 'string' && /^[=+\-@\t\r]/.test(value);
      return csvField(isFormula ? `'${value}` : value);
    });
    return `${fields.join(',')}\r\n`;
  };
}

function digitsOf(value: string, name: string): string {
  assert(/^-?\d+(\.\d+)?$/.test(value), `${name} is a number: ${value}`);
  return value;
}

function csvField(value: Value): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
