import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DuckDBStructType, type DuckDBConnection } from '@duckdb/node-api';
import { LakeError } from '#errors';
import { boundSelect, emptySelect, filesScan } from './bound-view.js';
import { DuckDbPool } from './duckdb-pool.js';
import type { QueryColumn } from './duckdb-type.js';
import type { BoundTable, Engine, MaterialiseTarget, Parameter, Row, Value, WrittenFile } from './engine.js';
import { writeParquet } from './parquet-writer.js';
import { preludeStatements } from './prelude.js';
import { toValue } from './row-value.js';
import { SelectGuard } from './select-guard.js';
import { quoteIdentifier, quoteRelation, quoteText } from './sql-text.js';

/** Several tables are computed side by side, and each stream holds a connection until it is read to its end. */
const DEFAULT_CONNECTIONS = 8;
const DEFAULT_MAX_ROWS = 10_000;
const LAYERS = ['bronze', 'silver', 'gold', 'quarantine', 'parsed', 'valid', 'measures', 'work'];

const SESSION = [`SET TimeZone = 'UTC'`, `SET default_null_order = 'NULLS_FIRST_ON_ASC_LAST_ON_DESC'`];

export interface DuckDbOptions {
  /** As DuckDB spells it: `4GB`. Without it, DuckDB takes 80 % of the machine's memory. */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Statements that run at once; others wait. */
  readonly connections?: number;
  /** Spilled data goes to a folder of its own in here, gone with `close`. What a killed process left is harmless. */
  readonly workDir: string;
}

/** The engine port on one in-memory DuckDB. Names are unique per engine; calls on different names may overlap. */
export class DuckDbEngine implements Engine {
  readonly name = 'duckdb';
  readonly #kinds = new Map<string, 'VIEW' | 'TABLE'>();
  #guard: SelectGuard | undefined;

  private constructor(
    private readonly pool: DuckDbPool,
    private readonly spillDir: string,
  ) {}

