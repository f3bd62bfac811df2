import { sqlName, type Catalogue, type TableContract } from '#contracts';
import type { Engine, Row } from '#engine';
import { assert, LakeError } from '#errors';
import type { Statement } from '../compile.js';
import { invalidQuery } from '../problem.js';
import { joinKey, keyParts, restKey } from '../rest-key.js';
import { Bindings, quoted } from '../sql.js';
import { parseValue, valueSql } from '../value.js';
import { planTrace } from './trace-plan.js';
import { recordsSql, rowsBehindSql, type Place } from './trace-sql.js';

/** Rows that are listed of each table, where a row follows from more. */
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

export interface TraceQuestion {
  readonly catalogue: Catalogue;
  /** `gold/fact_sales` */
  readonly table: string;
  /** As REST writes it (`restKey`). */
  readonly key: string;
  /** Relations that the engine has: all tables of one release. */
  readonly relations: readonly string[];
  /** Rows that are listed of each table. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** A bronze record as it came. */
export interface SourceRecord {
  readonly load: number;
  /** Below the landing folder. */
  readonly file: string;
  /** Line of the file on which it starts; null in a JSON array. */
  readonly line: number | null;
  /** Its ordinal in the file, from 1. */
  readonly row: number;
  /** Verbatim of a JSON source; of a CSV file, its fields as a JSON object. Identifies people where the source does. */
  readonly record: string;
}

/** A row and what it follows from. Every list has the first of `rows` only. */
export interface Trace {
  /** `gold.fact_sales` */
  readonly table: string;
  readonly key: string;
  /** The contract's columns. */
  readonly row: Row;
  /** Rows of computed tables between it and bronze, nearest first, in order of their keys. */
  readonly through: readonly { readonly table: string; readonly rows: number; readonly keys: readonly string[] }[];
  /** Bronze records, in order of load, file and row. */
  readonly sources: readonly {
    readonly table: string;
    readonly rows: number;
    readonly records: readonly SourceRecord[];
  }[];
  /** Rows that weigh in together with others: means, shares, fifths. */
  readonly shared: readonly { readonly table: string; readonly rows: number; readonly how: string }[];
}

/**
 * Follows a silver or gold row to the bronze records behind it, by contract. Throws `trace.no_table`, `trace.no_row` and
 * `query.invalid` for a key that is none of the table's.
 */
export async function traceRow(engine: Pick<Engine, 'query'>, question: TraceQuestion): Promise<Trace> {
  const { catalogue, table, key, relations, limit = DEFAULT_LIMIT, signal } = question;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw invalidQuery([{ pointer: '/limit', code: 'out-of-range', detail: `expected 1 to ${MAX_LIMIT}` }]);
  }
  const exists = (name: string) => relations.includes(sqlName(name));
  const definition = catalogue.byName.get(table);
  if (definition === undefined || !exists(table)) throw noTable(catalogue, table, exists);
  const { contract } = definition;
  const ask = ({ sql, parameters }: Statement, maxRows: number) =>
    engine.query(sql, parameters, { maxRows, ...(signal === undefined ? {} : { signal }) });

  const [row] = await ask(rowSql(contract, key), 1);
  if (row === undefined) {
    throw new LakeError('trace.no_row', 'notFound', `${sqlName(table)} has no row with the key ${key}`, {
      at: { table },
    });
  }
  const plan = planTrace(definition, catalogue, exists);
  const { shared } = plan;
  const tables = [...plan.through, ...plan.sources.map(({ name }) => `bronze/${name}`)];
  const maxRows = limit * tables.length + shared.length;
  const behind = maxRows === 0 ? [] : await ask(rowsBehindSql(plan, { contract, row }, catalogue, limit), maxRows);
  const found = tables.flatMap((name) => {
    const rows = behind.filter(({ relation }) => relation === sqlName(name));
    return rows.length === 0 ? [] : [{ table: name, total: Number(rows[0]?.['total']), rows }];
  });
  const sources = found.filter(({ table: name }) => name.startsWith('bronze/'));
  const places = sources.map(({ table: name, rows }) => ({ table: name, places: rows.map(toPlace) }));
  const records = places.length === 0 ? [] : await ask(recordsSql(places, catalogue), limit * places.length);
  return {
    table: sqlName(table),
    key: restKey(row, contract),
    row: Object.fromEntries(Object.keys(contract.columns).map((column) => [column, row[column] ?? null])),
    through: found
      .filter((rows) => !sources.includes(rows))
      .map(({ table: name, total, rows }) => ({
        table: sqlName(name),
        rows: total,
        keys: rows.map(({ key: parts }) => joinKey(Array.isArray(parts) ? (parts as readonly string[]) : [])),
      })),
    sources: sources.map(({ table: name, total }) => ({
      table: sqlName(name),
      rows: total,
      records: records
        .filter(({ relation }) => relation === sqlName(name))
        .map(toSourceRecord)
        .sort(inOrder),
    })),
    shared: shared.flatMap(({ input, how }, n) => {
      const rows = Number(behind.find(({ relation }) => relation === `#${n}`)?.['total']);
      const own = found.find(({ table: name }) => name === input)?.total ?? 0;
      // nobody shares with itself
      return rows > own ? [{ table: sqlName(input), rows, how }] : [];
    }),
  };
}

/** The row of a key, with every column that it has in the lake. */
function rowSql(contract: TableContract, key: string): Statement {
  const bindings = new Bindings();
  const conditions = keyParts(key, contract).map(([column, part]) => {
    const name = quoted(column);
    if (part === null) return `${name} IS NULL`;
    const type = contract.columns[column]?.type;
    assert(type !== undefined, `the key column ${column} is a column`);
    const parsed = parseValue(part, type);
    if (parsed.kind === 'mistake') {
      throw invalidQuery([{ pointer: '/key', code: parsed.code, detail: `${column}: ${parsed.detail}` }]);
    }
    return `${name} = ${valueSql(parsed.value, type, bindings)}`;
  });
  return {
    sql: `SELECT * FROM ${sqlName(contract.name)} WHERE ${conditions.join(' AND ')}`,
    parameters: bindings.values,
  };
}

function toPlace(row: Row): Place {
  return { load: Number(row['_batch_id']), file: String(row['_source_file']), row: Number(row['_source_row']) };
}

function toSourceRecord(row: Row): SourceRecord {
  const line = row['_source_line'] ?? null;
  return { ...toPlace(row), line: line === null ? null : Number(line), record: String(row['record']) };
}

function inOrder(a: SourceRecord, b: SourceRecord): number {
  if (a.load !== b.load) return a.load - b.load;
  return a.file === b.file ? a.row - b.row : a.file < b.file ? -1 : 1;
}

function noTable({ tables }: Catalogue, table: string, exists: (table: string) => boolean): LakeError {
  const names = tables.map(({ contract }) => contract.name).filter(exists);
  return new LakeError(
    'trace.no_table',
    'notFound',
    `rows of ${sqlName(table)} cannot be traced. Those of these tables can: ${names.map(sqlName).join(', ')}`,
    { at: { table } },
  );
}
