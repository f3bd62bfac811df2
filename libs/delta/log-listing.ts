import type { ObjectStore } from '#storage';
import { beforeVersion, lastCheckpointPath, logFolder, parseLogPath, type LogPath } from './log-path.js';

export type LogFile = LogPath & { readonly modifiedMs: number };
type Checkpoint = readonly LogFile[];

/** The commits and classic checkpoints of a table that a listing showed, oldest first. */
export interface LogListing {
  readonly commits: ReadonlyMap<number, LogFile>;
  /** Complete ones by version: one file, or all parts in order. */
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
  readonly files: readonly LogFile[];
}

/** Lists a log, from `fromVersion` on. */
export async function listLog(store: ObjectStore, table: string, fromVersion?: number): Promise<LogListing> {
  const files: LogFile[] = [];
  const startAfter = fromVersion === undefined ? [] : [beforeVersion(table, fromVersion)];
  for await (const { path, modifiedMs } of store.list(logFolder(table), ...startAfter)) {
    const file = parseLogPath(table, path);
    if (file !== undefined) files.push({ ...file, modifiedMs });
  }
  return {
    commits: new Map(files.filter(({ kind }) => kind === 'commit').map((file) => [file.version, file])),
    checkpoints: completeCheckpoints(files),
    files,
  };
}

/** Lists what the newest version needs: from the hinted checkpoint on, or the whole log if the hint is wrong. */
export async function listLogEnd(store: ObjectStore, table: string): Promise<LogListing> {
  const hint = await checkpointHint(store, table);
  if (hint !== undefined) {
    const listing = await listLog(store, table, hint);
    if (listing.checkpoints.size > 0) return listing;
  }
  return listLog(store, table);
}

/** The newest version of a log that is not empty. */
export function newestVersion({ commits, checkpoints }: LogListing): number | undefined {
  let newest: number | undefined;
  for (const versions of [commits, checkpoints]) {
    for (const version of versions.keys()) newest = Math.max(newest ?? version, version);
  }
  return newest;
}

/** The first version that can be read: the log's beginning, or what its oldest checkpoint says. */
export function oldestVersion({ commits, checkpoints }: LogListing): number | undefined {
  return commits.has(0) ? 0 : [...checkpoints.keys()].sort((left, right) => left - right)[0];
}

/** The newest checkpoint at a version or before it. */
export function checkpointFor({ checkpoints }: LogListing, version: number): Checkpoint | undefined {
  let best = -1;
  for (const at of checkpoints.keys()) if (at <= version && at > best) best = at;
  return checkpoints.get(best);
}

/** One that is being written, or whose writer died, lacks parts: as good as not there. */
function completeCheckpoints(files: readonly LogFile[]): ReadonlyMap<number, Checkpoint> {
  const found = new Map<string, { readonly version: number; readonly parts: number; readonly files: LogFile[] }>();
  for (const file of files) {
    if (file.kind !== 'checkpoint') continue;
    const { version, parts } = file;
    const group = found.get(`${version}/${parts}`) ?? { version, parts, files: [] };
    group.files.push(file);
    found.set(`${version}/${parts}`, group);
  }
  const complete = [...found.values()].filter((group) => group.files.length === group.parts);
  return new Map(complete.map((group) => [group.version, group.files]));
}

async function checkpointHint(store: ObjectStore, table: string): Promise<number | undefined> {
  try {
    const text = Buffer.from(await store.get(lastCheckpointPath(table))).toString('utf8');
    const version = (JSON.parse(text) as { version?: unknown } | null)?.version;
    return Number.isSafeInteger(version) && Number(version) >= 0 ? Number(version) : undefined;
  } catch {
    // A hint that is missing or broken costs a longer listing and nothing else.
    return undefined;
  }
}