  static async open(options: DuckDbOptions): Promise<DuckDbEngine> {
    await mkdir(options.workDir, { recursive: true });
    const spillDir = await mkdtemp(join(options.workDir, 'duckdb-'));
    const settings: Record<string, string> = {
      temp_directory: spillDir,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // Bronze rows are numbered by their order in the file, so order is kept; it is a setting of the whole instance,
      // and transforms that stage or write plain files keep their parallelism with it.
      preserve_insertion_order: 'true',
      // with fewer than a table's partitions, DuckDB closes files half way and begins others
      partitioned_write_max_open_files: '2000',
      ...(options.memoryLimit === undefined ? {} : { memory_limit: options.memoryLimit }),
      ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
    };
    try {
      const pool = await DuckDbPool.open(settings, SESSION, options.connections ?? DEFAULT_CONNECTIONS);
      const engine = new DuckDbEngine(pool, spillDir);
      await engine.#use('preparing the engine', undefined, async (connection) => {
        for (const layer of LAYERS) await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(layer)}`);
        for (const statement of preludeStatements) await connection.run(statement);
      });
      return engine;
    } catch (error) {
      await rm(spillDir, { recursive: true, force: true });
      throw error;
    }
  }

  async bind(name: string, table: BoundTable): Promise<void> {
    this.#refuseWhenSealed();
    await this.#use(`binding ${name}`, undefined, async (connection) => {
      if (table.files.length === 0) return this.#replaceView(connection, name, emptySelect(table));
      const present = await describe(
        connection,
        `SELECT * FROM ${filesScan(table.files, ', hive_partitioning = false')}`,
      );
      return this.#replaceView(connection, name, boundSelect(table, present));
    });
  }

  async define(name: string, sql: string): Promise<void> {
    this.#refuseWhenSealed();
    await this.#use(`defining ${name}`, undefined, (connection) => this.#replaceView(connection, name, sql));
  }

  async stage(name: string, sql: string, signal?: AbortSignal): Promise<number> {
    this.#refuseWhenSealed();
    return this.#use(`computing ${name}`, signal, async (connection) => {
      if (this.#kinds.get(name) === 'VIEW') await this.#drop(connection, name);
      const reader = await connection.runAndReadAll(`CREATE OR REPLACE TABLE ${quoteRelation(name)} AS ${sql}`);
      this.#kinds.set(name, 'TABLE');
      return Number(reader.getRows()[0]?.[0] ?? 0);
    });
  }

  async drop(name: string): Promise<void> {
    this.#refuseWhenSealed();
    await this.#use(`dropping ${name}`, undefined, (connection) => this.#drop(connection, name));
  }

  async *stream(
    sql: string,
    parameters: readonly Parameter[] = [],
    signal?: AbortSignal,
  ): AsyncIterable<readonly Row[]> {
    const lease = await this.pool.lease('reading', signal);
    try {
      await this.#guard?.check(lease.connection, sql);
      const result = await lease.connection.stream(sql, [...parameters]);
      const names = result.columnNames();
      for await (const rows of result.yieldConvertedRows<Value>(toValue)) {
        if (lease.isCancelled()) throw new Error('cancelled');
        if (rows.length > 0) yield rows.map((row) => toRow(names, row));
      }
    } catch (error) {
      throw lease.toError(error);
    } finally {
      lease.release();
    }
  }

  async query(
    sql: string,
    parameters: readonly Parameter[] = [],
    options: { maxRows?: number; signal?: AbortSignal } = {},
  ): Promise<readonly Row[]> {
    const maxRows = options.maxRows ?? DEFAULT_MAX_ROWS;
    const rows: Row[] = [];
    for await (const batch of this.stream(sql, parameters, options.signal)) {
      rows.push(...batch);
      if (rows.length > maxRows) {
        throw new LakeError(
          'engine.too_many_rows',
          'invalid',
          `the query gives more than ${maxRows} rows: add a LIMIT, or read it as a stream`,
        );
      }
    }
    return rows;
  }

  /** Columns of a query's result, in order; nothing of it is computed. */
  async describe(sql: string): Promise<readonly QueryColumn[]> {
    return this.#use('reading', undefined, async (connection) => {
      await this.#guard?.check(connection, sql);
      return describe(connection, sql);
    });
  }

  async materialise(sql: string, target: MaterialiseTarget, signal?: AbortSignal): Promise<readonly WrittenFile[]> {
    this.#refuseWhenSealed();
    return this.#use(`writing ${target.filePrefix}`, signal, async (connection) =>
      writeParquet(connection, sql, await describe(connection, sql), target),
    );
  }

  /** Writes one Parquet file of any shape (a checkpoint), without the rules of table columns. */
  async copyParquet(sql: string, localFile: string): Promise<void> {
    this.#refuseWhenSealed();
    await this.#use(`writing ${localFile}`, undefined, async (connection) => {
      await connection.run(`COPY (${sql}) TO ${quoteText(localFile)} (FORMAT parquet, COMPRESSION snappy)`);
    });
  }

  /** The fields of each struct column that a query gives. */
  async structFields(sql: string): Promise<ReadonlyMap<string, readonly string[]>> {
    this.#refuseWhenSealed();
    return this.#use('reading columns', undefined, async (connection) => {
      const result = await connection.run(`${sql} LIMIT 0`);
      const types = result.columnTypes();
      const named = result.columnNames().map((name, at) => [name, types[at]] as const);
      return new Map(
        named.flatMap(([name, type]) => (type instanceof DuckDBStructType ? [[name, type.entryNames] as const] : [])),
      );
    });
  }

  /**
   * Makes a database file: it is `built` to the statements, and a whole file on the disk when this returns. An existing
   * file is changed. A failure leaves half a file.
   */
  async writeDatabase(localFile: string, statements: readonly string[], signal?: AbortSignal): Promise<void> {
    this.#refuseWhenSealed();
    await this.#use(`building ${localFile}`, signal, async (connection) => {
      await connection.run(`ATTACH ${quoteText(localFile)} AS built`);
      try {
        for (const statement of statements) await connection.run(statement);
        await connection.run('CHECKPOINT built');
      } finally {
        await connection.run('DETACH built');
      }
    });
  }

  /** Makes the tables of a database file readable as `"name"."main"."table"`. Nobody may change the file any more. */
  async attach(name: string, localFile: string): Promise<void> {
    this.#refuseWhenSealed();
    await this.#use(`opening ${localFile}`, undefined, async (connection) => {
      await connection.run(`ATTACH ${quoteText(localFile)} AS ${quoteIdentifier(name)} (READ_ONLY)`);
    });
  }

  /** Queries that are running finish. */
  async detach(name: string): Promise<void> {
    this.#refuseWhenSealed();
    await this.#use(`closing ${name}`, undefined, async (connection) => {
      await connection.run(`DETACH ${quoteIdentifier(name)}`);
    });
  }

  /**
   * From now on the engine answers single SELECTs over the names bound so far and reads files in the given folders only.
   * Cannot be undone: it is for SQL that a user typed.
   */
  async seal(readableDirs: readonly string[]): Promise<void> {
    await this.#use('sealing the engine', undefined, async (connection) => {
      const dirs = [...readableDirs.map((dir) => resolve(dir)), this.spillDir].map(quoteText);
      // in this order: each step takes away what the one before it needed
      await connection.run(`SET allowed_directories = [${dirs.join(', ')}]`);
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
    });
    this.#guard = new SelectGuard(new Set(this.#kinds.keys()));
  }

  /** Interrupts everything that runs; each call ends with `engine.cancelled`. */
  cancelAll(): void {
    this.pool.cancelAll();
  }

  async close(): Promise<void> {
    await this.pool.close();
    await rm(this.spillDir, { recursive: true, force: true });
  }

  #use<T>(doing: string, signal: AbortSignal | undefined, work: (connection: DuckDBConnection) => Promise<T>) {
    return this.pool.use(doing, signal, work);
  }

  async #replaceView(connection: DuckDBConnection, name: string, sql: string): Promise<void> {
    if (this.#kinds.get(name) === 'TABLE') await this.#drop(connection, name);
    await connection.run(`CREATE OR REPLACE VIEW ${quoteRelation(name)} AS ${sql}`);
    this.#kinds.set(name, 'VIEW');
  }

  async #drop(connection: DuckDBConnection, name: string): Promise<void> {
    const kind = this.#kinds.get(name);
    if (kind === undefined) return;
    await connection.run(`DROP ${kind} IF EXISTS ${quoteRelation(name)}`);
    this.#kinds.delete(name);
  }

  #refuseWhenSealed(): void {
    if (this.#guard === undefined) return;
    throw new LakeError('sql.refused', 'invalid', 'this engine is sealed: it only answers single SELECT statements');
  }
}

async function describe(connection: DuckDBConnection, sql: string): Promise<readonly QueryColumn[]> {
  const reader = await connection.runAndReadAll(`DESCRIBE ${sql}`);
  return reader.getRows().map((row) => ({ name: String(row[0]), type: String(row[1]) }));
}

function toRow(names: readonly string[], values: readonly Value[]): Row {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? null]));
}
