import type { ColumnType, Schema } from '#delta';
import type { ColumnStats } from './engine.js';

/** Bounds of strings are cut to this many characters, as Delta writers do: enough to prune, small in the log. */
const STRING_BOUND_CHARACTERS = 32;
const HIGHEST_CHARACTER = '\u{10FFFF}';

/**
 * `add.stats` of one file. Numbers are copied as literals, because a JavaScript number would round them, and a bound
 * that cannot be given safely is left out: readers then simply do not prune on it.
 */
export function toDeltaStats(rows: number, schema: Schema, columns: ReadonlyMap<string, ColumnStats>): string {
  const min: string[] = [];
  const max: string[] = [];
  const nulls: string[] = [];
  for (const field of schema) {
    const stats = columns.get(field.name);
    if (stats === undefined || field.type.kind === 'strings') continue;
    const key = JSON.stringify(field.name);
    nulls.push(`${key}:${stats.nullCount}`);
    const low = stats.min === undefined ? undefined : lowerBound(field.type, stats.min);
    const high = stats.max === undefined ? undefined : upperBound(field.type, stats.max);
    if (low !== undefined) min.push(`${key}:${low}`);
    if (high !== undefined) max.push(`${key}:${high}`);
  }
  return `{"numRecords":${rows},"minValues":{${min.join()}},"maxValues":{${max.join()}},"nullCount":{${nulls.join()}}}`;
}

function lowerBound(type: ColumnType, text: string): string | undefined {
  if (type.kind === 'string') return JSON.stringify(firstCharacters(text));
  if (type.kind === 'timestamp') return instantBound(text, false);
  return exactBound(type, text);
}

function upperBound(type: ColumnType, text: string): string | undefined {
  if (type.kind === 'string') {
    const start = firstCharacters(text);
    if (start === text) return JSON.stringify(text);
    // a text that goes on with the highest character would lie above the cut bound
    return text.startsWith(start + HIGHEST_CHARACTER) ? undefined : JSON.stringify(start + HIGHEST_CHARACTER);
  }
  if (type.kind === 'timestamp') return instantBound(text, true);
  return exactBound(type, text);
}

function exactBound(type: ColumnType, text: string): string | undefined {
  if (type.kind === 'date') return /^\d{4}-\d\d-\d\d$/.test(text) ? JSON.stringify(text) : undefined;
  if (type.kind === 'boolean') return undefined;
  return /^-?\d+(\.\d+)?$/.test(text) ? text : undefined;
}

function firstCharacters(text: string): string {
  return [...text.slice(0, 2 * STRING_BOUND_CHARACTERS)].slice(0, STRING_BOUND_CHARACTERS).join('');
}

/** Delta's stats have milliseconds: the lower bound is cut, the upper one must be rounded up. */
function instantBound(text: string, up: boolean): string | undefined {
  const parts = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/.exec(text);
  if (parts === null) return undefined;
  const fraction = (parts[3] ?? '').padEnd(6, '0');
  const cut = Date.parse(`${parts[1]}T${parts[2]}.${fraction.slice(0, 3)}Z`);
  const bound = new Date(up && !fraction.endsWith('000') ? cut + 1 : cut).toISOString();
  return bound.length === 24 ? JSON.stringify(bound) : undefined;
}
