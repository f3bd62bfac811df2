import type { Catalogue } from '#contracts';
import type { Engine } from '#engine';
import { LakeError } from '#errors';
import {
  acquireLease,
  endRun,
  planRollback,
  publish,
  registerRun,
  releaseLease,
  ReleaseReader,
  reportPath,
  rollForward,
  type Clock,
  type Lake,
  type Release,
  type RestoredTable,
  type WithdrawnLoad,
} from '#releases';
import { compareLoads } from './considered.js';
import { loadName, loadsOf, type LoadSummary } from './loads.js';

export interface RollbackOptions {
  readonly catalogue: Catalogue;
  readonly lake: Lake;
  readonly openEngine: () => Promise<Engine>;
  /** The release to go back to. */
  readonly to: number;
  readonly runId: string;
  readonly newNonce: () => string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a rollback did; stored with the run as its report. */
export interface RollbackReport {
  readonly run_id: string;
  /** The release that serves now. */
  readonly release: number;
  readonly parent: number;
  readonly rollback_to: number;
  readonly as_of: string;
  /** `none`: the newest release has that state already, so nothing was published. */
  readonly mode: 'rollback' | 'none';
  readonly started_at: string;
  readonly finished_at: string;
  /** Loads that count no more. */
  readonly withdrawn: readonly LoadSummary[];
  /** Loads that count again: they did in the release that was gone back to. */
  readonly restored: readonly LoadSummary[];
  readonly tables: readonly RestoredTableReport[];
}

export interface RestoredTableReport {
  readonly table: string;
  readonly layer: string;
  readonly rows_before: number;
  readonly total_rows: number;
  readonly files_added: number;
  readonly files_removed: number;
  /** The release that was gone back to had no such table: it is empty until the next run computes it. */
  readonly emptied: boolean;
}

/** Lost races before a rollback takes the lease; lost ones after that before it gives up. */
const FREE_LOSSES = 2;
const MAX_LOSSES = 6;

/**
 * Publishes the state of an earlier release again: its silver, gold and quarantine tables, as_of and offsets. Bronze stays;
 * the loads that count are those that counted then, so batch loads made since are withdrawn. Writes no data file. Safe to
 * kill at any point and to call again: without a difference nothing is published. Throws `release.not_found` and
 * `release-gone`.
 */
export async function rollBack(options: RollbackOptions): Promise<RollbackReport> {
  const { lake, clock, runId } = options;
  const startedAt = isoTime(clock);
  // A mistyped number leaves no run behind.
  await new ReleaseReader(lake.store).existing(options.to);
  for (let losses = 0; losses <= MAX_LOSSES; losses++) {
    const lease = losses > FREE_LOSSES ? await acquireLease(lake.store, clock, runId) : undefined;
    try {
      const report = await attempt(options, startedAt);
      if (report !== 'lost') return report;
    } finally {
      if (lease !== undefined) await releaseLease(lake.store, lease);
    }
  }
  throw new LakeError('run.contended', 'conflict', `Run ${runId} lost every race to publish. Start it again later.`);
}

async function attempt(options: RollbackOptions, startedAt: string): Promise<RollbackReport | 'lost'> {
  const { lake, clock, runId, signal, newNonce } = options;
  const { store } = lake;
  const reader = new ReleaseReader(store);
  const listedAtMs = clock.nowMs();
  const parent = await reader.latest();
  // Registered before the release is looked up: until this run has ended or expired, vacuum leaves its files alone.
  await registerRun(store, clock, { runId, owner: 'operator', parent: parent?.number ?? null });
  let outcome: 'published' | 'unpublished' = 'unpublished';
  try {
    const target = await reader.existing(options.to);
    const current = parent ?? target;
    await rollForward(lake, clock, current);
    const tables = await planRollback(lake, clock, current, target);
    const loads = await countingAsIn(options, current, target);
    signal.throwIfAborted();
    const reporting = { runId, startedAt, current, target, tables, loads };
    if (tables.length === 0 && isSameState(current, target, loads.out)) {
      outcome = 'published';
      return reportOf(reporting, current.number, 'none', clock);
    }
    const report = reportPath(runId);
    await store.put(report, encode(reportOf(reporting, current.number + 1, 'rollback', clock)));
    const published = await publish({
      store,
      clock,
      runId,
      nonce: newNonce(),
      owner: 'operator',
      parent: current,
      listedAtMs,
      mode: 'rollback',
      rollbackTo: target,
      asOf: target.as_of,
      changes: new Map(tables.map(({ table, change }) => [table, change])),
      readSet: new Set(Object.keys(current.tables)),
      consumed: { loads: {}, offsets: {}, completeUntil: {} },
      withdrawn: loads.out,
      checks: [],
      counts: Object.fromEntries(tables.map(({ table, rows }) => [table, { rows }])),
      report,
    });
    if (published.kind === 'lost') return 'lost';
    outcome = 'published';
    await rollForward(lake, clock, published.release);
    return reportOf(reporting, published.release.number, 'rollback', clock);
  } catch (error) {
    if (isOvertaken(error)) return 'lost';
    throw error;
  } finally {
    // A record that stays turns stale and vacuum removes it; its loss must not hide what was published.
    await endRun(store, clock, runId, outcome).catch(() => undefined);
  }
}

/** Others published while it planned, or it stood still for long: it plans again. */
function isOvertaken(error: unknown): boolean {
  return error instanceof LakeError && (error.code === 'release.superseded' || error.code === 'release.run_expired');
}

interface Loads {
  /** Those that do not count in the new release. */
  readonly out: readonly WithdrawnLoad[];
  readonly withdrawn: readonly LoadSummary[];
  readonly restored: readonly LoadSummary[];
}

/**
 * What counts is what counted in the target: loads that were withdrawn then are so again, though they were restored since,
 * and those that were withdrawn since count again. Streams go on from the target's offsets instead.
 */
async function countingAsIn(
  { catalogue, lake, openEngine }: RollbackOptions,
  current: Release,
  target: Release,
): Promise<Loads> {
  const isStream = (source: string) =>
    catalogue.sources.some(({ name, owner }) => name === source && owner === 'stream');
  const engine = await openEngine();
  try {
    const before = new Set<string>();
    for await (const load of loadsOf({ engine, lake, release: target })) before.add(loadName(load));
    const then = new Set(target.withdrawn.map(loadName));
    const [out, withdrawn, restored]: [WithdrawnLoad[], LoadSummary[], LoadSummary[]] = [[], [], []];
    for await (const load of loadsOf({ engine, lake, release: current })) {
      const counts = isStream(load.source) || (before.has(loadName(load)) && !then.has(loadName(load)));
      if (!counts) out.push({ source: load.source, load: load.load });
      if (!counts && load.state === 'active') withdrawn.push({ ...load, state: 'withdrawn' });
      if (counts && load.state === 'withdrawn') restored.push({ ...load, state: 'active' });
    }
    return { out: out.sort(compareLoads), withdrawn, restored };
  } finally {
    await engine.close();
  }
}

function isSameState(current: Release, target: Release, withdrawn: readonly WithdrawnLoad[]): boolean {
  const stateOf = ({ as_of, offsets, complete_until }: Release) =>
    JSON.stringify([as_of, Object.entries(offsets).sort(), Object.entries(complete_until).sort()]);
  return stateOf(current) === stateOf(target) && JSON.stringify(withdrawn) === JSON.stringify(current.withdrawn);
}

interface Reporting {
  readonly runId: string;
  readonly startedAt: string;
  readonly current: Release;
  readonly target: Release;
  readonly tables: readonly RestoredTable[];
  readonly loads: Loads;
}

function reportOf(
  { runId, startedAt, current, target, tables, loads }: Reporting,
  release: number,
  mode: RollbackReport['mode'],
  clock: Clock,
): RollbackReport {
  return {
    run_id: runId,
    release,
    parent: mode === 'none' ? current.number : release - 1,
    rollback_to: target.number,
    as_of: target.as_of,
    mode,
    started_at: startedAt,
    finished_at: isoTime(clock),
    withdrawn: loads.withdrawn,
    restored: loads.restored,
    tables: tables.map(toTableReport),
  };
}

function toTableReport(restored: RestoredTable): RestoredTableReport {
  const [layer = '', ...rest] = restored.table.split('/');
  return {
    table: rest.join('/'),
    layer,
    rows_before: restored.rowsBefore,
    total_rows: restored.rows,
    files_added: restored.filesAdded,
    files_removed: restored.filesRemoved,
    emptied: restored.isEmptied,
  };
}

function isoTime(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString();
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, undefined, 1)}\n`);
}
