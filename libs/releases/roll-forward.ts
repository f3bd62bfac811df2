import {
  checkpointDue,
  checkWritable,
  commitAt,
  writeCheckpoint,
  type Action,
  type Add,
  type Metadata,
  type Snapshot,
} from '#delta';
import { LakeError } from '#errors';
import { assertNoForeignData, headOf } from './foreign-write.js';
import type { Clock, Lake } from './lake.js';
import { APP_ID, type Release, type ReleaseTable } from './release.js';
import { ReleaseReader } from './release-reader.js';
import { contentOf } from './table-state.js';

/** A commit that a roll-forward made. */
export interface RolledForward {
  readonly table: string;
  readonly release: number;
  readonly version: number;
  /** `staged`: the actions as staged. `difference`: what makes the live files the release's after foreign commits. */
  readonly wrote: 'staged' | 'difference';
}

/** Tries of one commit before the writers on the other side are too many; each lost try is progress of somebody. */
const MAX_TRIES = 20;

/**
 * Brings the logs of all tables to a release, for each table release by release; idempotent, and any number may work at
 * once. Run before staging (every writer finishes what came before it) and after publishing.
 */
export async function rollForward(lake: Lake, clock: Clock, release: Release): Promise<readonly RolledForward[]> {
  const reader = new ReleaseReader(lake.store);
  const done: RolledForward[] = [];
  for (const table of Object.keys(release.tables).sort()) {
    const rolled = await rollTable(lake, clock, reader, release, table);
    done.push(...rolled);
    const last = rolled.at(-1);
    if (last !== undefined && checkpointDue(last.version)) await checkpoint(lake, table);
  }
  return done;
}

async function rollTable(
  lake: Lake,
  clock: Clock,
  reader: ReleaseReader,
  release: Release,
  table: string,
): Promise<readonly RolledForward[]> {
  const done: RolledForward[] = [];
  for (let lost = 0; lost < MAX_TRIES;) {
    const head = await headOf(lake, table);
    const next = await firstPending(reader, release, table, head?.txns.get(APP_ID) ?? 0);
    if (next === undefined) return done;
    const { actions, wrote } = await planCommit(lake, clock, table, head, next.entry);
    if (head !== undefined) checkWritable(head, actions);
    const number = next.entry.release;
    const version = (head?.version ?? -1) + 1;
    const nowMs = clock.nowMs();
    const info: Action = { commitInfo: { timestamp: nowMs, operation: 'WRITE', release: number } };
    const txn: Action = { txn: { appId: APP_ID, version: number, lastUpdated: nowMs } };
    const outcome = await commitAt(lake.store, table, version, [info, ...actions, txn], next.nonce);
    if (outcome === 'taken') lost += 1;
    else done.push({ table, release: number, version, wrote });
  }
  throw new LakeError(
    'release.contended',
    'unavailable',
    `Other writers took ${MAX_TRIES} versions of ${table} in a row; run again when they are done.`,
    { at: { table } },
  );
}

interface Pending {
  readonly entry: ReleaseTable;
  readonly nonce: string;
}

/** The oldest change of the table that its log does not have yet. Where retention dropped a record, the next one brings its effect. */
async function firstPending(
  reader: ReleaseReader,
  release: Release,
  table: string,
  doneNumber: number,
): Promise<Pending | undefined> {
  let first: Pending | undefined;
  let at: Release | undefined = release;
  for (;;) {
    const entry: ReleaseTable | undefined = at?.tables[table];
    if (at === undefined || entry === undefined || entry.release <= doneNumber) return first;
    if (at.number === entry.release) {
      first = { entry, nonce: at.nonce };
      at = await reader.get(entry.release - 1);
    } else {
      // Its own record may be dropped; the entry says all that a commit needs.
      const own: Release | undefined = await reader.get(entry.release);
      if (own === undefined) first = { entry, nonce: `${at.nonce}-${entry.release}` };
      at = own;
    }
  }
}

interface CommitPlan {
  readonly actions: readonly Action[];
  readonly wrote: RolledForward['wrote'];
}

async function planCommit(
  lake: Lake,
  clock: Clock,
  table: string,
  head: Snapshot | undefined,
  entry: ReleaseTable,
): Promise<CommitPlan> {
  const { staged, ...target } = await contentOf(lake, table, entry);
  if ((head?.version ?? -1) === entry.base) return { actions: staged, wrote: 'staged' };
  if (head === undefined || head.version < entry.base) {
    throw new LakeError(
      'release.corrupt',
      'corrupt',
      `The log of ${table} ends before version ${entry.base}, on which release ${entry.release} stands. Restore it from a backup.`,
      { at: { table, version: entry.base, release: entry.release } },
    );
  }
  await assertNoForeignData(lake.store, head, entry.base, async () =>
    entry.base < 0 ? new Map() : (await contentOf(lake, table, { ...entry, staged: undefined })).files,
  );
  return { actions: difference(head, target, staged, clock.nowMs()), wrote: 'difference' };
}

/** What turns the head's live files into exactly the release's. Rows that only move between files are no data change. */
function difference(
  head: Snapshot,
  target: { readonly metadata: Metadata; readonly files: ReadonlyMap<string, Add> },
  staged: readonly Action[],
  nowMs: number,
): readonly Action[] {
  const removesRows = staged.some((action) => 'remove' in action && action.remove.dataChange);
  const brings = new Set(
    staged.flatMap((action) => ('add' in action && action.add.dataChange ? [action.add.path] : [])),
  );
  const metadata = staged.find((action) => 'metaData' in action);
  const sameShape =
    head.metadata.schemaString === target.metadata.schemaString &&
    head.metadata.partitionColumns.join() === target.metadata.partitionColumns.join();
  return [
    ...(metadata !== undefined ? [metadata] : sameShape ? [] : [{ metaData: target.metadata }]),
    ...[...head.files.values()]
      .filter(({ path }) => !target.files.has(path))
      .map(({ path, partitionValues, size }): Action => ({
        remove: {
          path,
          deletionTimestamp: nowMs,
          dataChange: removesRows,
          extendedFileMetadata: true,
          partitionValues,
          size,
        },
      })),
    ...[...target.files.values()]
      .filter(({ path }) => !head.files.has(path))
      .map((add): Action => ({ add: { ...add, dataChange: brings.has(add.path) } })),
  ];
}

async function checkpoint(lake: Lake, table: string): Promise<void> {
  const head = await headOf(lake, table);
  if (head !== undefined) await writeCheckpoint(lake.store, head, lake.parquet, lake.cacheDir);
}
