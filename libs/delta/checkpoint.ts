import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '#storage';
import type { Action } from './action.js';
import { listLog } from './log-listing.js';
import { checkpointPath, lastCheckpointPath } from './log-path.js';
import type { ParquetRows } from './parquet-rows.js';
import type { Snapshot } from './snapshot.js';

const CHECKPOINT_EVERY = 10;

export function checkpointDue(version: number): boolean {
  return version > 0 && version % CHECKPOINT_EVERY === 0;
}

/** Writes the classic single-file checkpoint of a version. Several writers may do so at once: their files say the same. */
export async function writeCheckpoint(
  store: ObjectStore,
  snapshot: Snapshot,
  parquet: ParquetRows,
  workDir: string,
): Promise<void> {
  const { table, version } = snapshot;
  const actions = checkpointActions(snapshot);
  const sizeInBytes = await putActions(store, checkpointPath(table, version), actions, parquet, workDir);
  const hint = { version, size: actions.length, sizeInBytes, numOfAddFiles: snapshot.files.size };
  await store.put(lastCheckpointPath(table), Buffer.from(JSON.stringify(hint)));
}

/**
 * Keeps what a reader needs of a version at a path of the caller's, for when its log is cleaned: schema and live files
 * with their statistics. `readState` reads it.
 */
export async function writeState(
  store: ObjectStore,
  path: string,
  snapshot: Snapshot,
  parquet: ParquetRows,
  workDir: string,
): Promise<void> {
  await putActions(store, path, checkpointActions({ ...snapshot, tombstones: new Map() }), parquet, workDir);
}

/** Returns the size in bytes. */
async function putActions(
  store: ObjectStore,
  path: string,
  actions: readonly Action[],
  parquet: ParquetRows,
  workDir: string,
): Promise<number> {
  await mkdir(workDir, { recursive: true });
  const folder = await mkdtemp(join(workDir, 'checkpoint-'));
  try {
    const file = join(folder, 'single.parquet');
    const sizeBytes = await parquet.writeCheckpoint(file, actions);
    await store.put(path, { file });
    return sizeBytes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a clean-up of a log takes: the files, oldest first, and the first version that can be read afterwards. */
export interface LogCleaning {
  readonly table: string;
  readonly firstVersion: number;
  readonly paths: readonly string[];
}

/**
 * Log files that no version from `keepFromVersion` on needs. The newest checkpoint at or before it stays, and so does the
 * commit of that checkpoint's own version: Spark finds no table without it.
 */
export async function planCleaning(store: ObjectStore, table: string, keepFromVersion: number): Promise<LogCleaning> {
  const { commits, checkpoints, files } = await listLog(store, table);
  const anchor = [...checkpoints.keys()]
    .filter((version) => version <= keepFromVersion && commits.has(version))
    .reduce((newest, version) => Math.max(newest, version), 0);
  const paths = files.filter(({ version }) => version < anchor).map(({ path }) => path);
  return { table, firstVersion: anchor, paths };
}

/** Oldest first, so that what is left after a stop is a log that begins later, without holes. */
export async function cleanLog(store: ObjectStore, { paths }: LogCleaning): Promise<void> {
  for (const path of paths) await store.delete(path);
}

function checkpointActions({ protocol, metadata, txns, files, tombstones }: Snapshot): readonly Action[] {
  return [
    { protocol },
    { metaData: metadata },
    ...[...txns].map(([appId, version]) => ({ txn: { appId, version } })),
    ...[...files.values()].map((add) => ({ add: { ...add, dataChange: false } })),
    ...[...tombstones.values()].map((remove) => ({ remove: { ...remove, dataChange: false } })),
  ];
}
