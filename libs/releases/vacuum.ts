import { cleanLog, planCleaning, type LogCleaning } from '#delta';
import { LocalStore, type ObjectStore } from '#storage';
import { dropRelease, droppedReleases } from './dropped-release.js';
import { headOf } from './foreign-write.js';
import type { Clock, Lake } from './lake.js';
import { proofPath, PROOFS, RELEASES, SEALED, STAGED, type Release } from './release.js';
import { ReleaseReader } from './release-reader.js';
import { judgeReleases, type Retention } from './retention.js';
import { isLive, listRuns, RUN_EXPIRY_MS, runOfFile, runPath, RUNS, type RunRecord } from './run-record.js';
import { sealedPath, sealVersion } from './sealed-state.js';
import { runOfStaged } from './staged-actions.js';
import { contentOf, storePathOf } from './table-state.js';

export interface Orphan {
  readonly path: string;
  readonly sizeBytes: number;
  /** The run that wrote it, where that decides; sealed states and proofs belong to releases. */
  readonly runId: string | undefined;
  readonly kind: 'data' | 'staged' | 'sealed' | 'proof';
}

/** A version of a table's log that is kept aside before the log loses it. */
export interface Seal {
  readonly table: string;
  readonly version: number;
}

/** What vacuum would do, in this order; a dry run prints it. */
export interface VacuumPlan {
  /** Records of runs that have not renewed for an hour; deleted before any of their files. */
  readonly staleRuns: readonly string[];
  /** Releases that leave the list. What they alone stand on stays for another hour. */
  readonly drops: readonly number[];
  readonly seals: readonly Seal[];
  readonly cleanings: readonly LogCleaning[];
  readonly orphans: readonly Orphan[];
  /** Records of releases whose hour is over; deleted after their files. */
  readonly forgotten: readonly string[];
  /** The newest release that was looked at. */
  readonly seenRelease: number;
}

/**
 * Finds releases that need not be kept, log entries that only sealed states need, and files of ours that nothing names:
 * no kept release, none dropped within the hour, no current log. Without `retention` every release is kept. Order
 * matters: files are listed before runs, so a file whose run has no record belongs to a run that ended; releases are
 * read last, so what such a run published is seen. A file that does not carry a run id is somebody else's and is never
 * touched.
 */
export async function planVacuum(lake: Lake, clock: Clock, retention?: Retention): Promise<VacuumPlan> {
  const { store } = lake;
  const nowMs = clock.nowMs();
  const found = await listCandidates(store);
  const sealed = new Set([...found.values()].filter(({ kind }) => kind === 'sealed').map(({ path }) => path));
  const runs = await listRuns(store);
  const live = new Set(runs.filter((run) => isLive(run, nowMs)).map((run) => run.run_id));
  const survey = new Survey(lake, without(found, live));
  const drops: number[] = [];
  const reader = new ReleaseReader(store);
  const fateOf = retention === undefined ? () => 'current' as const : judgeReleases(retention, nowMs);
  // The record before the copy of it: one that is dropped meanwhile is seen at one of both places.
  const numbers = await reader.numbers();
  let newest: Release | undefined;
  for (const number of numbers) {
    const release = await reader.get(number);
    if (release === undefined) continue;
    newest ??= release;
    const fate = fateOf(release);
    if (fate === 'dropped') drops.push(number);
    await survey.keep(release, fate === 'daily' ? 'sealed' : 'logged');
  }
  const forgotten: string[] = [];
  for await (const { release, path, isOver } of droppedReleases(store, nowMs)) {
    if (isOver) forgotten.push(path);
    else await survey.keep(release, 'logged');
  }
  await survey.keepHeads(newest);
  const cleanings = retention === undefined ? [] : await survey.cleanings();
  return {
    staleRuns: runs.filter((run) => isStale(run, nowMs)).map((run) => run.run_id),
    drops: drops.reverse(),
    seals: survey.seals(cleanings).filter(({ table, version }) => !sealed.has(sealedPath(table, version))),
    cleanings,
    orphans: survey.orphans,
    forgotten,
    seenRelease: newest?.number ?? 0,
  };
}

