import type { Trace } from '#serving';
import { printable } from './printable.js';
import { countText } from './table-text.js';

/** Of the keys of a table on the way, as many are printed: they are no end in themselves. */
const PRINTED_KEYS = 5;

/** A traced row for people: the row, the tables on the way, then file and line of every record. */
export function traceText({ table, key, row, through, sources, shared }: Trace): string {
  const columns = Object.entries(row);
  const width = Math.max(...columns.map(([name]) => name.length));
  const lines = [`${table} ${printable(key)}`];
  for (const [name, value] of columns) {
    lines.push(`  ${name.padEnd(width)}  ${value === null ? 'NULL' : printable(String(value))}`);
  }
  if (through.length > 0) lines.push('', 'by way of');
  for (const { table: name, rows, keys } of through) {
    const printed = keys.slice(0, PRINTED_KEYS);
    const rest = rows > printed.length ? ` … and ${countText(rows - printed.length)} more` : '';
    lines.push(`  ${name}: ${printed.map(printable).join(', ')}${rest}`);
  }
  for (const { table: name, rows, records } of sources) {
    lines.push('', `${name}, ${countText(rows)} ${rows === 1 ? 'record' : 'records'}`);
    for (const { load, file, line, row: ordinal, record, repair } of records) {
      lines.push(`  ${printable(file)}${line === null ? '' : `:${line}`} (record ${ordinal}, load ${load})`);
      lines.push(`    ${printable(record)}`);
      if (repair === undefined) continue;
      lines.push(
        `    repaired by ${printable(repair.by)} at ${repair.at} (repair ${printable(repair.repair)}), counts as`,
      );
      lines.push(`    ${printable(repair.record)}`);
    }
    if (rows > records.length) lines.push(`  … and ${countText(rows - records.length)} more: see --limit`);
  }
  if (shared.length > 0) lines.push('', 'together with others');
  for (const { table: name, rows, how } of shared) lines.push(`  ${name}, ${countText(rows)} rows: ${how}`);
  return lines.join('\n');
}
