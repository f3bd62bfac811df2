import type { Action, Snapshot } from '#delta';
import { assert, LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import { HOUR_MS, type Clock } from './lake.js';
import { waitForOthers } from './lease.js';
import {
  changedTables,
  encodeRelease,
  LATEST_HINT,
  releasePath,
  type Release,
  type ReleaseCheck,
  type ReleaseTable,
  type WithdrawnLoad,
} from './release.js';
import { getIfPresent, ReleaseReader } from './release-reader.js';
import { assertRunAlive, type RunOwner } from './run-record.js';
import { stageActions } from './staged-actions.js';

/** What a run does to one table. */
export interface TableChange {
  readonly owner: RunOwner;
  /** The log's head that the actions stand on (`planBase`); undefined when they create the table. */
  readonly base: Snapshot | undefined;
  /** Empty only to adopt a foreign change: the state is then the base itself. */
  readonly actions: readonly Action[];
  /** Rows of the whole table with the actions applied. */
  readonly rows: number;
  /** Digest of contract + SQL + prelude. */
  readonly logic: string;
  readonly schema: string;
}

/** What a run moved forward; names that are missing keep what the parent says. */
export interface Consumed {
  readonly loads: Release['loads'];
  readonly offsets: Release['offsets'];
  readonly completeUntil: Release['complete_until'];
}

export interface PublishRequest {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly runId: string;
  /** New for each call. */
  readonly nonce: string;
  readonly owner: RunOwner;
  readonly parent: Release | undefined;
  /** When the caller listed the releases and found the parent to be the newest. */
  readonly listedAtMs: number;
  readonly mode: Release['mode'];
  /** The release that a rollback goes back to: as_of and what was consumed are that one's, but for the loads. */
  readonly rollbackTo?: Release;
  /** undefined: the parent's, whoever that will be. */
  readonly asOf: string | undefined;
  readonly changes: ReadonlyMap<string, TableChange>;
  /** Every table that the run's result follows from. */
  readonly readSet: ReadonlySet<string>;
  readonly consumed: Consumed;
  /** Replaces the parent's list. */
  readonly withdrawn?: readonly WithdrawnLoad[];
  readonly checks: readonly ReleaseCheck[];
  readonly counts: Release['counts'];
  readonly report: string | null;
}

export type PublishOutcome =
  | { readonly kind: 'published'; readonly release: Release }
  /** `some`: compute the tables again that the winners touched. `none`: only too many others, take the lease and try again. */
  | { readonly kind: 'lost'; readonly winners: readonly Release[]; readonly overlap: 'none' | 'some' };

/** Rebases onto winners that do not concern us; more than this and the run takes the lease. */
const MAX_ATTEMPTS = 20;
const MAX_LISTING_AGE_MS = HOUR_MS;

/**
 * Makes the staged state of a run the next release. The one putIfAbsent of the record is the commit point: before it no
 * reader sees anything, after it every reader may. The tables' logs follow by `rollForward`.
 */
export async function publish(request: PublishRequest): Promise<PublishOutcome> {
  const { store, clock, runId, nonce } = request;
  checkOwners(request);
  const reader = new ReleaseReader(store);
  const tables = await stage(request);
  const winners: Release[] = [];
  let parent = request.parent;
  let listedAtMs = request.listedAtMs;

  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await waitForOthers(store, clock, runId);
    await assertRunAlive(store, clock, runId);
    if (clock.nowMs() - listedAtMs < MAX_LISTING_AGE_MS) {
      const release = compose(request, parent, tables);
      if ((await place(store, release)) === 'published') {
        await hint(store, release.number);
        return { kind: 'published', release };
      }
    }
    listedAtMs = clock.nowMs();
    const newer = await reader.after(parent?.number ?? 0);
    const own = newer.find((release) => release.nonce === nonce || release.run_id === runId);
    if (own !== undefined) return { kind: 'published', release: own };
    winners.push(...newer);
    if (newer.some((winner) => meets(winner, request))) return { kind: 'lost', winners, overlap: 'some' };
    parent = newer.at(-1) ?? parent;
  }
  return { kind: 'lost', winners, overlap: 'none' };
}

