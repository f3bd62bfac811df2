import { LakeError } from '#errors';
import type { Action } from './action.js';
import type { Snapshot } from './snapshot.js';

type Rules = Pick<Snapshot, 'table' | 'version' | 'protocol' | 'metadata'>;

/** Reader features that change nothing in how the tables we write are read. */
const READABLE_FEATURES: ReadonlySet<string> = new Set(['vacuumProtocolCheck']);
/** Writer features that every commit of ours observes. */
const WRITABLE_FEATURES: ReadonlySet<string> = new Set(['appendOnly', 'invariants', 'vacuumProtocolCheck']);

/** The first reader and writer version with a list of features (PROTOCOL.md, "Table Features"). */
const READER_FEATURES = 3;
const WRITER_FEATURES = 7;

/** Refuses what this reader would read wrongly, by name. */
export function checkReadable({ table, version, protocol, metadata }: Rules): void {
  const unknown = (protocol.readerFeatures ?? []).filter((feature) => !READABLE_FEATURES.has(feature));
  const mapping = metadata.configuration['delta.columnMapping.mode'] ?? 'none';
  if (mapping !== 'none' && !unknown.includes('columnMapping')) unknown.push('columnMapping');
  const { minReaderVersion } = protocol;
  // Version 2 means column mapping and no more: without the setting, nothing is mapped.
  if (minReaderVersion > READER_FEATURES) unknown.push(`reader version ${minReaderVersion}`);
  if (unknown.length === 0) return;
  throw new LakeError(
    'delta.unreadable_feature',
    'invalid',
    `${table} at version ${version} uses ${unknown.join(', ')}, which this reader does not know. Turn it off with the tool that turned it on (ALTER TABLE … DROP FEATURE), or restore an earlier version.`,
    { at: { table, version } },
  );
}

/** Refuses to write to a table whose writers must do what we do not, and to remove rows from one that only grows. */
export function checkWritable({ table, version, protocol, metadata }: Rules, actions: readonly Action[]): void {
  const { minWriterVersion, writerFeatures = [] } = protocol;
  const unknown = writerFeatures.filter((feature) => !WRITABLE_FEATURES.has(feature));
  if (minWriterVersion > 2 && minWriterVersion !== WRITER_FEATURES) unknown.push(`writer version ${minWriterVersion}`);
  // A column's own rule is SQL that each writer has to check.
  if (metadata.schemaString.includes('"delta.invariants"')) unknown.push('invariants on columns');
  const removesRows = actions.some((action) => 'remove' in action && action.remove.dataChange);
  if (removesRows && metadata.configuration['delta.appendOnly'] === 'true') unknown.push('delta.appendOnly');
  if (unknown.length === 0) return;
  throw new LakeError(
    'delta.unwritable_feature',
    'invalid',
    `${table} at version ${version} uses ${unknown.join(', ')}, which this writer does not observe. Turn it off with the tool that turned it on (ALTER TABLE … DROP FEATURE or UNSET TBLPROPERTIES), and run again.`,
    { at: { table, version } },
  );
}
