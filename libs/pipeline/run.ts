import { join } from 'node:path';
import type { Catalogue } from '#contracts';
import { LakeError } from '#errors';
import type { Engine } from '#engine';
import {
  acquireLease,
  endRun,
  findRun,
  isSurelyLive,
  publish,
  publishedByRun,
  registerRun,
  releaseLease,
  renewLease,
  RENEW_EVERY_MS,
  renewRun,
  reportPath,
  rollForward,
  ReleaseReader,
  type Clock,
  type Lake,
  type Lease,
  type Release,
  type WithdrawnLoad,
} from '#releases';
import { withDependants } from './affected.js';
import type { ComputedRun } from './compute.js';
import { placeFiles, toPublish } from './place-files.js';
import { lazyEngine } from './lazy-engine.js';
import { openParent } from './parent-state.js';
import { buildReport } from './build-report.js';
import type { Repair } from './repair.js';
import type { CheckReport, RunReport } from './report.js';
import { STAGES, StageProgress, type OnProgress } from './progress.js';
import { noJournal, type RunJournal } from './run-journal.js';
import { stageRun } from './stage-run.js';

export interface RunOptions {
  readonly catalogue: Catalogue;
  readonly lake: Lake;
  /** A fresh engine each attempt: nothing of a lost one is left behind. */
  readonly openEngine: () => Promise<Engine>;
  /** The engine's function definitions: part of what every table follows from. */
  readonly prelude: string;
  readonly landingDir: string;
  /** `YYYY-MM-DD`: what every rule means by today. */
  readonly asOf: string;
  readonly runId: string;
  readonly newNonce: () => string;
  readonly clock: Clock;
  /** Recompute everything, whatever changed. */
  readonly full: boolean;
  /** Read files again whose path, size and time are known. */
  readonly rehash: boolean;
  /** Contract names: recomputed in full, with all that depends on them. */
  readonly tables?: readonly string[];
  /** Loads that no run, rebuild or proof reads from now on; added to the parent's. */
  readonly withdraw?: readonly WithdrawnLoad[];
  /** Withdrawn loads that count again. */
  readonly restore?: readonly WithdrawnLoad[];
  /** Corrected records that take the place of quarantined ones; those that the lake has already are left out. */
  readonly repairs?: readonly Repair[];
  /** Nothing is loaded but `repairs`: the run does what it was asked for and nothing else. */
  readonly skipLanding?: boolean;
  /** A local folder that the run may fill and empties when it ends. */
  readonly workDir: string;
  /**
   * For a run that is taken up again when it dies, or when something was unavailable: called once more with the same
   * run id, it goes on where it was, or gives what it published before.
   */
  readonly journal?: RunJournal;
  readonly dateFrom: string;
  readonly dateTo: string;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly outcome: 'published' | 'nothing_new' | 'check_failed';
  readonly report: RunReport;
}

/** Lost races before a run takes the lease; lost ones after that before it gives up. */
const FREE_LOSSES = 2;
const MAX_LOSSES = 6;

/**
 * Raw files to the next release: load, transform, check, publish. Safe to kill at any point and to call again: what a
 * dead run leaves is orphans for vacuum. A run that was overtaken reads the winner's release and computes again.
 */
export async function runPipeline(options: RunOptions): Promise<RunResult> {
  const { lake, clock, runId } = options;
  const startedAt = isoTime(clock);
  withDependants(options.tables ?? [], options.catalogue);
  for (let losses = 0; losses <= MAX_LOSSES; losses++) {
    const lease = losses > FREE_LOSSES ? await acquireLease(lake.store, clock, runId) : undefined;
    try {
      const result = await attempt(options, startedAt, lease);
      if (result !== 'lost') return result;
      options.onProgress({ kind: 'message', text: 'overtaken by another run; planning again on the newest release' });
    } finally {
      if (lease !== undefined) await releaseLease(lake.store, lease);
    }
  }
  throw new LakeError('run.contended', 'conflict', `Run ${runId} lost every race to publish. Start it again later.`);
}