function checkOwners({ changes, owner, mode, parent, runId }: PublishRequest): void {
  for (const [table, change] of changes) {
    const createsEmpty =
      change.base === undefined &&
      parent?.tables[table] === undefined &&
      !change.actions.some((action) => 'add' in action);
    if (change.owner === owner || createsEmpty || mode === 'rollback') continue;
    throw new LakeError(
      'release.not_owner',
      'forbidden',
      `Run ${runId} is a ${owner} run and ${table} belongs to ${change.owner} runs. Leave the table to its owner.`,
      { at: { table } },
    );
  }
}

type StagedTable = Omit<ReleaseTable, 'release' | 'as_of' | 'published_at'>;

async function stage({ store, runId, changes }: PublishRequest): Promise<ReadonlyMap<string, StagedTable>> {
  const tables = new Map<string, StagedTable>();
  for (const [table, { base, actions, rows, logic, schema }] of changes) {
    assert(base !== undefined || actions.length > 0, `${table} is created by actions`);
    for (const action of actions) {
      if ('remove' in action) {
        assert(base?.files.has(action.remove.path), `${table}: ${action.remove.path} is removed, so its base has it`);
      }
    }
    const staged = actions.length === 0 ? {} : { staged: await stageActions(store, runId, table, actions) };
    tables.set(table, { base: base?.version ?? -1, ...staged, rows, logic, schema });
  }
  return tables;
}

/** The parent's state with ours on top. */
function compose(
  request: PublishRequest,
  parent: Release | undefined,
  tables: ReadonlyMap<string, StagedTable>,
): Release {
  const number = (parent?.number ?? 0) + 1;
  const asOf = request.asOf ?? parent?.as_of;
  assert(asOf !== undefined, 'the first release has an as_of of its own');
  const stamp = { as_of: asOf, published_at: new Date(request.clock.nowMs()).toISOString() };
  const changed = [...tables].map(([table, entry]): [string, ReleaseTable] => [
    table,
    { release: number, ...stamp, ...entry },
  ]);
  const before = request.rollbackTo ?? parent;
  return {
    format: 1,
    number,
    parent: parent?.number ?? null,
    run_id: request.runId,
    nonce: request.nonce,
    ...stamp,
    mode: request.mode,
    ...(request.rollbackTo === undefined ? {} : { rollback_to: request.rollbackTo.number }),
    tables: { ...parent?.tables, ...Object.fromEntries(changed) },
    loads: { ...parent?.loads, ...request.consumed.loads },
    withdrawn: request.withdrawn ?? parent?.withdrawn ?? [],
    offsets: { ...before?.offsets, ...request.consumed.offsets },
    checks: request.checks,
    counts: request.counts,
    complete_until: { ...before?.complete_until, ...request.consumed.completeUntil },
    report: request.report,
  };
}

/** A store may apply a put and lose the answer: then the record is there, and the caller reads whose it is. */
async function place(store: ObjectStore, release: Release): Promise<'published' | 'taken'> {
  const path = releasePath(release.number);
  try {
    return (await store.putIfAbsent(path, encodeRelease(release))) ? 'published' : 'taken';
  } catch (error) {
    const there = await getIfPresent(store, path).catch(() => undefined);
    if (there === undefined) throw error;
    return 'taken';
  }
}

/** Did the winner change anything that we read or wrote, or state that we too set? */
function meets(winner: Release, { changes, readSet, asOf, parent, consumed, withdrawn }: PublishRequest): boolean {
  return (
    changedTables(winner).some((table) => changes.has(table) || readSet.has(table)) ||
    (asOf !== undefined && winner.as_of !== (parent?.as_of ?? asOf)) ||
    movesSame(winner.loads, parent?.loads, consumed.loads) ||
    movesSame(winner.offsets, parent?.offsets, consumed.offsets) ||
    JSON.stringify(winner.withdrawn) !== JSON.stringify(parent?.withdrawn ?? []) ||
    withdrawn !== undefined
  );
}

function movesSame<T>(
  winner: Readonly<Record<string, T>>,
  before: Readonly<Record<string, T>> | undefined,
  ours: Readonly<Record<string, T>>,
): boolean {
  return Object.keys(ours).some((name) => winner[name] !== before?.[name]);
}

async function hint(store: ObjectStore, number: number): Promise<void> {
  try {
    await store.put(LATEST_HINT, Buffer.from(`${number}\n`));
  } catch {
    // The release is published whatever becomes of the hint: readers list after the last one that was written.
  }
}
