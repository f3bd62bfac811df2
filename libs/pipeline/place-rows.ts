import type { Schema } from '#delta';
import { toDuckDbType, type Layout } from '#engine';
import { filesToMerge } from './compaction.js';
import { FILE_COLUMN, partitionOf, rowsOf, statsOf, type LiveFile } from './live-table.js';
import { literal } from './sql-name.js';

/** The column of a written query by which its rows go into different files. */
export const APART = '_apart';

/** Rows that find no place in a file which is written anyway get one of their own, by partition. */
const NEW_FILE = -1;

/** Which of a table's files, by number, are written again. */
export interface Rewrites {
  readonly files: readonly number[];
  /** Those that become one file; each other one is written again for itself, so that it keeps its range of values. */
  readonly merged: readonly (readonly number[])[];
}

/** Pure. Partitions are named by `partitionOf`; in one that nothing touched, no file is merged. */
export function planRewrites(
  files: readonly LiveFile[],
  touched: readonly number[],
  partitions: ReadonlySet<string>,
  { partitionBy, targetBytes }: { readonly partitionBy: readonly string[]; readonly targetBytes: number },
): Rewrites {
  const byPartition = new Map<string, { at: number; rows: number; bytes: number }[]>();
  const named = new Set([...partitions, ...touched.map((at) => nameOf(files[at], partitionBy))]);
  for (const [at, file] of files.entries()) {
    const name = nameOf(file, partitionBy);
    if (!named.has(name)) continue;
    const all = byPartition.get(name) ?? [];
    byPartition.set(name, all);
    all.push({ at, rows: rowsOf(file), bytes: file.add.size });
  }
  const merged = [...byPartition.values()]
    .map((all) => filesToMerge(all, targetBytes).map(({ at }) => at))
    .filter((group) => group.length > 0);
  return { files: [...new Set([...touched, ...merged.flat()])].sort((a, b) => a - b), merged };
}

function nameOf(file: LiveFile | undefined, partitionBy: readonly string[]): string {
  return file === undefined ? '' : partitionOf(partitionBy, file.add.partitionValues);
}

/** SQL for the value of `APART` of a row that stands in a file, or has its place in it. */
export function apartOf(fileNumber: string, { merged }: Rewrites): string {
  const cases = merged.map((group) => `WHEN ${fileNumber} IN (${group.join(', ')}) THEN ${group[0] ?? NEW_FILE}`);
  const own = cases.length === 0 ? fileNumber : `CASE ${cases.join(' ')} ELSE ${fileNumber} END`;
  return `coalesce(${own}, ${NEW_FILE})`;
}

export interface Placing {
  readonly difference: string;
  readonly schema: Schema;
  readonly partitionBy: readonly string[];
  readonly layout: Layout;
  readonly files: readonly LiveFile[];
  /** Numbers of the files with a row that changed or went. */
  readonly touched: readonly number[];
}

/**
 * Query: the rows of a difference that came, with the number of the touched file that they are put into (`_home`, or
 * NULL): of the file that an updated row stands in, or in whose range of the first `sortBy` column a new one lies.
 */
export function placedRows({ difference, schema, partitionBy, layout, files, touched }: Placing): string {
  const came = `(SELECT * FROM ${difference} WHERE _change <> 'deleted')`;
  if (touched.length === 0) return `SELECT *, CAST(NULL AS INTEGER) AS _home FROM ${came} d`;
  const by = layout.sortBy.find((name) => !partitionBy.includes(name));
  const lows = files.map((file) => (by === undefined ? undefined : lowOf(file, by)));
  const firsts = firstFiles(files, lows, partitionBy);
  const rows = files.map((file, at) => {
    const values = partitionBy.map((name) => cast(file.add.partitionValues[name], sqlType(schema, name)));
    const low = cast(lows[at], by === undefined ? 'VARCHAR' : sqlType(schema, by));
    return `(${[at, touched.includes(at), firsts.has(at), low, ...values].join(', ')})`;
  });
  const same = (alias: string, how: string) => partitionBy.map((name) => `${alias}.${name} ${how} d.${name}`);
  const join = (conditions: readonly string[]) => conditions.join(' AND ');
  const inRange =
    by === undefined
      ? { at: '', sql: '' }
      : {
          at: 'CASE WHEN h._touched THEN h._number END, ',
          sql: `ASOF LEFT JOIN (SELECT * FROM files WHERE _low IS NOT NULL) h ON ${join([...same('h', '='), `d.${by} >= h._low`])}`,
        };
  const below = by === undefined ? [] : [`(f._low IS NULL OR d.${by} < f._low)`];
  return `WITH files(${['_number', '_touched', '_first', '_low', ...partitionBy].join(', ')}) AS (VALUES ${rows.join(', ')})
    SELECT d.*, coalesce(o._number, ${inRange.at}CASE WHEN f._touched THEN f._number END) AS _home FROM ${came} d
    LEFT JOIN files o ON ${join([`o._number = d.${FILE_COLUMN}`, ...same('o', 'IS NOT DISTINCT FROM')])}
    ${inRange.sql}
    LEFT JOIN (SELECT * FROM files WHERE _first) f
      ON ${join([...same('f', 'IS NOT DISTINCT FROM'), ...below]) || 'TRUE'}`;
}

/** The file of each partition that rows below every range belong to: the one with the lowest bound. */
function firstFiles(
  files: readonly LiveFile[],
  lows: readonly (string | undefined)[],
  partitionBy: readonly string[],
): ReadonlySet<number> {
  const first = new Map<string, number>();
  for (const [at, file] of files.entries()) {
    const name = nameOf(file, partitionBy);
    const other = first.get(name);
    // as texts: where that is not the order of the values, a row only comes into another file
    if (other === undefined || (lows[at] ?? '') < (lows[other] ?? '')) first.set(name, at);
  }
  return new Set(first.values());
}

function lowOf({ add }: LiveFile, name: string): string | undefined {
  const low = statsOf(add).minValues?.[name];
  return typeof low === 'string' || typeof low === 'number' ? String(low) : undefined;
}

/** The protocol gives an empty partition value the meaning of NULL, and an empty text is below all others anyway. */
function cast(text: string | null | undefined, type: string): string {
  return `CAST(${text === undefined || text === null || text === '' ? 'NULL' : literal(text)} AS ${type})`;
}

function sqlType(schema: Schema, name: string): string {
  const type = schema.find((field) => field.name === name)?.type;
  return type === undefined ? 'VARCHAR' : toDuckDbType(type);
}
