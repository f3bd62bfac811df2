import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeError } from '#errors';
import { lakeColumns, type TableContract } from '#contracts';
import type { DuckDbEngine } from '#engine';
import type { TableState } from '#releases';
import { dayColumn, MAX_DAYS, type DayCounts } from './day-counts.js';
import type { ServedRelation } from './relation.js';
import { quoted } from './sql.js';

/** Raised when files of earlier versions of this code are of no use. */
const FORMAT = 1;

/** With more rows for one value, DuckDB scans instead. */
const MAX_ROWS_PER_VALUE = 2_000;
/** What an index takes in memory for each row, and there it stays. */
const TEXT_INDEX_BYTES = 48;
const NUMBER_INDEX_BYTES = 16;

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
export function buildStatements(source: string, contract: TableContract, indexed: ReadonlyMap<string, number>) {
  const order = [...contract.sortBy, ...contract.key].map(quoted).join(', ');
  return [
    `CREATE TABLE built.main.rows AS SELECT * FROM ${source} ORDER BY ${order}`,
    ...[...indexed.keys()].map(
      (column) => `CREATE INDEX ${quoted(`by_${column}`)} ON built.main.rows (${quoted(column)})`,
    ),
    ...factStatements(contract, indexed),
  ];
}

/** The statements that make the file of a table's later version from a copy of an earlier one's. Keys are unique. */
export function updateStatements(
  removed: string,
  added: string,
  contract: TableContract,
  indexed: ReadonlyMap<string, number>,
) {
  const sameKey = contract.key.map((column) => `t.${quoted(column)} IS NOT DISTINCT FROM g.${quoted(column)}`);
  return [
    `DELETE FROM built.main.rows t USING ${removed} g WHERE ${sameKey.join(' AND ')}`,
    `INSERT INTO built.main.rows SELECT * FROM ${added} ORDER BY ${[...contract.sortBy, ...contract.key].map(quoted).join(', ')}`,
    `DROP TABLE built.main.days`,
    `DROP TABLE built.main.facts`,
    ...factStatements(contract, indexed),
  ];
}

/** What is known of the rows, beside them: written last, so that a file without it is not whole. */
function factStatements(contract: TableContract, indexed: ReadonlyMap<string, number>): readonly string[] {
  const column = dayColumn(contract);
  const days =
    column === undefined
      ? `SELECT CAST(NULL AS VARCHAR) AS day, 0 AS n WHERE false`
      : `SELECT CAST(CAST(${quoted(column)} AS DATE) AS VARCHAR) AS day, count(*) AS n FROM built.main.rows GROUP BY 1 ORDER BY 1`;
  const facts = JSON.stringify([...indexed]).replaceAll("'", "''");
  return [
    `CREATE TABLE built.main.days AS ${days}`,
    `CREATE TABLE built.main.facts AS SELECT count(*) AS n, '${facts}' AS indexed FROM built.main.rows`,
  ];
}

/** Columns worth an index, with the most rows that one of their values has: keys, and what relations lead from. */
export async function indexesFor(
  engine: DuckDbEngine,
  source: string,
  contract: TableContract,
  rows: number,
  budgetBytes: number,
): Promise<ReadonlyMap<string, number>> {
  const indexed = new Map<string, number>();
  const columns = [contract.key, ...contract.relations.map((relation) => relation.columns)];
  let takenBytes = 0;
  for (const [column = '', ...more] of columns) {
    if (more.length > 0 || indexed.has(column)) continue;
    const bytes = rows * (contract.columns[column]?.type.kind === 'string' ? TEXT_INDEX_BYTES : NUMBER_INDEX_BYTES);
    if (takenBytes + bytes > budgetBytes) continue;
    const most = contract.key.length === 1 && contract.key[0] === column ? 1 : await mostRows(engine, source, column);
    if (most > MAX_ROWS_PER_VALUE) continue;
    indexed.set(column, most);
    takenBytes += bytes;
  }
  return indexed;
}

async function mostRows(engine: DuckDbEngine, source: string, column: string): Promise<number> {
  const name = quoted(column);
  const counted = `SELECT count(*) AS n FROM ${source} WHERE ${name} IS NOT NULL GROUP BY ${name}`;
  const [row] = await engine.query(`SELECT coalesce(max(n), 0) AS most FROM (${counted}) c`);
  return Number(row?.['most'] ?? 0);
}

/** Reads what an attached file says of its table. Throws `serving.bad_file` if it is not that of the state. */
export async function readRelation(
  engine: DuckDbEngine,
  name: string,
  contract: TableContract,
  state: TableState,
  isSmall: boolean,
): Promise<ServedRelation> {
  const of = (table: string) => `${quoted(name)}.main.${table}`;
  const [facts] = await engine.query(`SELECT n, indexed FROM ${of('facts')}`);
  const [counted] = await engine.query(`SELECT count(*) AS n FROM ${of('rows')}`);
  if (Number(facts?.['n']) !== state.rows || Number(counted?.['n']) !== state.rows) {
    throw new LakeError('serving.bad_file', 'corrupt', `The cached file ${name} does not hold the rows of its table.`);
  }
  const column = dayColumn(contract);
  const days = await engine.query(`SELECT day, n FROM ${of('days')} ORDER BY day`, [], { maxRows: MAX_DAYS });
  const counts: DayCounts | undefined =
    column === undefined
      ? undefined
      : { column, days: days.map((row) => String(row['day'])), rows: days.map((row) => Number(row['n'])) };
  return {
    sql: of('rows'),
    isSmall,
    indexed: new Map(JSON.parse(String(facts?.['indexed'])) as [string, number][]),
    ...(counts === undefined ? {} : { days: counts }),
  };
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
    if (isOld || (pid !== undefined && !isRunning(Number(pid)))) await rm(join(cacheDir, file), { force: true });
  }
}

/** `gold.fact_sales` of `gold.fact_sales.12.3f…` */
function tableOf(name: string): string {
  return name.split('.').slice(0, 2).join('.');
}

function releaseOf(name: string): number {
  return Number(name.split('.')[2]);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // it runs under another user
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
