import { parseSchema, type Action, type Add, type Metadata, type Schema, type Snapshot } from '#delta';
import { assert, LakeError } from '#errors';
import type { Lake } from './lake.js';
import type { Release, ReleaseTable } from './release.js';
import { versionAt } from './sealed-state.js';
import { readStaged } from './staged-actions.js';

/** A file of a table in a release, and where the store has it. */
export interface TableFile {
  readonly add: Add;
  readonly storePath: string;
}

/** A table in a release; a plain value, nothing in it reads the store again. */
export interface TableState {
  readonly table: string;
  /** The release that brought this state. */
  readonly release: number;
  readonly schema: Schema;
  readonly partitionColumns: readonly string[];
  readonly files: readonly TableFile[];
  readonly rows: number;
}

/**
 * A table as a release has it: base + staged actions, so it needs neither write permission nor a roll-forward, and no
 * later commit can change it. `release.no_table` when the release has no such table.
 */
export async function tableAt(lake: Lake, release: Release, table: string): Promise<TableState> {
  const entry = release.tables[table];
  if (entry === undefined) {
    throw new LakeError('release.no_table', 'notFound', `Release ${release.number} has no table ${table}.`, {
      at: { table, release: release.number },
    });
  }
  const { metadata, files } = await contentOf(lake, table, entry);
  return {
    table,
    release: entry.release,
    schema: parseSchema(metadata.schemaString),
    partitionColumns: metadata.partitionColumns,
    files: [...files.values()].map((add) => ({ add, storePath: storePathOf(table, add.path) })),
    rows: entry.rows,
  };
}

/** Where the store has the file that a log names: the log encodes the name once more. */
export function storePathOf(table: string, addPath: string): string {
  return `${table}/${decodeURIComponent(addPath)}`;
}

interface TableContent {
  readonly metadata: Metadata;
  readonly files: ReadonlyMap<string, Add>;
  readonly staged: readonly Action[];
}

export async function contentOf(lake: Lake, table: string, entry: ReleaseTable): Promise<TableContent> {
  const staged = entry.staged === undefined ? [] : await readStaged(lake.store, entry.staged);
  const base = entry.base < 0 ? undefined : await baseOf(lake, table, entry);
  return { ...applyActions(base, staged), staged };
}

async function baseOf(lake: Lake, table: string, entry: ReleaseTable): Promise<Snapshot> {
  const base = await versionAt(lake, table, entry.base);
  if (base !== undefined) return base;
  throw new LakeError(
    'release.corrupt',
    'corrupt',
    `The log of ${table} has no version ${entry.base}, on which release ${entry.release} stands, nor is it sealed. Restore it from a backup.`,
    { at: { table, version: entry.base, release: entry.release } },
  );
}

function applyActions(
  base: { readonly metadata: Metadata; readonly files: ReadonlyMap<string, Add> } | undefined,
  actions: readonly Action[],
): Omit<TableContent, 'staged'> {
  let metadata = base?.metadata;
  const files = new Map(base?.files);
  for (const action of actions) {
    if ('metaData' in action) metadata = action.metaData;
    if ('remove' in action) files.delete(action.remove.path);
    if ('add' in action) files.set(action.add.path, action.add);
  }
  assert(metadata !== undefined, 'a table is created with its metadata');
  return { metadata, files };
}
