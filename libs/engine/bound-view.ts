import { sep } from 'node:path';
import type { ColumnType } from '#delta';
import type { BoundFile, BoundTable } from './engine.js';
import { toDuckDbType, type QueryColumn } from './duckdb-type.js';
import { quoteIdentifier, quoteText } from './sql-text.js';

const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__';

/** A table without files: its columns and types, no row. */
export function emptySelect({ schema, fileColumn }: BoundTable): string {
  const columns = schema.map((field) => `CAST(NULL AS ${toDuckDbType(field.type)}) AS ${quoteIdentifier(field.name)}`);
  if (fileColumn !== undefined) columns.push(`CAST(NULL AS INTEGER) AS ${quoteIdentifier(fileColumn)}`);
  return `SELECT ${columns.join(', ')} WHERE false`;
}

/** The files' own columns, by name: an older file may lack some, which are then NULL. */
export function filesScan(files: readonly BoundFile[], options = ''): string {
  const paths = files.map((file) => quoteText(file.localPath)).join(', ');
  return `read_parquet([${paths}], union_by_name = true${options})`;
}

/**
 * The query that reads a bound table. Partition values are the log's. Where every path says exactly the same, DuckDB
 * takes them from the paths, which lets it skip files; otherwise they are joined by file name, right for any layout.
 */
export function boundSelect(table: BoundTable, present: readonly QueryColumn[]): string {
  const partitions = new Set(table.partitionColumns);
  const inFiles = new Map(present.map((column) => [column.name.toLowerCase(), column]));
  const partitionFields = table.schema.filter((field) => partitions.has(field.name));
  const hive =
    partitions.size > 0 &&
    table.fileColumn === undefined &&
    partitionFields.every((field) => hiveType(field.type) !== undefined) &&
    table.files.every((file) => pathSaysPartitions(file, table.partitionColumns));
  const columns = table.schema.map((field) => {
    const name = quoteIdentifier(field.name);
    const type = toDuckDbType(field.type);
    if (partitions.has(field.name)) {
      return hive ? `f.${name}` : `CAST(p.${name} AS ${type}) AS ${name}`;
    }
    const stored = inFiles.get(field.name.toLowerCase());
    if (stored === undefined) return `CAST(NULL AS ${type}) AS ${name}`;
    const column = `f.${quoteIdentifier(stored.name)}`;
    return stored.type === type && stored.name === field.name ? column : `CAST(${column} AS ${type}) AS ${name}`;
  });
  // DuckDB's own file_index counts only the files that its filters leave
  if (table.fileColumn !== undefined) columns.push(`p."_bound_file" AS ${quoteIdentifier(table.fileColumn)}`);
  const select = `SELECT ${columns.join(', ')} FROM`;
  if (partitions.size === 0 && table.fileColumn === undefined)
    return `${select} ${filesScan(table.files, ', hive_partitioning = false')} f`;
  if (hive) {
    const types = partitionFields.map((field) => `${quoteText(field.name)}: ${hiveType(field.type)}`);
    return `${select} ${filesScan(table.files, `, hive_partitioning = true, hive_types = {${types.join(', ')}}`)} f`;
  }
  const values = table.files.map((file) => {
    const row = table.partitionColumns.map((name) => toLiteral(file.partitionValues[name]));
    return `(${[quoteText(file.localPath), file.number ?? 'NULL', ...row].join(', ')})`;
  });
  const names = ['_bound_path', '_bound_file', ...table.partitionColumns].map(quoteIdentifier).join(', ');
  return (
    `${select} ${filesScan(table.files, ", hive_partitioning = false, filename = '_bound_name'")} f ` +
    `JOIN (VALUES ${values.join(', ')}) p(${names}) ON f."_bound_name" = p."_bound_path"`
  );
}

/** A type as `hive_types` takes it: one word, so no decimal. */
function hiveType(type: ColumnType): string | undefined {
  if (type.kind === 'decimal') return undefined;
  return type.kind === 'timestamp' ? 'TIMESTAMPTZ' : toDuckDbType(type);
}

/** The protocol gives an empty text the meaning of NULL. */
function toLiteral(value: string | null | undefined): string {
  return value === null || value === undefined || value === '' ? 'CAST(NULL AS VARCHAR)' : quoteText(value);
}

function pathSaysPartitions(file: BoundFile, partitionColumns: readonly string[]): boolean {
  const folders = file.localPath.split(sep).slice(0, -1);
  const own = folders.slice(-partitionColumns.length);
  // DuckDB would take any other `a=b` of the path for a partition column too
  if (folders.slice(0, -partitionColumns.length).some((folder) => folder.includes('='))) return false;
  return partitionColumns.every((name, at) => {
    const value = file.partitionValues[name] ?? null;
    const folder = own[at] ?? '';
    if (value === '' || value === NULL_FOLDER) return false;
    if (value === null) return folder === `${name}=${NULL_FOLDER}`;
    return decoded(folder) === `${name}=${value}`;
  });
}

function decoded(folder: string): string | undefined {
  try {
    return decodeURIComponent(folder);
  } catch {
    return undefined;
  }
}
