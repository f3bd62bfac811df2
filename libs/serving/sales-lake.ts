import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { decimal, integer, lakeColumns, required, table, text, timestamp, type TableContract } from '#contracts';
import { createActions, type Action, type Add } from '#delta';
import { DuckDbEngine, DuckDbParquetRows, type Row } from '#engine';
import {
  endRun,
  planBase,
  publish,
  registerRun,
  ReleaseReader,
  rollForward,
  runIdFrom,
  storePathOf,
  type Clock,
  type Lake,
  type Release,
  type TableChange,
} from '#releases';
import { LocalStore, type ObjectStore } from '#storage';
import { Answers, type AnswersOptions } from './answers.js';
import type { Tables } from './field.js';

const recompute = { by: [], from: [], asOf: false };

/** Sorted by time, with a text key and a relation: what days are counted for and indexes are made of. */
export const sale = table('gold/sale', {
  describes: 'Sales',
  key: ['sale_id'],
  sortBy: ['sold_at', 'sale_id'],
  partitionBy: ['sold_month'],
  columns: {
    sale_id: required(text('Sale')),
    sold_at: required(timestamp('When')),
    shop_id: integer('Shop'),
    amount: decimal(9, 2, 'Amount'),
    sold_month: required(integer('Month of it')),
  },
  relations: [{ name: 'shop', to: 'gold/shop', columns: ['shop_id'], references: ['shop_id'] }],
  recompute,
});

const shop = table('gold/shop', {
  describes: 'Shops',
  key: ['shop_id'],
  columns: { shop_id: required(integer('Shop')), city: text('City') },
  recompute,
});

export const salesTables: Tables = {
  byName: new Map([sale, shop].map((contract) => [contract.name, { contract, sql: '' }])),
};

export interface Sale {
  readonly sale_id: string;
  /** `2026-01-31T12:00:00Z` */
  readonly sold_at: string;
  readonly shop_id: number | null;
  readonly amount: string;
}

const clock: Clock = { nowMs: () => performance.timeOrigin + performance.now(), sleep: (ms) => setTimeout(ms) };

/** A lake of sales on a disk, and whoever answers about it. Each publish writes the months that changed anew. */
export class SalesLake {
  readonly lake: Lake;
  readonly cacheDir: string;
  #runs = 0;
  #months = new Map<string, string>();
  readonly #opened: Answers[] = [];

  private constructor(
    readonly folder: string,
    store: ObjectStore,
    private readonly engine: DuckDbEngine,
  ) {
    this.lake = { store, parquet: new DuckDbParquetRows(engine), cacheDir: join(folder, 'cache') };
    this.cacheDir = join(folder, 'cache/serving');
  }

  static async make(over: (store: ObjectStore) => ObjectStore = (store) => store): Promise<SalesLake> {
    const folder = await mkdtemp(join(tmpdir(), 'sales-'));
    const engine = await DuckDbEngine.open({ workDir: join(folder, 'work'), memoryLimit: '256MB', threads: 1 });
    return new SalesLake(folder, over(new LocalStore(join(folder, 'lake'))), engine);
  }

  async answers(options: Partial<AnswersOptions> = {}): Promise<Answers> {
    const answers = await Answers.open({
      tables: salesTables,
      lake: this.lake,
      clock,
      cursorSecret: 'a secret',
      cacheDir: this.cacheDir,
      workDir: join(this.folder, 'work'),
      memoryLimitBytes: 600e6,
      threads: 2,
      smallTableRows: 1,
      ...options,
    });
    this.#opened.push(answers);
    return answers;
  }

