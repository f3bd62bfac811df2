import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectStore } from '#storage';
import type { Action } from './action.js';
import { commit, commitAt, type Commit, type CommitRequest } from './commit.js';
import { createActions } from './create-table.js';
import { logFolder } from './log-path.js';
import type { ParquetRows } from './parquet-rows.js';
import { readSnapshot, type SnapshotChoice } from './read-snapshot.js';
import type { Schema } from './schema.js';
import type { Snapshot } from './snapshot.js';

export const TABLE = 'silver/orders';
export const NOW_MS = Date.parse('2026-02-17T10:00:00Z');
const SCHEMA: Schema = [{ name: 'id', type: { kind: 'long' }, nullable: false }];

/** Checkpoints as JSON: most of these tests are about the log, not about Parquet. */
const jsonCheckpoints: ParquetRows = {
  readCheckpoint: async (file) => JSON.parse(await readFile(file, 'utf8')) as Action[],
  writeCheckpoint: async (file, actions) => {
    await writeFile(file, JSON.stringify(actions));
    return (await stat(file)).size;
  },
};

export const READING = { parquet: jsonCheckpoints, cacheDir: join(tmpdir(), 'delta-log-spec') };

export const creation = createActions(SCHEMA, {
  id: 'table-1',
  nowMs: NOW_MS,
  partitionBy: [],
  description: 'Orders',
  configuration: {},
});

export function addition(path: string, dataChange = true): Action {
  return { add: { path, partitionValues: {}, size: 1, modificationTime: NOW_MS, dataChange } };
}

export function removal(path: string, dataChange = true): Action {
  return { remove: { path, deletionTimestamp: NOW_MS, dataChange } };
}

export function timed(timeMs: number): Action {
  return { commitInfo: { timestamp: timeMs } };
}

/** A table's creation as version 0, then one version for each list of actions. */
export async function aLog(store: ObjectStore, ...versions: readonly (readonly Action[])[]): Promise<void> {
  for (const [version, actions] of [creation, ...versions].entries()) {
    await commitAt(store, TABLE, version, actions, `setup-${version}`);
  }
}

export async function read(store: ObjectStore, choice: Partial<SnapshotChoice> = {}): Promise<Snapshot> {
  const snapshot = await readSnapshot(store, TABLE, { ...READING, ...choice });
  if (snapshot === undefined) throw new Error(`no table ${TABLE}`);
  return snapshot;
}

export function commitTo(
  store: ObjectStore,
  request: Pick<CommitRequest, 'read' | 'actions' | 'txnId'> & Partial<CommitRequest>,
): Promise<Commit> {
  return commit(store, { table: TABLE, blind: true, nowMs: NOW_MS, ...READING, ...request });
}

/** The names in the table's log folder. */
export async function logNames(store: ObjectStore): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { path } of store.list(logFolder(TABLE))) names.push(path.slice(logFolder(TABLE).length));
  return names;
}
