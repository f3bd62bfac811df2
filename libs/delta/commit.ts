import { LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import type { Action } from './action.js';
import { checkpointDue, writeCheckpoint } from './checkpoint.js';
import { commitPath } from './log-path.js';
import type { ParquetRows } from './parquet-rows.js';
import { readCommit, readSnapshot } from './read-snapshot.js';
import type { Snapshot } from './snapshot.js';

/** Why a commit cannot stand on what it read. */
export type Clash =
  | { readonly kind: 'created' | 'redefined'; readonly version: number }
  | { readonly kind: 'txn'; readonly version: number; readonly appId: string }
  | { readonly kind: 'file'; readonly version: number; readonly path: string }
  | { readonly kind: 'append'; readonly version: number; readonly path: string };

export type Commit =
  | { readonly kind: 'committed'; readonly version: number }
  | { readonly kind: 'conflict'; readonly clash: Clash }
  | { readonly kind: 'contended'; readonly attempts: number };

export interface CommitRequest {
  readonly table: string;
  /** What the actions follow from; undefined for a table that is created. */
  readonly read: Snapshot | undefined;
  readonly actions: readonly Action[];
  /** Tells our commit from another's after a lost answer: new for each commit. */
  readonly txnId: string;
  /** The actions follow from no file that was read (a plain append): others may add files meanwhile. */
  readonly blind: boolean;
  readonly nowMs: number;
  readonly parquet: ParquetRows;
  readonly cacheDir: string;
  /** Versions to try before giving up; each lost one is another writer's progress. */
  readonly attempts?: number;
}

/** Commits at the first free version after what was read, unless somebody changed what the actions follow from. */
export async function commit(store: ObjectStore, request: CommitRequest): Promise<Commit> {
  const { table, read, actions, txnId, attempts = 20 } = request;
  let version = read?.version ?? -1;
  for (let tried = 0; tried < attempts;) {
    version += 1;
    const outcome = await commitAt(store, table, version, withTime(actions, request.nowMs), txnId);
    if (outcome === 'committed') {
      if (checkpointDue(version)) await tryCheckpoint(store, request);
      return { kind: 'committed', version };
    }
    tried += 1;
    const clash = findClash(request, version, await readCommit(store, table, version));
    if (clash !== undefined) return { kind: 'conflict', clash };
  }
  return { kind: 'contended', attempts };
}

/**
 * Puts one version in place if it is free. A store may apply a put and lose the answer, or its client may retry one that
 * succeeded: what stands there is asked whether it is ours (`commitInfo.txnId`).
 */
export async function commitAt(
  store: ObjectStore,
  table: string,
  version: number,
  actions: readonly Action[],
  txnId: string,
): Promise<'committed' | 'taken'> {
  const info = actions.find((action) => 'commitInfo' in action)?.commitInfo ?? {};
  const rest = actions.filter((action) => !('commitInfo' in action));
  const lines = [{ commitInfo: { operation: 'WRITE', engineInfo: 'shopsmart', ...info, txnId } }, ...rest];
  let failure: unknown;
  try {
    const body = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    if (await store.putIfAbsent(commitPath(table, version), body)) return 'committed';
  } catch (error) {
    failure = error;
  }
  try {
    const found = await readCommit(store, table, version);
    return found.some((action) => 'commitInfo' in action && action.commitInfo.txnId === txnId) ? 'committed' : 'taken';
  } catch (error) {
    throw failure ?? error;
  }
}

/** Pure: does a version that another writer committed touch what our actions follow from? */
export function findClash(
  { read, actions, blind }: CommitRequest,
  version: number,
  theirs: readonly Action[],
): Clash | undefined {
  if (read === undefined) return { kind: 'created', version };
  const ourApps = new Set(actions.flatMap((action) => ('txn' in action ? [action.txn.appId] : [])));
  const redefines = actions.some((action) => 'metaData' in action || 'protocol' in action);
  if (redefines) return { kind: 'redefined', version };
  const removes = new Set(actions.flatMap((action) => ('remove' in action ? [action.remove.path] : [])));
  for (const action of theirs) {
    if ('metaData' in action || 'protocol' in action) return { kind: 'redefined', version };
    if ('txn' in action && ourApps.has(action.txn.appId)) return { kind: 'txn', version, appId: action.txn.appId };
    if ('remove' in action && (!blind || removes.has(action.remove.path))) {
      return { kind: 'file', version, path: action.remove.path };
    }
    if ('add' in action && !blind && action.add.dataChange) return { kind: 'append', version, path: action.add.path };
  }
  return undefined;
}

/** The commit stands whatever becomes of its checkpoint: the next one that is due makes up for it. */
async function tryCheckpoint(store: ObjectStore, { table, parquet, cacheDir }: CommitRequest): Promise<void> {
  try {
    const snapshot = await readSnapshot(store, table, { parquet, cacheDir });
    if (snapshot !== undefined) await writeCheckpoint(store, snapshot, parquet, cacheDir);
  } catch (error) {
    if (!(error instanceof LakeError)) throw error;
  }
}

function withTime(actions: readonly Action[], nowMs: number): readonly Action[] {
  const info = actions.find((action) => 'commitInfo' in action)?.commitInfo ?? {};
  return [{ commitInfo: { timestamp: nowMs, ...info } }, ...actions.filter((action) => !('commitInfo' in action))];
}