async function attempt(
  options: RunOptions,
  attemptedAt: string,
  lease: Lease | undefined,
): Promise<RunResult | 'lost'> {
  const { lake, clock, runId, workDir, signal } = options;
  const journal = options.journal ?? noJournal(join(workDir, runId));
  const stages = new StageProgress(options.onProgress);
  const reader = new ReleaseReader(lake.store);
  const listedAtMs = clock.nowMs();
  const parent = await reader.latest();
  if (parent !== undefined) await rollForward(lake, clock, parent);
  if (options.journal !== undefined) {
    // After the listing: what an attempt that is still on its way publishes later, publishing itself finds.
    const published = await publishedByRun(lake.store, runId, parent);
    if (published !== undefined) {
      for (const stage of STAGES) stages.begin(stage, 0);
      return alreadyPublished(options, published);
    }
    const record = await findRun(lake.store, runId);
    // Vacuum may be removing what a run with an old record placed in the lake: take other files, of other names.
    if (record === undefined || !isSurelyLive(record, clock.nowMs())) await options.journal.clear();
  }
  await registerRun(lake.store, clock, { runId, owner: 'batch', parent: parent?.number ?? null });
  const renewal = renewRegularly(options, lease);
  // A run that published, or found nothing to do, leaves nothing that a record would have to explain.
  let leaves: 'published' | 'unpublished' | 'resumable' = 'unpublished';
  let engine: Engine | undefined;
  try {
    engine = lazyEngine(await options.openEngine());
    const state = await openParent(lake, parent, options.catalogue, engine);
    const parts = { engine, state, journal, stages, attemptedAt };
    const { startedAt, computed, checks, comesTo } = await stageRun(options, parts);
    const reporting = { options, parent, computed, startedAt };
    if (comesTo === 'nothing_new') {
      leaves = 'published';
      return { outcome: 'nothing_new', report: report(reporting, parent?.number ?? null, []) };
    }
    if (comesTo === 'check_failed') {
      const failure = report(reporting, parent?.number ?? null, checks);
      await lake.store.put(reportPath(runId), encode(failure));
      return { outcome: 'check_failed', report: failure };
    }
    signal.throwIfAborted();
    renewal.assertAlive();
    await placeFiles(lake.store, computed.changes.values(), stages);
    const success = report(reporting, (parent?.number ?? 0) + 1, checks);
    const path = reportPath(runId);
    await lake.store.put(path, encode(success));
    const outcome = await publish(
      toPublish({ options, parent, listedAtMs, state, computed, checks, reportPath: path, nonce: options.newNonce() }),
    );
    if (outcome.kind === 'lost') return 'lost';
    leaves = 'published';
    stages.step('publish');
    await rollForward(lake, clock, outcome.release);
    const final = { ...success, release: outcome.release.number, parent: outcome.release.parent };
    if (final.release !== success.release) await lake.store.put(path, encode(final));
    return { outcome: 'published', report: final };
  } catch (error) {
    // Somebody published after the newest release was looked up and before its tables were read.
    if (error instanceof LakeError && error.code === 'release.superseded') return 'lost';
    if (options.journal === undefined) throw error;
    // It stood still for long, or another attempt ended it: there is somebody to start it over.
    if (error instanceof LakeError && error.code === 'release.run_expired') return 'lost';
    if (isWorthRetrying(error, signal)) leaves = 'resumable';
    throw error;
  } finally {
    renewal.stop();
    await engine?.close();
    if (leaves !== 'resumable' && (await journal.isOurs())) {
      await journal.clear();
      // A record that stays turns stale and vacuum removes it; its loss must not hide a release, or why there is none.
      await endRun(lake.store, clock, runId, leaves).catch(() => undefined);
    }
  }
}

/** Whoever stops a run so that another process goes on with it aborts it with an unavailable error as the reason. */
function isWorthRetrying(error: unknown, signal: AbortSignal): boolean {
  const cause: unknown = signal.aborted ? signal.reason : error;
  return cause instanceof LakeError && cause.kind === 'unavailable';
}

/** An earlier attempt published and died before it could say so. */
async function alreadyPublished({ lake, clock, runId, journal }: RunOptions, release: Release): Promise<RunResult> {
  const { number, parent } = release;
  const path = release.report ?? reportPath(runId);
  const stored = JSON.parse(Buffer.from(await lake.store.get(path)).toString('utf8')) as RunReport;
  // It was written before the release had its number.
  const final = { ...stored, release: number, parent };
  if (stored.release !== number) await lake.store.put(path, encode(final));
  await journal?.clear();
  await endRun(lake.store, clock, runId, 'published').catch(() => undefined);
  return { outcome: 'published', report: final };
}

interface Reporting {
  readonly options: RunOptions;
  readonly parent: Release | undefined;
  readonly computed: ComputedRun;
  readonly startedAt: string;
}

function report(
  { options, parent, computed, startedAt }: Reporting,
  release: number | null,
  checks: readonly CheckReport[],
): RunReport {
  return buildReport({
    runId: options.runId,
    release,
    parent: parent?.number ?? null,
    asOf: options.asOf,
    startedAt,
    finishedAt: isoTime(options.clock),
    computed,
    checks,
  });
}

/** Keeps the run's record fresh, so that vacuum knows its files; a renewal that failed is told before publishing. */
function renewRegularly(
  { lake, clock, runId }: RunOptions,
  lease: Lease | undefined,
): { assertAlive(): void; stop(): void } {
  let failure: unknown;
  const timer = setInterval(() => {
    renewRun(lake.store, clock, runId).catch((error: unknown) => (failure = error));
    // Without the lease the run is only likelier to lose the next race.
    if (lease !== undefined) renewLease(lake.store, clock, lease).catch(() => undefined);
  }, RENEW_EVERY_MS);
  timer.unref();
  return {
    assertAlive() {
      if (failure instanceof LakeError && failure.code === 'release.run_expired') throw failure;
    },
    stop: () => clearInterval(timer),
  };
}

function isoTime(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString();
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, undefined, 1)}\n`);
}
