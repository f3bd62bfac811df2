import { mkdtempSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Action, Add, ParquetRows, Snapshot } from '#delta';
import { LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import { planBase } from './foreign-write.js';
import type { Clock, Lake } from './lake.js';
import { publish, type PublishOutcome, type TableChange } from './publish.js';
import type { Release } from './release.js';
import { ReleaseReader } from './release-reader.js';
import { rollForward } from './roll-forward.js';
import { endRun, registerRun, type Owner } from './run-record.js';
import { storePathOf, tableAt } from './table-state.js';

/** Three small tables: `gold/sales` follows from `silver/orders`; `silver/clicks` belongs to the stream. */
export const ORDERS = 'silver/orders';
export const SALES = 'gold/sales';
export const CLICKS = 'silver/clicks';

const OWNERS: Readonly<Record<string, Owner>> = { [ORDERS]: 'batch', [SALES]: 'batch', [CLICKS]: 'stream' };

export const START_MS = Date.parse('2026-02-17T10:00:00Z');

export class HandClock implements Clock {
  constructor(private now = START_MS) {}

  nowMs(): number {
    return this.now;
  }

  sleep(waitMs: number): Promise<void> {
    this.now += waitMs;
    return new Promise((resolve) => setImmediate(resolve));
  }

  advance(byMs: number): void {
    this.now += byMs;
  }
}

/** Checkpoints as JSON: these tests are about the protocol, not about Parquet. */
const jsonCheckpoints: ParquetRows = {
  readCheckpoint: async (file) => JSON.parse(await readFile(file, 'utf8')) as Action[],
  writeCheckpoint: async (file, actions) => {
    await writeFile(file, JSON.stringify(actions));
    return (await stat(file)).size;
  },
};

export function aLake(store: ObjectStore): Lake {
  return { store, parquet: jsonCheckpoints, cacheDir: mkdtempSync(join(tmpdir(), 'releases-')) };
}

export function runId(n: number): string {
  return `20260217t100000-${n.toString(16).padStart(8, '0')}`;
}

export interface RunOptions {
  readonly runId: string;
  readonly nonce: string;
  /** One row for each table; a row is a file whose bytes are the row. */
  readonly appends: Readonly<Record<string, string>>;
  readonly owner?: Owner;
  readonly asOf?: string;
}

/** A pipeline in miniature: appends rows to tables, and rewrites `gold/sales` as the sorted rows of `silver/orders`. */
export async function run(lake: Lake, clock: Clock, options: RunOptions): Promise<Release> {
  const reader = new ReleaseReader(lake.store);
  const earlier = await reader.byRun(options.runId, 0);
  let release = earlier;
  if (release === undefined) {
    const parent = await reader.latest();
    await registerRun(lake.store, clock, {
      runId: options.runId,
      owner: options.owner ?? 'batch',
      parent: parent?.number ?? null,
    });
    for (let attempt = 0; release === undefined; attempt++) {
      const outcome = await attemptRun(lake, clock, { ...options, nonce: `${options.nonce}.${attempt}` }).catch(replan);
      if (outcome?.kind === 'published') release = outcome.release;
    }
  }
  await rollForward(lake, clock, release);
  await endRun(lake.store, clock, options.runId, 'published');
  return release;
}

function replan(error: unknown): undefined {
  if (!(error instanceof LakeError) || error.code !== 'release.superseded') throw error;
}

export async function attemptRun(lake: Lake, clock: Clock, options: RunOptions): Promise<PublishOutcome> {
  const parent = await new ReleaseReader(lake.store).latest();
  if (parent !== undefined) await rollForward(lake, clock, parent);
  const changes = new Map<string, TableChange>();
  for (const [table, row] of Object.entries(options.appends)) {
    const base = await planBase(lake, parent, table);
    const rows = [...(await rowsIn(lake, table, base?.files.values() ?? [])), row];
    changes.set(table, await appended(lake, options, table, base, row, rows.length));
    if (table === ORDERS) {
      const sales = await planBase(lake, parent, SALES);
      changes.set(SALES, await replaced(lake, options, SALES, sales, rows.sort().join('+')));
    }
  }
  return publish({
    store: lake.store,
    clock,
    runId: options.runId,
    nonce: options.nonce,
    owner: options.owner ?? 'batch',
    parent,
    listedAtMs: clock.nowMs(),
    mode: 'full',
    asOf: options.asOf ?? (options.owner === 'stream' && parent !== undefined ? undefined : '2026-02-17'),
    changes,
    readSet: new Set(changes.keys()),
    consumed: { loads: {}, offsets: {}, completeUntil: {} },
    checks: [],
    counts: {},
    report: null,
  });
}

/** What every release must say of itself: sales follow from its orders. */
export async function contentOfRelease(
  lake: Lake,
  release: Release,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const content: Record<string, readonly string[]> = {};
  for (const table of Object.keys(release.tables).sort()) {
    const { files } = await tableAt(lake, release, table);
    content[table] = await rowsIn(
      lake,
      table,
      files.map(({ add }) => add),
    );
  }
  return content;
}

export async function rowsIn(lake: Lake, table: string, files: Iterable<Add>): Promise<string[]> {
  const rows: string[] = [];
  for (const { path } of files) rows.push(Buffer.from(await lake.store.get(storePathOf(table, path))).toString());
  return rows.sort();
}

export async function appended(
  lake: Lake,
  run: RunOptions,
  table: string,
  base: Snapshot | undefined,
  row: string,
  rows: number,
): Promise<TableChange> {
  const add = await dataFile(lake, table, `${run.runId}-${run.nonce}`, row);
  return change(table, base, [...(base === undefined ? creation(table) : []), { add }], rows);
}

async function replaced(
  lake: Lake,
  run: RunOptions,
  table: string,
  base: Snapshot | undefined,
  row: string,
): Promise<TableChange> {
  const add = await dataFile(lake, table, `${run.runId}-${run.nonce}`, row);
  const removes = [...(base?.files.values() ?? [])].map(({ path, size, partitionValues }): Action => ({
    remove: { path, dataChange: true, deletionTimestamp: START_MS, size, partitionValues, extendedFileMetadata: true },
  }));
  return change(table, base, [...(base === undefined ? creation(table) : removes), { add }], 1);
}

export function change(
  table: string,
  base: Snapshot | undefined,
  actions: readonly Action[],
  rows: number,
): TableChange {
  return { owner: OWNERS[table] ?? 'batch', base, actions, rows, logic: 'logic', schema: 'schema' };
}

export async function dataFile(lake: Lake, table: string, name: string, row: string): Promise<Add> {
  const bytes = Buffer.from(row);
  const path = `${name}.parquet`;
  await lake.store.put(`${table}/${path}`, bytes);
  return { path, partitionValues: {}, size: bytes.length, modificationTime: START_MS, dataChange: true };
}

export function creation(table: string): readonly Action[] {
  const schemaString = JSON.stringify({
    type: 'struct',
    fields: [{ name: 'row', type: 'string', nullable: true, metadata: {} }],
  });
  return [
    { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
    {
      metaData: {
        id: `id-of-${table}`,
        format: { provider: 'parquet', options: {} },
        schemaString,
        partitionColumns: [],
        configuration: {},
        createdTime: START_MS,
      },
    },
  ];
}

export function aRelease(of: Partial<Release> & { readonly number: number }): Release {
  return {
    format: 1,
    parent: of.number > 1 ? of.number - 1 : null,
    run_id: runId(of.number),
    nonce: `nonce-${of.number}`,
    published_at: '2026-02-17T10:00:00.000Z',
    as_of: '2026-02-17',
    mode: 'full',
    tables: {},
    loads: {},
    withdrawn: [],
    offsets: {},
    checks: [],
    counts: {},
    complete_until: {},
    report: null,
    ...of,
  };
}

/** Yields before each call, as often as the next number says: another interleaving for each seed. */
export function jittery(store: ObjectStore, pauses: readonly number[]): ObjectStore {
  let call = 0;
  const pause = async () => {
    for (let n = pauses[call++ % pauses.length] ?? 0; n > 0; n--) await Promise.resolve();
  };
  return wrapped(store, {
    get: async (path, range) => (await pause(), store.get(path, range)),
    put: async (path, body) => (await pause(), store.put(path, body)),
    putIfAbsent: async (path, body) => (await pause(), store.putIfAbsent(path, body)),
    list: async function* (prefix, startAfter) {
      await pause();
      yield* store.list(prefix, startAfter);
    },
    delete: async (path) => (await pause(), store.delete(path)),
  });
}

/** Lets something happen just before each put that must not replace. */
export function intercepted(store: ObjectStore, act: (path: string) => Promise<void>): ObjectStore {
  return wrapped(store, {
    putIfAbsent: async (path, body) => {
      await act(path);
      return store.putIfAbsent(path, body);
    },
  });
}

export function wrapped(store: ObjectStore, over: Partial<ObjectStore>): ObjectStore {
  return {
    url: store.url,
    get: (path, range) => store.get(path, range),
    put: (path, body) => store.put(path, body),
    putIfAbsent: (path, body) => store.putIfAbsent(path, body),
    list: (prefix, startAfter) => store.list(prefix, startAfter),
    delete: (path) => store.delete(path),
    localPath: (path) => store.localPath(path),
    ...over,
  };
}
