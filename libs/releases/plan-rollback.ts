import type { Action, Add } from '#delta';
import { assert } from '#errors';
import { planBase } from './foreign-write.js';
import type { Clock, Lake } from './lake.js';
import type { TableChange } from './publish.js';
import type { Release } from './release.js';
import { contentOf } from './table-state.js';

/** What a rollback does to one table. */
export interface RestoredTable {
  readonly table: string;
  readonly rowsBefore: number;
  readonly rows: number;
  readonly filesAdded: number;
  readonly filesRemoved: number;
  /** The release to go back to has no such table: it is left empty. */
  readonly isEmptied: boolean;
  readonly change: TableChange;
}

/**
 * What gives every table but those of bronze the state that it had in `target`, which must be kept: its files come back
 * as they are, nothing is written. Quarantine lies with bronze and follows from it as silver does. Plans on the heads of
 * the logs, so these must have been rolled forward to `current`.
 */
export async function planRollback(
  lake: Lake,
  clock: Clock,
  current: Release,
  target: Release,
): Promise<readonly RestoredTable[]> {
  const restored: RestoredTable[] = [];
  for (const table of Object.keys(current.tables).filter(isRestored).sort()) {
    if (target.tables[table]?.release === current.tables[table]?.release) continue;
    const plan = await planTable(lake, clock, current, target, table);
    if (plan !== undefined) restored.push(plan);
  }
  return restored;
}

function isRestored(table: string): boolean {
  return !table.startsWith('bronze/') || table.startsWith('bronze/quarantine/');
}

async function planTable(
  lake: Lake,
  clock: Clock,
  current: Release,
  target: Release,
  table: string,
): Promise<RestoredTable | undefined> {
  const base = await planBase(lake, current, table);
  const before = current.tables[table];
  assert(base !== undefined && before !== undefined, `${table} is in the release, so it has a log`);
  const entry = target.tables[table];
  const { metadata, files } =
    entry === undefined
      ? { metadata: base.metadata, files: new Map<string, Add>() }
      : await contentOf(lake, table, entry);
  const reshapes =
    metadata.schemaString !== base.metadata.schemaString ||
    metadata.partitionColumns.join() !== base.metadata.partitionColumns.join();
  const removed = [...base.files.values()].filter(({ path }) => !files.has(path));
  const added = [...files.values()].filter(({ path }) => !base.files.has(path));
  // Without rules of its own an emptied table is computed anew by the next run, as one that is missing is.
  const { logic, schema, rows } = entry ?? { ...before, rows: 0, logic: '' };
  if (removed.length + added.length === 0 && !reshapes && logic === before.logic) return undefined;
  const actions: readonly Action[] = [
    ...(reshapes ? [{ metaData: metadata }] : []),
    ...removed.map((add) => ({ remove: removalOf(add, clock.nowMs()) })),
    ...added.map((add) => ({ add: { ...add, dataChange: true } })),
  ];
  return {
    table,
    rowsBefore: before.rows,
    rows,
    filesAdded: added.length,
    filesRemoved: removed.length,
    isEmptied: entry === undefined,
    change: { owner: 'operator', base, actions, rows, logic, schema },
  };
}

function removalOf({ path, partitionValues, size }: Add, deletionTimestamp: number) {
  return { path, deletionTimestamp, dataChange: true, extendedFileMetadata: true, partitionValues, size };
}