/** Carries a plan out, and sweeps half-written files of a local lake; returns the orphans removed. Safe to stop anywhere and to do again. */
export async function vacuum(lake: Lake, clock: Clock, plan: VacuumPlan): Promise<readonly Orphan[]> {
  const { store } = lake;
  const live = new Set<string>();
  for (const run of await listRuns(store)) {
    if (isLive(run, clock.nowMs())) live.add(run.run_id);
    else if (plan.staleRuns.includes(run.run_id) && isStale(run, clock.nowMs()))
      await store.delete(runPath(run.run_id));
  }
  for (const number of plan.drops) await dropRelease(store, clock, number);
  for (const { table, version } of plan.seals) await sealVersion(lake, table, version);
  for (const cleaning of plan.cleanings) await cleanLog(store, cleaning);
  // Only now can no run of the plan publish any more: what it published meanwhile is taken out.
  const planned = new Map(plan.orphans.map((orphan) => [orphan.path, orphan]));
  const survey = new Survey(lake, without(planned, live));
  for (const release of (await new ReleaseReader(store).after(plan.seenRelease)).toReversed())
    await survey.keep(release, 'logged');
  for (const { path } of survey.orphans) await store.delete(path);
  for (const path of plan.forgotten) await store.delete(path);
  if (store instanceof LocalStore) await store.sweepTemporary(RUN_EXPIRY_MS, clock.nowMs());
  return survey.orphans;
}

async function listCandidates(store: ObjectStore): Promise<ReadonlyMap<string, Orphan>> {
  const candidates = new Map<string, Orphan>();
  for await (const { path, sizeBytes } of store.list('')) {
    const kind = kindOf(path);
    if (kind === undefined) continue;
    const runId = kind === 'staged' ? runOfStaged(path) : kind === 'data' ? runOfFile(path) : undefined;
    const isOurs = runId !== undefined || kind === 'sealed' || kind === 'proof';
    if (isOurs) candidates.set(path, { path, sizeBytes, runId, kind });
  }
  return candidates;
}

function kindOf(path: string): Orphan['kind'] | undefined {
  if (path.startsWith(STAGED)) return 'staged';
  if (path.startsWith(SEALED)) return 'sealed';
  if (path.startsWith(PROOFS)) return 'proof';
  return path.startsWith(RELEASES) || path.startsWith(RUNS) ? undefined : 'data';
}

function without(candidates: ReadonlyMap<string, Orphan>, live: ReadonlySet<string>): Map<string, Orphan> {
  return new Map([...candidates].filter(([, { runId }]) => runId === undefined || !live.has(runId)));
}

/** Strikes from the candidates what releases stand on, and learns how much of the logs they need. */
class Survey {
  readonly #seen = new Set<string>();
  /** The oldest version of a table's log that has to stay in it. */
  readonly #logged = new Map<string, number>();
  readonly #daily = new Map<string, Seal>();

  constructor(
    private readonly lake: Lake,
    private readonly candidates: Map<string, Orphan>,
  ) {}

  get orphans(): readonly Orphan[] {
    return [...this.candidates.values()];
  }

  /** Newest first: few files of an older release are not among those of a newer one. */
  async keep(release: Release, base: 'logged' | 'sealed'): Promise<void> {
    this.candidates.delete(proofPath(release.number));
    for (const [table, entry] of Object.entries(release.tables)) {
      if (base === 'logged') this.#logged.set(table, Math.min(this.#logged.get(table) ?? Infinity, entry.base));
      else if (entry.base >= 0) this.#daily.set(sealedPath(table, entry.base), { table, version: entry.base });
      const state = `${table}@${entry.release}`;
      if (this.candidates.size === 0 || this.#seen.has(state)) continue;
      this.#seen.add(state);
      this.candidates.delete(sealedPath(table, entry.base));
      if (entry.staged !== undefined) this.candidates.delete(entry.staged.path);
      const { files } = await contentOf(this.lake, table, entry);
      for (const path of files.keys()) this.candidates.delete(storePathOf(table, path));
    }
  }

  /** A foreign writer may have brought a file of ours back into the current version of a log. */
  async keepHeads(newest: Release | undefined): Promise<void> {
    for (const table of Object.keys(newest?.tables ?? {})) {
      if (this.candidates.size === 0) return;
      const head = await headOf(this.lake, table);
      for (const path of head?.files.keys() ?? []) this.candidates.delete(storePathOf(table, path));
    }
  }

  async cleanings(): Promise<readonly LogCleaning[]> {
    const cleanings: LogCleaning[] = [];
    for (const [table, version] of this.#logged) {
      const cleaning = await planCleaning(this.lake.store, table, version);
      if (cleaning.paths.length > 0) cleanings.push(cleaning);
    }
    return cleanings;
  }

  /** Versions that the cleanings take from releases which stay. */
  seals(cleanings: readonly LogCleaning[]): readonly Seal[] {
    const first = new Map(cleanings.map(({ table, firstVersion }) => [table, firstVersion]));
    return [...this.#daily.values()].filter(({ table, version }) => version < (first.get(table) ?? 0));
  }
}

function isStale(run: RunRecord, nowMs: number): boolean {
  return run.ended_at === undefined && !isLive(run, nowMs);
}
