import { checkWritable, parseSchema, readSnapshot, type Action, type Add, type Snapshot } from '#delta';
import { assert, LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import type { Lake } from './lake.js';
import { APP_ID, type Release } from './release.js';
import { getIfPresent } from './release-reader.js';
import { parseActions } from './staged-actions.js';
import { contentOf } from './table-state.js';

/**
 * The head of a table's log that a run may stand on: its rows are the release's, its files may be others where somebody
 * compacted them, so a run plans and reads from here. undefined: no such table yet. A data change that is not ours
 * throws `delta.foreign_write`; a newer release's commit throws `release.superseded`.
 */
export async function planBase(
  lake: Lake,
  release: Release | undefined,
  table: string,
  foreign: 'refuse' | 'adopt' = 'refuse',
): Promise<Snapshot | undefined> {
  const head = await headOf(lake, table);
  const entry = release?.tables[table];
  if (entry === undefined) {
    if (head === undefined) return undefined;
    if ((head.txns.get(APP_ID) ?? 0) > (release?.number ?? 0)) throw superseded(table, release);
    throw foreignWrite(table, head.version, 'a table that no release names stands in its place');
  }
  const done = head?.txns.get(APP_ID) ?? 0;
  if (done > entry.release) throw superseded(table, release);
  assert(head !== undefined && done === entry.release, `${table} is rolled forward before a run plans`);
  if (foreign === 'refuse') {
    await assertNoForeignData(lake.store, head, entry.base, async () => (await contentOf(lake, table, entry)).files);
  }
  // Now, rather than after the release is published and its log entries are refused.
  checkWritable(head, []);
  return head;
}

/**
 * The same for whoever writes nothing: where the log is not (or no longer) at the release, the table as the release has it.
 */
export async function lookBase(
  lake: Lake,
  release: Release | undefined,
  table: string,
): Promise<Pick<Snapshot, 'schema' | 'metadata' | 'files'> | undefined> {
  const entry = release?.tables[table];
  const done = (await headOf(lake, table))?.txns.get(APP_ID) ?? 0;
  if (entry === undefined) return done > (release?.number ?? 0) ? undefined : planBase(lake, release, table);
  if (done === entry.release) return planBase(lake, release, table);
  const { metadata, files } = await contentOf(lake, table, entry);
  return { metadata, files, schema: parseSchema(metadata.schemaString) };
}

/** The newest version of a table's log; undefined when there is none. */
export async function headOf({ store, parquet, cacheDir }: Lake, table: string): Promise<Snapshot | undefined> {
  return readSnapshot(store, table, { parquet, cacheDir });
}

/**
 * Walks back from the head to our own last commit, at the furthest to `base`; what lies between must not change data,
 * or must have changed it back to the expected files.
 */
export async function assertNoForeignData(
  store: ObjectStore,
  head: Snapshot,
  base: number,
  expected: () => Promise<ReadonlyMap<string, Add>>,
): Promise<void> {
  const found = await foreignChange(store, head, base);
  if (found === undefined) return;
  const files = await expected();
  if (files.size === head.files.size && [...files.keys()].every((path) => head.files.has(path))) return;
  throw foreignWrite(head.table, found.version, found.what);
}

async function foreignChange(
  store: ObjectStore,
  head: Snapshot,
  base: number,
): Promise<{ readonly version: number; readonly what: string } | undefined> {
  let found: { version: number; what: string } | undefined;
  for (let version = head.version; version > base; version--) {
    const bytes = await getIfPresent(store, `${head.table}/_delta_log/${String(version).padStart(20, '0')}.json`);
    if (bytes === undefined) return { version, what: 'its log entry is gone, so nobody can tell what it changed' };
    const actions = parseActions(bytes);
    if (actions.some((action) => 'txn' in action && action.txn.appId === APP_ID)) return found;
    const what = actions.map(dataChange).find((change) => change !== undefined);
    if (what !== undefined) found = { version, what };
  }
  return found;
}

function dataChange(action: Action): string | undefined {
  if ('add' in action && action.add.dataChange) return `it adds ${action.add.path}`;
  if ('remove' in action && action.remove.dataChange) return `it removes ${action.remove.path}`;
  return undefined;
}

function foreignWrite(table: string, version: number, what: string): LakeError {
  return new LakeError(
    'delta.foreign_write',
    'conflict',
    `Another writer changed ${table} at version ${version}: ${what}. Readers are still served the last release. ` +
      `To discard the change, restore the table to version ${version - 1} (RESTORE in Spark, DeltaTable.restore in delta-rs) ` +
      `and run again; to adopt it, bring its rows through the landing area, from which all tables follow, and restore too.`,
    { at: { table, version } },
  );
}

function superseded(table: string, release: Release | undefined): LakeError {
  return new LakeError(
    'release.superseded',
    'conflict',
    `A newer release than ${release?.number ?? 'none'} has changed ${table}; read the latest release and plan again.`,
    { at: { table } },
  );
}
