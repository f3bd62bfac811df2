import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type LandedRecord = Readonly<Record<string, unknown>>;

/** The record of a landing file that starts on a line, or has an ordinal in a JSON array: read anew, without any code of the loader. */
export function landedRecord(landing: string, file: string, place: { line: number | null; row: number }): LandedRecord {
  const text = readFileSync(join(landing, file), 'utf8');
  if (place.line === null) return (JSON.parse(text) as readonly LandedRecord[])[place.row - 1] ?? {};
  const lines = text.split('\n');
  const found = lines.slice(place.line - 1).join('\n');
  if (file.endsWith('.csv')) {
    const names = csvFields(text);
    const values = csvFields(found);
    return Object.fromEntries(names.map((name, n) => [name, values[n]]));
  }
  return JSON.parse(found.split('\n', 1)[0] ?? '') as LandedRecord;
}

/** The fields of the first record of a text. */
function csvFields(text: string): readonly string[] {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"/.exec(rest);
    const field = quoted?.[0] ?? /^[^,\r\n]*/.exec(rest)?.[0] ?? '';
    fields.push(quoted?.[1]?.replaceAll('""', '"') ?? field);
    rest = rest.slice(field.length);
    if (!rest.startsWith(',')) return fields;
    rest = rest.slice(1);
  }
}
