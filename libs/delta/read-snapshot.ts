import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import type { Action } from './action.js';
import { commitPath, lastCheckpointPath, logFolder, parseLogPath, checkpointPath, type LogFile } from './log-path.js';
import { replay, type Replayed } from './log-replay.js';
import type { ParquetRows } from './parquet-rows.js';
import type { Snapshot } from './snapshot.js';

export interface SnapshotChoice {
  /** The newest version by default. */
  readonly version?: number;
  /** The last version committed at this time or before. */
  readonly timestampMs?: number;
  readonly parquet: ParquetRows;
  /** A local folder for copies of checkpoints from a store that is no disk. */
  readonly cacheDir: string;
}

/** A table at a version or time; undefined when there is no such table. Throws `delta.no_version` when it never had that version, or no longer has it. */
export async function readSnapshot(
  store: ObjectStore,
  table: string,
  choice: SnapshotChoice,
): Promise<Snapshot | undefined> {
  const files = await listLog(store, table, choice);
  if (files.length === 0) return undefined;
  const version = await chosenVersion(store, table, files, choice);
  const checkpoint = newestCheckpoint(files, version);
  const log: Replayed[] = [];
  if (checkpoint.length > 0) {
    const actions: Action[] = [];
    for (const part of checkpoint) actions.push(...(await readPart(store, part.path, choice)));
    log.push({ version: checkpoint[0]?.version ?? 0, actions });
  }
  let timestampMs = 0;
  for (let next = (log[0]?.version ?? -1) + 1; next <= version; next++) {
    log.push({ version: next, actions: await readCommit(store, table, next) });
  }
  for await (const { path, modifiedMs } of store.list(commitPath(table, version))) {
    if (path === commitPath(table, version)) timestampMs = modifiedMs;
  }
  return replay(table, log, timestampMs);
}

/** The actions of one commit. Lines that are no JSON, or a version that is not there, are `delta.corrupt_log`. */
export async function readCommit(store: ObjectStore, table: string, version: number): Promise<readonly Action[]> {
  const path = commitPath(table, version);
  let bytes: Uint8Array;
  try {
    bytes = await store.get(path);
  } catch (error) {
    if (!(error instanceof LakeError && error.kind === 'notFound')) throw error;
    throw corrupt(table, version, path, 'is missing although later versions exist', error);
  }
  try {
    return Buffer.from(bytes)
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as Action)
      .filter(isKnown);
  } catch (error) {
    throw corrupt(table, version, path, 'is not JSON', error);
  }
}

/** Actions that readers may skip (cdc, domainMetadata, checkpoint hints) are left out here, once. */
function isKnown(action: Action): boolean {
  return ['protocol', 'metaData', 'add', 'remove', 'txn', 'commitInfo'].some((name) => name in action);
}

function corrupt(table: string, version: number, path: string, what: string, cause?: unknown): LakeError {
  return new LakeError('delta.corrupt_log', 'corrupt', `${path} ${what}. Restore it from a backup.`, {
    at: { table, version, path },
    cause,
  });
}

async function listLog(store: ObjectStore, table: string, choice: SnapshotChoice): Promise<readonly LogFile[]> {
  const hint =
    choice.version === undefined && choice.timestampMs === undefined ? await checkpointHint(store, table) : undefined;
  const after = hint === undefined ? [] : [checkpointBefore(table, hint)];
  const found = await collect(store, table, ...after);
  // The hint may name a checkpoint that is gone; without one, or its commits, the whole log is listed.
  if (hint !== undefined && !found.some((file) => file.kind === 'checkpoint')) return collect(store, table);
  return found;
}

async function collect(store: ObjectStore, table: string, startAfter?: string): Promise<readonly LogFile[]> {
  const files: LogFile[] = [];
  for await (const { path } of store.list(logFolder(table), ...(startAfter === undefined ? [] : [startAfter]))) {
    const file = path.slice(logFolder(table).length).includes('/') ? undefined : parseLogPath(path);
    if (file !== undefined) files.push(file);
  }
  return files;
}

function checkpointBefore(table: string, version: number): string {
  return checkpointPath(table, version).replace('.checkpoint.parquet', '');
}

async function checkpointHint(store: ObjectStore, table: string): Promise<number | undefined> {
  try {
    const text = Buffer.from(await store.get(lastCheckpointPath(table))).toString('utf8');
    const version = (JSON.parse(text) as { version?: unknown }).version;
    return typeof version === 'number' ? version : undefined;
  } catch {
    // A hint that is missing or broken costs a longer listing and nothing else.
    return undefined;
  }
}

async function chosenVersion(
  store: ObjectStore,
  table: string,
  files: readonly LogFile[],
  { version, timestampMs }: SnapshotChoice,
): Promise<number> {
  const newest = files.reduce((greatest, file) => Math.max(greatest, file.version), 0);
  if (timestampMs !== undefined) {
    for (let at = newest; at >= 0; at--) {
      if (!files.some((file) => file.kind === 'commit' && file.version === at)) break;
      const info = (await readCommit(store, table, at)).find((action) => 'commitInfo' in action)?.commitInfo;
      const time = info?.['inCommitTimestamp'] ?? info?.['timestamp'];
      if (typeof time === 'number' && time <= timestampMs) return at;
    }
    throw noVersion(table, `no version as of ${new Date(timestampMs).toISOString()}`);
  }
  if (version === undefined) return newest;
  const reachable =
    version <= newest &&
    version >= 0 &&
    (newestCheckpoint(files, version).length > 0 || files.some((file) => file.kind === 'commit' && file.version === 0));
  if (!reachable) throw noVersion(table, `no version ${version} (the newest is ${newest})`);
  return version;
}

function noVersion(table: string, what: string): LakeError {
  return new LakeError('delta.no_version', 'notFound', `${table} has ${what}, or its log was cleaned.`, {
    at: { table },
  });
}

/** The parts of the newest complete checkpoint at a version or before. */
function newestCheckpoint(files: readonly LogFile[], version: number): readonly LogFile[] {
  const groups = new Map<string, LogFile[]>();
  for (const file of files) {
    if (file.kind !== 'checkpoint' || file.version > version) continue;
    const key = `${file.version}/${file.parts}`;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  const complete = [...groups.values()].filter(
    ([first, ...rest]) => first?.kind === 'checkpoint' && rest.length + 1 === first.parts,
  );
  return complete.reduce<readonly LogFile[]>(
    (best, group) => ((group[0]?.version ?? -1) > (best[0]?.version ?? -1) ? group : best),
    [],
  );
}

/** A checkpoint may be replaced under its name (two writers, the same version), so it is not kept in the cache. */
async function readPart(
  store: ObjectStore,
  path: string,
  { parquet, cacheDir }: SnapshotChoice,
): Promise<readonly Action[]> {
  const own = store.localPath(path);
  if (own !== undefined) return parquet.readCheckpoint(own);
  const bytes = await store.get(path);
  const copy = join(cacheDir, `checkpoint-${createHash('sha256').update(path).update(bytes).digest('hex')}.parquet`);
  await mkdir(cacheDir, { recursive: true });
  await writeFile(copy, bytes);
  try {
    return await parquet.readCheckpoint(copy);
  } finally {
    await rm(copy, { force: true });
  }
}
