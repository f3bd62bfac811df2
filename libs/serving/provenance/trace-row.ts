import { sqlName, type Catalogue, type TableContract } from '#contracts';
import type { Row } from '#engine';
import { assert, LakeError } from '#errors';
import type { Statement } from '../compile.js';
import type { OpenTables } from '../open-tables.js';
import { invalidQuery } from '../problem.js';
import { joinKey, keyParts, restKey } from '../rest-key.js';
import { Bindings, quoted } from '../sql.js';
import { parseValue, valueSql } from '../value.js';
import { planTrace } from './trace-plan.js';
import { recordsSql, repairsOfSql, rowsBehindSql, type Listed, type Place } from './trace-sql.js';

/** Rows that are listed of each table, where a row follows from more. */
const DEFAULT_ROWS = 20;
/** Records that are listed at most. */
export const MAX_RECORDS = 1000;

export interface TraceQuestion {
  readonly catalogue: Catalogue;
  /** `gold/fact_sales` */
  readonly table: string;
  /** As REST writes it (`restKey`). */
  readonly key: string;
  /** The first 20 of each source unless told. */
  readonly listed?: Listed;
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
  /** What counts in its place. */
  readonly repair?: RecordRepair;
}

export interface RecordRepair {
  /** Its number. */
  readonly repair: string;
  readonly by: string;
  /** When it was drafted. */
  readonly at: string;
  readonly reason: string | null;
  /** By which it came. */
  readonly load: number;
  /** As `SourceRecord.record`. */
  readonly record: string;
}

/** A row and what it follows from. Lists have some of `rows` only. */
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
export async function traceRow(tables: OpenTables, question: TraceQuestion): Promise<Trace> {
  const { catalogue, table, key, listed = { each: DEFAULT_ROWS }, signal } = question;
  const limit = 'each' in listed ? listed.each : listed.limit;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_RECORDS) {
    throw invalidQuery([{ pointer: '/limit', code: 'out-of-range', detail: `expected 1 to ${MAX_RECORDS}` }]);
  }
  const exists = (name: string) => tables.relationOf(name) !== undefined;
  const definition = catalogue.byName.get(table);
  const relation = tables.relationOf(table);
  if (definition === undefined || relation === undefined) throw noTable(catalogue, table, exists);
  const { contract } = definition;
  const ask = ({ sql, parameters }: Statement, maxRows: number) =>
    tables.query(sql, parameters, { maxRows, ...(signal === undefined ? {} : { signal }) });

  const [row] = await ask(rowSql(contract, relation, key), 1);
  if (row === undefined) {
    throw new LakeError('trace.no_row', 'notFound', `${sqlName(table)} has no row with the key ${key}`, {
      at: { table },
    });
  }
  const plan = planTrace(definition, catalogue, exists);
  const { through, shared } = plan;
  const sources = plan.sources.map(({ name }) => `bronze/${name}`);
  const from = { catalogue, tables };
  const keys = 'each' in listed ? listed.each : DEFAULT_ROWS;
  const mostRecords = 'each' in listed ? limit * sources.length : limit;
  const maxRows = keys * through.length + mostRecords + sources.length + shared.length;
  const behind = maxRows === 0 ? [] : await ask(rowsBehindSql(plan, { contract, row }, from, keys, listed), maxRows);
  const rowsOf = (name: string) => behind.filter(({ relation }) => relation === sqlName(name));
  const totalOf = (name: string) => Number(rowsOf(name)[0]?.['total'] ?? 0);
  const places = sources
    .map((name) => ({
      table: name,
      places: rowsOf(name)
        .filter(({ listed }) => listed === true)
        .map(toPlace),
    }))
    .filter(({ places }) => places.length > 0);
  const records = places.length === 0 ? [] : await ask(recordsSql(places, from), mostRecords);
  const repairs = new Map<string, RecordRepair>();
  for (const { table: name, places: listed } of places) {
    const statement = repairsOfSql(name.replace('bronze/', ''), listed, from);
    const found = statement === undefined ? [] : await ask(statement, listed.length);
    for (const row of found) repairs.set(placeName(name, toPlace(row)), toRepair(row));
  }
  return {
    table: sqlName(table),
    key: restKey(row, contract),
    row: Object.fromEntries(Object.keys(contract.columns).map((column) => [column, row[column] ?? null])),
    through: through
      .filter((name) => totalOf(name) > 0)
      .map((name) => ({
        table: sqlName(name),
        rows: totalOf(name),
        keys: rowsOf(name).map(({ key: parts }) => joinKey(Array.isArray(parts) ? (parts as readonly string[]) : [])),
      })),
    sources: sources
      .filter((name) => totalOf(name) > 0)
      .map((name) => ({
        table: sqlName(name),
        rows: totalOf(name),
        records: records
          .filter(({ relation }) => relation === sqlName(name))
          .map((row) => withRepair(toSourceRecord(row), repairs.get(placeName(name, toPlace(row)))))
          .sort(inOrder),
      })),
    shared: shared.flatMap(({ input, how }, n) => {
      const rows = Number(behind.find(({ relation }) => relation === `#${n}`)?.['total']);
      // nobody shares with itself
      return rows > totalOf(input) ? [{ table: sqlName(input), rows, how }] : [];
    }),
  };
}

/** The row of a key, with every column that it has in the lake. */
function rowSql(contract: TableContract, relation: string, key: string): Statement {
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
    sql: `SELECT * FROM ${relation} WHERE ${conditions.join(' AND ')}`,
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

function placeName(table: string, { load, file, row }: Place): string {
  return JSON.stringify([table, load, file, row]);
}

function toRepair(row: Row): RecordRepair {
  const reason = row['reason'] ?? null;
  return {
    repair: String(row['repair']),
    by: String(row['repaired_by']),
    at: String(row['repaired_at']),
    reason: reason === null ? null : String(reason),
    load: Number(row['load']),
    record: String(row['record']),
  };
}

function withRepair(record: SourceRecord, repair: RecordRepair | undefined): SourceRecord {
  return repair === undefined ? record : { ...record, repair };
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
