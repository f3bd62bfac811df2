import { LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import type { Action, CommitInfo } from './action.js';
import { commitPath } from './log-path.js';

const KNOWN = ['protocol', 'metaData', 'add', 'remove', 'txn', 'commitInfo'];

/** The actions of one commit. Lines that are no JSON, or a version that is not there, are `delta.corrupt_log`. */
export async function readCommit(store: ObjectStore, table: string, version: number): Promise<readonly Action[]> {
  const path = commitPath(table, version);
  let bytes: Uint8Array;
  try {
    bytes = await store.get(path);
  } catch (error) {
    if (!(error instanceof LakeError && error.kind === 'notFound')) throw error;
    throw corruptLog(table, version, path, 'is missing although later versions exist', error);
  }
  try {
    return parseCommit(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw corruptLog(table, version, path, 'is not a list of JSON actions', error);
  }
}

/** When a commit was made, by its own account: the protocol's in-commit timestamp, else what most writers note. */
export function commitTimeMs(actions: readonly Action[]): number | undefined {
  const info: CommitInfo | undefined = actions.find((action) => 'commitInfo' in action)?.commitInfo;
  const timeMs = info?.['inCommitTimestamp'] ?? info?.['timestamp'];
  return typeof timeMs === 'number' ? timeMs : undefined;
}

/** One action a line. `commitInfo` first, with the id that tells this commit from another's. */
export function encodeCommit(actions: readonly Action[], txnId: string): Uint8Array {
  const info = actions.find((action) => 'commitInfo' in action)?.commitInfo ?? {};
  const others = actions.filter((action) => !('commitInfo' in action));
  const lines = [{ commitInfo: { operation: 'WRITE', engineInfo: 'shopsmart', ...info, txnId } }, ...others];
  return Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** Actions that readers may skip (cdc, domainMetadata) are left out here, once. */
function parseCommit(text: string): readonly Action[] {
  const actions: Action[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const action = JSON.parse(line) as Action;
    if (!KNOWN.some((name) => name in action)) continue;
    // Not optional in the protocol, and missing in some logs.
    if ('metaData' in action)
      actions.push({ metaData: { ...action.metaData, configuration: settings(action.metaData) } });
    else actions.push(action);
  }
  return actions;
}

function settings(metadata: { readonly configuration?: Readonly<Record<string, string>> | null }) {
  return metadata.configuration ?? {};
}

export function corruptLog(table: string, version: number, path: string, what: string, cause?: unknown): LakeError {
  return new LakeError('delta.corrupt_log', 'corrupt', `${path} ${what}. Restore it from a backup.`, {
    at: { table, version, path },
    cause,
  });
}
