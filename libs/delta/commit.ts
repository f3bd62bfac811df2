import type { ObjectStore } from '#storage';
import type { Action } from './action.js';
import { checkpointDue, writeCheckpoint } from './checkpoint.js';
import { findClash, findDone, type Clash, type Intent } from './clash.js';
import { encodeCommit, readCommit } from './log-entry.js';
import { listLog, newestVersion } from './log-listing.js';
import { commitPath } from './log-path.js';
import type { ParquetRows } from './parquet-rows.js';
import { checkWritable } from './protocol.js';
import { readSnapshot } from './read-snapshot.js';

export type Commit =
  | { readonly kind: 'committed'; readonly version: number }
  | { readonly kind: 'conflict'; readonly clash: Clash }
  | { readonly kind: 'contended'; readonly attempts: number };

export interface CommitRequest extends Intent {
  readonly table: string;
  /** Tells our commit from another's after a lost answer: new for each commit. */
  readonly txnId: string;
  readonly nowMs: number;
  readonly parquet: ParquetRows;
  readonly cacheDir: string;
  /** Lost races before giving up; each is another writer's progress. */
  readonly attempts?: number;
}

/**
 * Commits after the newest version, unless somebody changed what the actions follow from since they were read. An error
 * leaves it open whether the commit is there: a `txn` among the actions lets a second try find out.
 */
export async function commit(store: ObjectStore, request: CommitRequest): Promise<Commit> {
  const { table, read, txnId, attempts = 20 } = request;
  const done = findDone(request);
  if (done !== undefined) return { kind: 'conflict', clash: done };
  if (read !== undefined) checkWritable(read, request.actions);
  const actions = withTime(request.actions, request.nowMs);
  let seen = read?.version ?? -1;
  for (let lost = 0; lost < attempts; lost++) {
    // Never the number after `read` unseen: a clean-up may have freed it again, and nobody would read what is put there.
    const listing = await listLog(store, table, seen + 1);
    const head = newestVersion(listing) ?? seen;
    for (let version = seen + 1; version <= head; version++) {
      if (!listing.commits.has(version)) {
        return { kind: 'conflict', clash: { kind: read === undefined ? 'created' : 'cleaned', version } };
      }
      const clash = findClash(request, version, await readCommit(store, table, version));
      if (clash !== undefined) return { kind: 'conflict', clash };
    }
    seen = head;
    const version = head + 1;
    if ((await commitAt(store, table, version, actions, txnId)) === 'committed') {
      if (checkpointDue(version)) await tryCheckpoint(store, request);
      return { kind: 'committed', version };
    }
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
  let failure: unknown;
  try {
    if (await store.putIfAbsent(commitPath(table, version), encodeCommit(actions, txnId))) return 'committed';
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

/** The commit stands whatever becomes of its checkpoint: the next one that is due makes up for it. */
async function tryCheckpoint(store: ObjectStore, { table, parquet, cacheDir }: CommitRequest): Promise<void> {
  try {
    const snapshot = await readSnapshot(store, table, { parquet, cacheDir });
    if (snapshot !== undefined) await writeCheckpoint(store, snapshot, parquet, cacheDir);
  } catch {
    // Nothing that a reader needs is missing: it reads the commits.
  }
}

function withTime(actions: readonly Action[], nowMs: number): readonly Action[] {
  const info = actions.find((action) => 'commitInfo' in action)?.commitInfo ?? {};
  return [{ commitInfo: { timestamp: nowMs, ...info } }, ...actions.filter((action) => !('commitInfo' in action))];
}
