import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeError } from '#errors';
import { lakeColumns, type TableContract } from '#contracts';
import type { DuckDbEngine } from '#engine';
import type { TableState } from '#releases';
import { isProcessRunning } from '#storage';
import { dayColumn, MAX_DAYS, type DayCounts } from './day-counts.js';
import type { ServedRelation } from './relation.js';
import { quoted } from './sql.js';

/** Raised when files of earlier versions of this code are of no use. */
const FORMAT = 1;

/** With more rows for one value, DuckDB scans instead. */
const MAX_ROWS_PER_VALUE = 2_000;
/** What an index takes in memory for each row, and there it stays. */
const TEXT_INDEX_BYTES = 42;
const NUMBER_INDEX_BYTES = 15;

/** `gold.fact_sales.12.3f…`: equal names hold equal tables, whoever built them. */
export function fileName(lakeUrl: string, contract: TableContract, { release, files }: TableState): string {
  const { name, key, sortBy, relations } = contract;
  const columns = Object.entries(lakeColumns(contract)).map(([column, { type, nullable }]) => [column, type, nullable]);
  const paths = files.map(({ storePath }) => storePath).sort();
  const text = JSON.stringify([FORMAT, lakeUrl, name, key, sortBy, relations.map((r) => r.columns), columns, paths]);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 20);
  return `${name.replaceAll('/', '.')}.${release}.${digest}`;
}

export function filePath(cacheDir: string, name: string): string {
  return join(cacheDir, `${name}.duckdb`);
}

/** Where this process builds a file, until it is whole. */
export function buildPath(cacheDir: string, name: string): string {
  return join(cacheDir, `${name}.${randomBytes(4).toString('hex')}.${process.pid}.building`);
}

/** The statements that build the file of a table from a relation with its rows. */
export function buildStatements(source: string, contract: TableContract, indexed: readonly string[]) {
  return [
    `CREATE TABLE built.main.rows AS SELECT * FROM ${source} ORDER BY ${orderOf(contract)}`,
    ...indexed.map((column) => `CREATE INDEX ${quoted(`by_${column}`)} ON built.main.rows (${quoted(column)})`),
    ...factStatements(contract, indexed, 0),
  ];
}

/**
 * The statements that make the file of a table's later version from a copy of an earlier one's. Keys are unique, so they
 * say which rows the removed files had.
 */
export function updateStatements(
  removed: string,
  added: string,
  contract: TableContract,
  indexed: readonly string[],
  exchangedBytes: number,
) {
  const sameKey = contract.key.map((column) => `t.${quoted(column)} IS NOT DISTINCT FROM g.${quoted(column)}`);
  return [
    `DELETE FROM built.main.rows t USING ${removed} g WHERE ${sameKey.join(' AND ')}`,
    `INSERT INTO built.main.rows SELECT * FROM ${added} ORDER BY ${orderOf(contract)}`,
    ...['days', 'indexes', 'facts'].map((table) => `DROP TABLE built.main.${table}`),
    ...factStatements(contract, indexed, exchangedBytes),
  ];
}

/** What is known of the rows, beside them. */
function factStatements(contract: TableContract, indexed: readonly string[], exchangedBytes: number) {
  const column = dayColumn(contract);
  const days =
    column === undefined
      ? 'SELECT CAST(NULL AS VARCHAR) AS day, 0 AS n WHERE false'
      : countedDays('built.main.rows', column);
  const indexes = indexed.map((name) => `SELECT '${name}' AS name, (${mostRows('built.main.rows', name)}) AS most`);
  return [
    `CREATE TABLE built.main.days AS ${days}`,
    `CREATE TABLE built.main.indexes AS ${indexes.join(' UNION ALL ') || `SELECT '' AS name, 0 AS most WHERE false`}`,
    `CREATE TABLE built.main.facts AS SELECT count(*) AS n, ${exchangedBytes} AS exchanged_bytes FROM built.main.rows`,
  ];
}

/** Columns worth an index: keys, and what relations lead from. */
export async function indexesFor(
  engine: DuckDbEngine,
  source: string,
  contract: TableContract,
  rows: number,
  budgetBytes: number,
): Promise<readonly string[]> {
  const indexed: string[] = [];
  const columns = [contract.key, ...contract.relations.map((relation) => relation.columns)];
  let takenBytes = 0;
  for (const [column = '', ...more] of columns) {
    if (more.length > 0 || indexed.includes(column)) continue;
    const bytes = rows * (contract.columns[column]?.type.kind === 'string' ? TEXT_INDEX_BYTES : NUMBER_INDEX_BYTES);
    if (takenBytes + bytes > budgetBytes) continue;
    const isKey = contract.key.length === 1 && contract.key[0] === column;
    const [found] = isKey ? [] : await engine.query(`SELECT (${mostRows(source, column)}) AS most`);
    if (Number(found?.['most'] ?? 1) > MAX_ROWS_PER_VALUE) continue;
    indexed.push(column);
    takenBytes += bytes;
  }
  return indexed;
}