  /** The next release. `shops` are city by number. */
  async publish(sales: readonly Sale[], shops?: Readonly<Record<number, string>>): Promise<Release> {
    const months = new Map<string, string>();
    for (const row of sales) {
      const month = row.sold_at.slice(0, 7).replace('-', '');
      months.set(month, `${months.get(month) ?? ''}${JSON.stringify({ ...row, sold_month: Number(month) })}\n`);
    }
    const changed = [...new Set([...months.keys(), ...this.#months.keys()])].filter(
      (month) => months.get(month) !== this.#months.get(month),
    );
    this.#months = months;
    const rows = changed.flatMap((month) => months.get(month) ?? []);
    await mkdir(join(this.folder, 'new'), { recursive: true });
    const file = join(this.folder, 'new', `${++this.#runs}.json`);
    await writeFile(file, rows.join(''));
    const columns =
      "{sale_id: 'VARCHAR', sold_at: 'TIMESTAMPTZ', shop_id: 'INTEGER', amount: 'DECIMAL(9,2)', sold_month: 'INTEGER'}";
    const saleRows =
      rows.length === 0
        ? undefined
        : `SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = ${columns})`;
    const shopRows = Object.entries(shops ?? {}).map(([id, city]) => `(${id}, '${city}')`);
    return this.#run(async (runId, parent) => [
      ...(changed.length === 0
        ? []
        : [
            await this.#change(runId, parent, sale, saleRows, sales.length, (add) =>
              changed.includes(String(add.partitionValues['sold_month'])),
            ),
          ]),
      ...(shops === undefined
        ? []
        : [
            await this.#change(
              runId,
              parent,
              shop,
              `SELECT * FROM (VALUES ${shopRows.join(', ')}) v(shop_id, city)`,
              shopRows.length,
              () => true,
            ),
          ]),
    ]);
  }

  async remove(): Promise<void> {
    for (const answers of this.#opened) await answers.close();
    await this.engine.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #change(
    runId: string,
    parent: Release | undefined,
    contract: TableContract,
    rows: string | undefined,
    total: number,
    isReplaced: (add: Add) => boolean,
  ): Promise<readonly [string, TableChange]> {
    const base = await planBase(this.lake, parent, contract.name);
    const schema = Object.entries(lakeColumns(contract)).map(([name, { type, nullable }]) => ({
      name,
      type,
      nullable,
    }));
    const stamps = `TIMESTAMPTZ '2026-02-17 10:00:00+00' AS _processed_at, '${runId}' AS _run_id`;
    const dir = join(this.folder, 'new', runId);
    const written =
      rows === undefined
        ? []
        : await this.engine.materialise(`SELECT r.*, ${stamps} FROM (${rows}) r`, {
            dir,
            filePrefix: runId,
            schema,
            partitionBy: contract.partitionBy,
          });
    for (const { addPath, localPath } of written) {
      await this.lake.store.put(storePathOf(contract.name, addPath), { file: localPath });
    }
    const nowMs = clock.nowMs();
    const definition = { partitionBy: contract.partitionBy, description: contract.describes, configuration: {} };
    const actions: Action[] = base === undefined ? [...createActions(schema, { ...definition, id: runId, nowMs })] : [];
    for (const add of base?.files.values() ?? []) {
      if (!isReplaced(add)) continue;
      const { path, partitionValues, size } = add;
      const deletionTimestamp = Math.floor(nowMs);
      actions.push({
        remove: { path, deletionTimestamp, dataChange: true, extendedFileMetadata: true, partitionValues, size },
      });
    }
    for (const { addPath, partitionValues, sizeBytes, stats } of written) {
      const modificationTime = Math.floor(nowMs);
      actions.push({
        add: { path: addPath, partitionValues, size: sizeBytes, modificationTime, dataChange: true, stats },
      });
    }
    return [contract.name, { owner: 'batch', base, actions, rows: total, logic: 'logic', schema: 'schema' }];
  }

  async #run(
    changesOf: (runId: string, parent: Release | undefined) => Promise<readonly (readonly [string, TableChange])[]>,
  ): Promise<Release> {
    const { lake } = this;
    const runId = runIdFrom(clock.nowMs(), (++this.#runs).toString(16).padStart(8, '0'));
    const parent = await new ReleaseReader(lake.store).latest();
    await registerRun(lake.store, clock, { runId, owner: 'batch', parent: parent?.number ?? null });
    const changes = new Map(await changesOf(runId, parent));
    const outcome = await publish({
      store: lake.store,
      clock,
      runId,
      nonce: runId,
      owner: 'batch',
      parent,
      listedAtMs: clock.nowMs(),
      mode: 'full',
      asOf: '2026-02-17',
      changes,
      readSet: new Set(changes.keys()),
      consumed: { loads: {}, offsets: {}, completeUntil: {} },
      checks: [],
      counts: {},
      report: null,
    });
    if (outcome.kind !== 'published') throw new Error('somebody else published');
    await rollForward(lake, clock, outcome.release);
    await endRun(lake.store, clock, runId, 'published');
    return outcome.release;
  }
}

/** What sales a release has, as a page gives them. */
export function asRow({ sale_id, sold_at, shop_id, amount }: Sale): Row {
  return { sale_id, sold_at, shop_id, amount };
}
