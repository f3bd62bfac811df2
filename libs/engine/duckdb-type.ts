import { assertNever, LakeError } from '#errors';
import type { ColumnType, Schema, SchemaField } from '#delta';
import { quoteIdentifier } from './sql-text.js';

/** A lake type as DuckDB writes it. Timestamps are instants: TIMESTAMPTZ becomes "adjusted to UTC" in Parquet. */
export function toDuckDbType(type: ColumnType): string {
  switch (type.kind) {
    case 'string':
      return 'VARCHAR';
    case 'integer':
      return 'INTEGER';
    case 'long':
      return 'BIGINT';
    case 'boolean':
      return 'BOOLEAN';
    case 'date':
      return 'DATE';
    case 'timestamp':
      return 'TIMESTAMP WITH TIME ZONE';
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`;
    case 'strings':
      return 'VARCHAR[]';
    default:
      return assertNever(type);
  }
}

export interface QueryColumn {
  readonly name: string;
  readonly type: string;
}

/**
 * The expressions that turn a query's columns (in any order) into the schema's, in its order. Casts only where nothing
 * can be lost in silence: a value that does not fit fails the query, and what would be rounded is refused here.
 */
export function conformingColumns(columns: readonly QueryColumn[], schema: Schema): readonly string[] {
  const types = new Map(columns.map((column) => [column.name, column.type]));
  const wanted = new Set(schema.map((field) => field.name));
  const missing = schema.filter((field) => !types.has(field.name)).map((field) => field.name);
  const surplus = columns.filter((column) => !wanted.has(column.name)).map((column) => column.name);
  if (missing.length > 0 || surplus.length > 0 || columns.length !== schema.length) {
    throw new LakeError(
      'engine.columns_differ',
      'invalid',
      `the query's columns are not the table's: missing [${missing.join(', ')}], not in the schema ` +
        `[${surplus.join(', ')}]. Select exactly the contract's columns, each once`,
    );
  }
  return schema.map((field) => conformingColumn(field, types.get(field.name) ?? ''));
}

function conformingColumn(field: SchemaField, from: string): string {
  const name = quoteIdentifier(field.name);
  const to = toDuckDbType(field.type);
  if (from === to) return name;
  if (!keepsEveryValue(from, field.type)) {
    const unsupported = UNSUPPORTED.test(from);
    throw new LakeError(
      unsupported ? 'engine.unsupported_type' : 'engine.column_type',
      'invalid',
      `column ${field.name} is ${from} in the query and ${to} in the table: ` +
        (unsupported
          ? 'that type is not written to the lake; cast it in the query'
          : 'the cast could change values; cast it in the query'),
      { at: { field: field.name } },
    );
  }
  return `CAST(${name} AS ${to}) AS ${name}`;
}

// HUGEINT and DOUBLE would become Parquet doubles; the others have no Delta type
const UNSUPPORTED = /^(HUGEINT|UHUGEINT|DOUBLE|FLOAT|U\w*INT\w*|UUID|TIME\b.*|INTERVAL|ENUM.*|BLOB|BIT)$/;
const WHOLE = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT']);

function keepsEveryValue(from: string, to: ColumnType): boolean {
  if (from === '"NULL"' || from === 'NULL') return true;
  switch (to.kind) {
    case 'integer':
    case 'long':
      return WHOLE.has(from);
    case 'decimal': {
      const scale = /^DECIMAL\(\d+,(\d+)\)$/.exec(from)?.[1];
      return WHOLE.has(from) || (scale !== undefined && Number(scale) <= to.scale);
    }
    case 'timestamp':
      return from === 'TIMESTAMP';
    case 'string':
      return from === 'JSON';
    case 'strings':
      return from === 'JSON[]' || from === '"NULL"[]' || from === 'NULL[]' || from === 'INTEGER[]';
    case 'boolean':
    case 'date':
      return false;
    default:
      return assertNever(to);
  }
}
