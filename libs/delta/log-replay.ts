import { assert, LakeError } from '#errors';
import type { Action, Add, CommitInfo, Metadata, Protocol, Remove } from './action.js';
import { parseSchema } from './schema-string.js';
import type { Snapshot } from './snapshot.js';

/** The actions of one version, or of the checkpoint that stands for all before it. */
export interface Replayed {
  readonly version: number;
  readonly actions: readonly Action[];
}

/** Reader features that change nothing in how the tables we write are read. */
const READABLE_FEATURES: ReadonlySet<string> = new Set(['vacuumProtocolCheck']);

/** A table's state from its log, oldest first; pure. The last word about a path is the one that counts. */
export function replay(table: string, log: readonly Replayed[], timestampMs: number): Snapshot {
  let protocol: Protocol | undefined;
  let metadata: Metadata | undefined;
  const files = new Map<string, Add>();
  const tombstones = new Map<string, Remove>();
  const txns = new Map<string, number>();
  let commitTimeMs = timestampMs;
  for (const { version, actions } of log) {
    for (const action of actions) {
      if ('protocol' in action) protocol = action.protocol;
      else if ('metaData' in action) metadata = action.metaData;
      else if ('txn' in action) txns.set(action.txn.appId, action.txn.version);
      else if ('add' in action) {
        tombstones.delete(action.add.path);
        // Re-adding moves a path to the end: log order is the order of last words.
        files.delete(action.add.path);
        files.set(action.add.path, action.add);
      } else if ('remove' in action) {
        files.delete(action.remove.path);
        tombstones.set(action.remove.path, action.remove);
      } else if (version === log.at(-1)?.version) commitTimeMs = timeOf(action.commitInfo) ?? commitTimeMs;
    }
  }
  const last = log.at(-1);
  assert(last !== undefined, 'a table has at least one version');
  if (protocol === undefined || metadata === undefined) {
    throw new LakeError(
      'delta.corrupt_log',
      'corrupt',
      `The log of ${table} names no ${protocol === undefined ? 'protocol' : 'schema'} up to version ${last.version}. Restore its _delta_log from a backup.`,
      { at: { table, version: last.version } },
    );
  }
  checkReadable(table, last.version, protocol, metadata);
  return {
    table,
    version: last.version,
    timestampMs: commitTimeMs,
    protocol,
    metadata,
    schema: parseSchema(metadata.schemaString),
    files,
    tombstones,
    txns,
  };
}

function timeOf(info: CommitInfo): number | undefined {
  const time = info['inCommitTimestamp'] ?? info['timestamp'];
  return typeof time === 'number' ? time : undefined;
}

function checkReadable(table: string, version: number, protocol: Protocol, metadata: Metadata): void {
  const unknown = (protocol.readerFeatures ?? []).filter((feature) => !READABLE_FEATURES.has(feature));
  const mapped = metadata.configuration['delta.columnMapping.mode'];
  if (mapped !== undefined && mapped !== 'none') unknown.push('columnMapping');
  if (protocol.minReaderVersion > 3 || protocol.minReaderVersion === 2)
    unknown.push(`reader version ${protocol.minReaderVersion}`);
  if (unknown.length === 0) return;
  throw new LakeError(
    'delta.unreadable_feature',
    'invalid',
    `${table} at version ${version} uses ${unknown.join(', ')}, which this reader does not know. Turn it off with the tool that turned it on (ALTER TABLE … DROP FEATURE), or restore an earlier version.`,
    { at: { table, version } },
  );
}
