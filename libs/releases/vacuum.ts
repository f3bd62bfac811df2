import { LocalStore, type ObjectStore } from '#storage';
import { headOf } from './foreign-write.js';
import type { Clock, Lake } from './lake.js';
import { RELEASES, STAGED, type Release } from './release.js';
import { ReleaseReader } from './release-reader.js';
import { isLive, listRuns, RUN_EXPIRY_MS, runOfFile, runPath, RUNS, type RunRecord } from './run-record.js';
import { runOfStaged } from './staged-actions.js';
import { contentOf, storePathOf } from './table-state.js';

export interface Orphan {
  readonly path: string;
  readonly sizeBytes: number;
  readonly runId: string;
  readonly kind: 'data' | 'staged';
}

/** What vacuum would do; a dry run prints it. */
export interface VacuumPlan {
  /** Records of runs that have not renewed for an hour; deleted before any of their files. */
  readonly staleRuns: readonly string[];
  readonly orphans: readonly Orphan[];
  /** The newest release that was looked at. */
  readonly seenRelease: number;
}

/**
 * Finds files of ours that nothing names: no kept release, no current log. Order matters: files are listed before runs,
 * so a file whose run has no record belongs to a run that ended; releases are read last, so what such a run published
 * is seen. A file that does not carry a run id is somebody else's and is never touched.
 */
export async function planVacuum(lake: Lake, clock: Clock): Promise<VacuumPlan> {
  const candidates = await listCandidates(lake.store);
  const runs = await listRuns(lake.store);
  const nowMs = clock.nowMs();
  const live = new Set(runs.filter((run) => isLive(run, nowMs)).map((run) => run.run_id));
  for (const [path, { runId }] of candidates) if (live.has(runId)) candidates.delete(path);
  const reader = new ReleaseReader(lake.store);
  const newest = await reader.latest();
  await dropReferenced(lake, candidates, await reader.after(0));
  await dropHeads(lake, candidates, newest);
  return {
    staleRuns: runs.filter((run) => isStale(run, nowMs)).map((run) => run.run_id),
    orphans: [...candidates.values()],
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
  // Only now can no run of the plan publish any more: what it published meanwhile is taken out.
  const orphans = new Map(plan.orphans.filter(({ runId }) => !live.has(runId)).map((orphan) => [orphan.path, orphan]));
  await dropReferenced(lake, orphans, await new ReleaseReader(store).after(plan.seenRelease));
  for (const path of orphans.keys()) await store.delete(path);
  if (store instanceof LocalStore) await store.sweepTemporary(RUN_EXPIRY_MS, clock.nowMs());
  return [...orphans.values()];
}

async function listCandidates(store: ObjectStore): Promise<Map<string, Orphan>> {
  const candidates = new Map<string, Orphan>();
  for await (const { path, sizeBytes } of store.list('')) {
    const staged = path.startsWith(STAGED);
    if (!staged && (path.startsWith(RELEASES) || path.startsWith(RUNS))) continue;
    const runId = staged ? runOfStaged(path) : runOfFile(path);
    if (runId !== undefined) candidates.set(path, { path, sizeBytes, runId, kind: staged ? 'staged' : 'data' });
  }
  return candidates;
}

async function dropReferenced(
  lake: Lake,
  candidates: Map<string, Orphan>,
  releases: readonly Release[],
): Promise<void> {
  const seen = new Set<string>();
  for (const release of releases.toReversed()) {
    for (const [table, entry] of Object.entries(release.tables)) {
      const state = `${table}@${entry.release}`;
      if (candidates.size === 0) return;
      if (seen.has(state)) continue;
      seen.add(state);
      if (entry.staged !== undefined) candidates.delete(entry.staged.path);
      const { files } = await contentOf(lake, table, entry);
      for (const path of files.keys()) candidates.delete(storePathOf(table, path));
    }
  }
}

/** A foreign writer may have brought a file of ours back into the current version of a log. */
async function dropHeads(lake: Lake, candidates: Map<string, Orphan>, newest: Release | undefined): Promise<void> {
  for (const table of Object.keys(newest?.tables ?? {})) {
    if (candidates.size === 0) return;
    const head = await headOf(lake, table);
    for (const path of head?.files.keys() ?? []) candidates.delete(storePathOf(table, path));
  }
}

function isStale(run: RunRecord, nowMs: number): boolean {
  return run.ended_at === undefined && !isLive(run, nowMs);
}