/** The most rows that one value of a column has. */
function mostRows(source: string, column: string): string {
  const name = quoted(column);
  const counted = `SELECT count(*) AS n FROM ${source} WHERE ${name} IS NOT NULL GROUP BY ${name}`;
  return `SELECT coalesce(max(n), 0) FROM (${counted}) c`;
}

function orderOf({ sortBy, key }: TableContract): string {
  return [...sortBy, ...key].map(quoted).join(', ');
}

/** What a file says of its table. */
export interface TableFile {
  readonly relation: ServedRelation;
  /** Bytes of Parquet that were exchanged in it since it was built from nothing. */
  readonly exchangedBytes: number;
}

/** Reads what an attached file says of its table. Throws `serving.bad_file` if it is not that of the state. */
export async function readTableFile(
  engine: DuckDbEngine,
  alias: string,
  contract: TableContract,
  state: TableState,
  isSmall: boolean,
): Promise<TableFile> {
  const of = (table: string) => `${quoted(alias)}.main.${table}`;
  const [facts] = await engine.query(`SELECT n, exchanged_bytes FROM ${of('facts')}`);
  const [counted] = await engine.query(`SELECT count(*) AS n FROM ${of('rows')}`);
  if (Number(facts?.['n']) !== state.rows || Number(counted?.['n']) !== state.rows) {
    throw new LakeError('serving.bad_file', 'corrupt', `The cached file of ${state.table} does not hold its rows.`);
  }
  const indexes = await engine.query(`SELECT name, most FROM ${of('indexes')}`);
  const days = await daysFrom(engine, of('days'), contract);
  const relation: ServedRelation = {
    sql: of('rows'),
    isSmall,
    indexed: new Map(indexes.map(({ name, most }) => [String(name), Number(most)])),
    ...(days === undefined ? {} : { days }),
  };
  return { relation, exchangedBytes: Number(facts?.['exchanged_bytes']) };
}

/** Counts the days of a relation with the table's rows; undefined for a table that has none. */
export async function countDays(
  engine: DuckDbEngine,
  relation: string,
  contract: TableContract,
): Promise<DayCounts | undefined> {
  const column = dayColumn(contract);
  return column === undefined ? undefined : daysFrom(engine, `(${countedDays(relation, column)})`, contract);
}

async function daysFrom(engine: DuckDbEngine, days: string, contract: TableContract): Promise<DayCounts | undefined> {
  const column = dayColumn(contract);
  if (column === undefined) return undefined;
  const sql = `SELECT day, n FROM ${days} d ORDER BY day LIMIT ${MAX_DAYS + 1}`;
  const rows = await engine.query(sql, [], { maxRows: MAX_DAYS + 1 });
  if (rows.length > MAX_DAYS) return undefined;
  return { column, days: rows.map(({ day }) => String(day)), rows: rows.map(({ n }) => Number(n)) };
}

function countedDays(relation: string, column: string): string {
  return `SELECT CAST(CAST(${quoted(column)} AS DATE) AS VARCHAR) AS day, count(*) AS n FROM ${relation} GROUP BY 1`;
}

/** Removes what killed processes left half-built, and files of versions older than those of `kept`. */
export async function cleanFolder(cacheDir: string, kept: readonly string[]): Promise<void> {
  const newest = new Map(kept.map((name) => [tableOf(name), releaseOf(name)]));
  const keptFiles = new Set(kept.map((name) => `${name}.duckdb`));
  for (const file of await readdir(cacheDir)) {
    const pid = /\.(\d+)\.building(\.wal)?$/.exec(file)?.[1];
    const isOld =
      file.endsWith('.duckdb') && !keptFiles.has(file) && releaseOf(file) <= (newest.get(tableOf(file)) ?? -1);
    // another process may have gone on to a newer release
    if (isOld || (pid !== undefined && !isProcessRunning(Number(pid)))) await rm(join(cacheDir, file), { force: true });
  }
}

/** `gold.fact_sales` of `gold.fact_sales.12.3f…` */
function tableOf(name: string): string {
  return name.split('.').slice(0, 2).join('.');
}

function releaseOf(name: string): number {
  return Number(name.split('.')[2]);
}
