import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  commit,
  createActions,
  readSnapshot,
  type Action,
  type ColumnType,
  type Commit,
  type Schema,
  type Snapshot,
} from '#delta';
import { DuckDbEngine, DuckDbParquetRows } from '#engine';
import { storePathOf } from '#releases';
import { LocalStore } from '#storage';
import { byId, type Row } from './delta-rs.js';

export const NOW_MS = Date.parse('2026-02-17T10:00:00Z');

/** Every type of the closed map, columns that may not be NULL, and comments; `p` is the partition. */
export function schemaWith(partition: ColumnType): Schema {
  return [
    { name: 'id', type: { kind: 'long' }, nullable: false, comment: 'Beyond 2^53; "quoted"' },
    { name: 'p', type: partition, nullable: true },
    { name: 'amount', type: { kind: 'decimal', precision: 12, scale: 2 }, nullable: false },
    { name: 'ratio', type: { kind: 'decimal', precision: 30, scale: 6 }, nullable: true },
    { name: 'tags', type: { kind: 'strings' }, nullable: true, comment: 'Texts, some NULL' },
    { name: 'seen_at', type: { kind: 'timestamp' }, nullable: true },
    { name: 'day', type: { kind: 'date' }, nullable: false },
    { name: 'is_new', type: { kind: 'boolean' }, nullable: true },
    { name: 'n', type: { kind: 'integer' }, nullable: true },
    { name: 'note', type: { kind: 'string' }, nullable: true, comment: 'crème 🚢' },
  ];
}

/** Three rows from an id on, with the partition value as SQL. */
export function threeRows(id: number, partition: string): string {
  return `SELECT * FROM (VALUES
    (${id}::BIGINT, 12.50::DECIMAL(12,2), 0.333333::DECIMAL(30,6), ['a', NULL, 'ü"'], TIMESTAMPTZ '2026-02-17 10:00:00.000001+00', DATE '2026-02-17', true, 1::INTEGER, 'a'),
    (${id + 1}::BIGINT, -0.01::DECIMAL(12,2), NULL::DECIMAL(30,6), []::VARCHAR[], NULL::TIMESTAMPTZ, DATE '1999-12-31', NULL::BOOLEAN, NULL::INTEGER, NULL),
    (${id + 2}::BIGINT + 9007199254740992, 1.00::DECIMAL(12,2), 1::DECIMAL(30,6), NULL::VARCHAR[], TIMESTAMPTZ '1969-12-31 23:59:59+00', DATE '2026-02-28', false, -1::INTEGER, '🚢')
  ) t(id, amount, ratio, tags, seen_at, day, is_new, n, note), (SELECT ${partition} AS p)`;
}

/** A lake on disk, our engine and our commits: what the platform does with a table, without releases. */
export class OurLake {
  #commits = 0;

  private constructor(
    private readonly folder: string,
    readonly store: LocalStore,
    private readonly engine: DuckDbEngine,
  ) {}

  static async open(): Promise<OurLake> {
    const folder = await mkdtemp(join(tmpdir(), 'delta-rs-'));
    const engine = await DuckDbEngine.open({ workDir: join(folder, 'work'), threads: 1, memoryLimit: '512MB' });
    return new OurLake(folder, new LocalStore(join(folder, 'lake')), engine);
  }

  get #reading() {
    return { parquet: new DuckDbParquetRows(this.engine), cacheDir: join(this.folder, 'cache') };
  }

  path(table: string): string {
    return this.store.localPath(table);
  }

  async snapshot(table: string, version?: number): Promise<Snapshot> {
    const snapshot = await readSnapshot(this.store, table, {
      ...this.#reading,
      ...(version === undefined ? {} : { version }),
    });
    if (snapshot === undefined) throw new Error(`no table ${table}`);
    return snapshot;
  }

  async create(table: string, schema: Schema, partitionBy: readonly string[]): Promise<Commit> {
    const definition = { partitionBy, description: 'A table', configuration: {} };
    return this.#commit(table, undefined, createActions(schema, { ...definition, id: `id-${table}`, nowMs: NOW_MS }));
  }

  /** Writes the rows of a query as new files and commits them, with actions of the caller's. */
  async append(table: string, sql: string, others: readonly Action[] = []): Promise<Commit> {
    const read = await this.snapshot(table);
    const written = await this.engine.materialise(sql, {
      dir: join(this.folder, 'work', `write-${this.#commits}`),
      filePrefix: `run-${this.#commits}`,
      schema: read.schema,
      partitionBy: read.metadata.partitionColumns,
    });
    const adds: Action[] = [];
    for (const { addPath: path, localPath, partitionValues, sizeBytes, stats } of written) {
      await this.store.put(storePathOf(table, path), { file: localPath });
      adds.push({ add: { path, partitionValues, size: sizeBytes, modificationTime: NOW_MS, dataChange: true, stats } });
    }
    return this.#commit(table, read, [...others, ...adds]);
  }

  async #commit(table: string, read: Snapshot | undefined, actions: readonly Action[]): Promise<Commit> {
    this.#commits += 1;
    const txn: Action = { txn: { appId: 'ours', version: this.#commits } };
    return commit(this.store, {
      ...this.#reading,
      table,
      read,
      actions: [...actions, txn],
      txnId: `commit-${this.#commits}`,
      blind: true,
      nowMs: NOW_MS + this.#commits * 1000,
    });
  }

  async rows(table: string, version?: number): Promise<readonly Row[]> {
    const { schema, metadata, files } = await this.snapshot(table, version);
    await this.engine.bind('silver.t', {
      schema,
      partitionColumns: metadata.partitionColumns,
      files: [...files.values()].map(({ path, partitionValues }) => ({
        localPath: this.store.localPath(storePathOf(table, path)),
        partitionValues,
      })),
    });
    return byId(await this.engine.query('SELECT * FROM silver.t'));
  }

  async logFiles(table: string): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const { path } of this.store.list(`${table}/_delta_log/`)) names.push(path.split('/').at(-1) ?? '');
    return names;
  }

  async close(): Promise<void> {
    await this.engine.close();
    await rm(this.folder, { recursive: true });
  }
}
