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
  await mkdir(workDir, { recursive: true });
  const folder = await mkdtemp(join(workDir, 'checkpoint-'));
  try {
    const file = join(folder, 'single.parquet');
    const sizeInBytes = await parquet.writeCheckpoint(file, actions);
    await store.put(checkpointPath(table, version), { file });
    const hint = { version, size: actions.length, sizeInBytes, numOfAddFiles: snapshot.files.size };
    await store.put(lastCheckpointPath(table), Buffer.from(JSON.stringify(hint)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Removes log files that no version from `keepFromVersion` on needs. The newest checkpoint at or before it stays, and so
 * does the commit of that checkpoint's own version: Spark finds no table without it. Oldest first, so that what is left
 * after a stop is a log that begins later, without holes.
 */
export async function cleanLog(store: ObjectStore, table: string, keepFromVersion: number): Promise<void> {
  const { commits, checkpoints, files } = await listLog(store, table);
  const anchor = [...checkpoints.keys()]
    .filter((version) => version <= keepFromVersion && commits.has(version))
    .reduce((newest, version) => Math.max(newest, version), -1);
  for (const { path, version } of files) if (version < anchor) await store.delete(path);
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
