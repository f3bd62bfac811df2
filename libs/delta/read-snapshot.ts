import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import type { Action } from './action.js';
import { commitTimeMs, corruptLog, readCommit } from './log-entry.js';
import { checkpointFor, listLog, listLogEnd, newestVersion, oldestVersion, type LogListing } from './log-listing.js';
import { logFolder } from './log-path.js';
import { LogReplay } from './log-replay.js';
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

/** Commits that are fetched at once: a store far away is slow to answer, not slow to read. */
const AT_ONCE = 8;
/** Readings of a log whose entries a clean-up takes away meanwhile. */
const ATTEMPTS = 3;

/** A table at a version or time; undefined when there is no such table. Throws `delta.no_version` when it never had that version, or no longer has it. */
export async function readSnapshot(
  store: ObjectStore,
  table: string,
  choice: SnapshotChoice,
): Promise<Snapshot | undefined> {
  for (let attempt = 1; ; attempt++) {
    const newest = choice.version === undefined && choice.timestampMs === undefined;
    const listing = newest ? await listLogEnd(store, table) : await listLog(store, table);
    const head = newestVersion(listing);
    if (head === undefined) return undefined;
    try {
      return await readVersion(store, table, listing, await chosenVersion(store, table, listing, head, choice), choice);
    } catch (error) {
      if (attempt === ATTEMPTS || !(await lostFiles(store, table, listing))) throw error;
    }
  }
}

/** What `writeState` kept of a version; undefined when there is no such file. */
export async function readState(
  store: ObjectStore,
  path: string,
  { table, version }: Pick<Snapshot, 'table' | 'version'>,
  choice: Pick<SnapshotChoice, 'parquet' | 'cacheDir'>,
): Promise<Snapshot | undefined> {
  const log = new LogReplay();
  try {
    log.apply(await readPart(store, path, choice));
  } catch (error) {
    if (await isThere(store, path)) throw error;
    return undefined;
  }
  return log.snapshot(table, version, 0);
}

async function isThere(store: ObjectStore, path: string): Promise<boolean> {
  for await (const found of store.list(path)) if (found.path === path) return true;
  return false;
}

async function readVersion(
  store: ObjectStore,
  table: string,
  listing: LogListing,
  version: number,
  choice: SnapshotChoice,
): Promise<Snapshot> {
  const log = new LogReplay();
  const checkpoint = checkpointFor(listing, version);
  for (const part of checkpoint ?? []) log.apply(await readPart(store, part.path, choice));
  let timeMs: number | undefined;
  const first = checkpoint?.[0]?.version ?? -1;
  if (checkpoint === undefined && !listing.commits.has(0)) {
    throw corruptLog(table, 0, logFolder(table), 'has neither its first commit nor a whole classic checkpoint');
  }
  for (let next = first + 1; next <= version; next += AT_ONCE) {
    const versions = Array.from({ length: Math.min(AT_ONCE, version - next + 1) }, (_, at) => next + at);
    for (const actions of await Promise.all(versions.map((at) => readCommit(store, table, at)))) {
      log.apply(actions);
      timeMs = commitTimeMs(actions);
    }
  }
  if (first === version) timeMs = await timeOf(store, table, listing, version);
  const file = listing.commits.get(version) ?? checkpoint?.[0];
  return log.snapshot(table, version, timeMs ?? file?.modifiedMs ?? 0);
}

async function chosenVersion(
  store: ObjectStore,
  table: string,
  listing: LogListing,
  head: number,
  { version, timestampMs }: SnapshotChoice,
): Promise<number> {
  const oldest = oldestVersion(listing) ?? head;
  if (timestampMs !== undefined) return versionAt(store, table, listing, { oldest, head }, timestampMs);
  if (version === undefined) return head;
  if (Number.isSafeInteger(version) && version >= oldest && version <= head) return version;
  throw noVersion(table, `no version ${version}: its log has ${oldest} to ${head}`);
}

/** Times of versions increase: a clock that was set back does not bring a later version before an earlier one. */
async function versionAt(
  store: ObjectStore,
  table: string,
  listing: LogListing,
  { oldest, head }: { readonly oldest: number; readonly head: number },
  wantedMs: number,
): Promise<number> {
  let found: number | undefined;
  let lastMs = -Infinity;
  for (let next = oldest; next <= head; next += AT_ONCE) {
    const versions = Array.from({ length: Math.min(AT_ONCE, head - next + 1) }, (_, at) => next + at);
    const times = await Promise.all(versions.map((version) => timeOf(store, table, listing, version)));
    for (const [at, timeMs] of times.entries()) {
      lastMs = Math.max(timeMs ?? lastMs + 1, lastMs + 1);
      if (lastMs <= wantedMs) found = next + at;
    }
    if (lastMs > wantedMs) break;
  }
  if (found !== undefined) return found;
  throw noVersion(table, `no version as old as ${new Date(wantedMs).toISOString()}: its log begins later`);
}

/** What a commit says of itself, else when its file was written. */
async function timeOf(
  store: ObjectStore,
  table: string,
  { commits, checkpoints }: LogListing,
  version: number,
): Promise<number | undefined> {
  const file = commits.get(version);
  if (file === undefined) return checkpoints.get(version)?.[0]?.modifiedMs;
  return commitTimeMs(await readCommit(store, table, version)) ?? file.modifiedMs;
}

function noVersion(table: string, what: string): LakeError {
  return new LakeError('delta.no_version', 'notFound', `${table} has ${what}.`, { at: { table } });
}

/** Did a clean-up come between the listing and the reading? Then a new listing shows a newer checkpoint. */
async function lostFiles(store: ObjectStore, table: string, before: LogListing): Promise<boolean> {
  const after = new Set((await listLog(store, table)).files.map(({ path }) => path));
  return before.files.some(({ path }) => !after.has(path));
}

/** A checkpoint may be replaced under its name (two writers, the same version), so no copy of it is kept. */
async function readPart(
  store: ObjectStore,
  path: string,
  { parquet, cacheDir }: Pick<SnapshotChoice, 'parquet' | 'cacheDir'>,
): Promise<readonly Action[]> {
  const own = store.localPath(path);
  if (own !== undefined) return parquet.readCheckpoint(own);
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(join(cacheDir, 'checkpoint-'));
  try {
    const copy = join(folder, 'part.parquet');
    await writeFile(copy, await store.get(path));
    return await parquet.readCheckpoint(copy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
