import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalogue } from '#contracts';
import { LakeError } from '#errors';
import type { Engine } from '#engine';
import {
  acquireLease,
  endRun,
  publish,
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
} from '#releases';
import { checkTables } from './check-table.js';
import { computeRun, type ComputedRun } from './compute.js';
import { placeFiles, toPublish } from './place-files.js';
import { openParent } from './parent-state.js';
import { buildReport } from './build-report.js';
import type { CheckReport, RunReport } from './report.js';
import type { OnProgress } from './progress.js';

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
  /** A local folder that the run may fill and empties when it ends. */
  readonly workDir: string;
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
  for (let losses = 0; losses <= MAX_LOSSES; losses++) {
    const lease = losses > FREE_LOSSES ? await acquireLease(lake.store, clock, runId) : undefined;
    try {
      const result = await attempt(options, startedAt, lease);
      if (result !== 'lost') return result;
      options.onProgress({ kind: 'message', text: 'another run published first; planning again on its release' });
    } finally {
      if (lease !== undefined) await releaseLease(lake.store, lease);
    }
  }
  throw new LakeError('run.contended', 'conflict', `Run ${runId} lost every race to publish. Start it again later.`);
}

async function attempt(options: RunOptions, startedAt: string, lease: Lease | undefined): Promise<RunResult | 'lost'> {
  const { lake, clock, runId, workDir, signal } = options;
  const reader = new ReleaseReader(lake.store);
  const listedAtMs = clock.nowMs();
  const parent = await reader.latest();
  if (parent !== undefined) await rollForward(lake, clock, parent);
  await registerRun(lake.store, clock, { runId, owner: 'batch', parent: parent?.number ?? null });
  const renewal = renewRegularly(options, lease);
  const filesDir = join(workDir, runId);
  // A run that published, or found nothing to do, leaves nothing that a record would have to explain.
  let leaves: 'published' | 'unpublished' = 'unpublished';
  let engine: Engine | undefined;
  try {
    await mkdir(filesDir, { recursive: true });
    engine = await options.openEngine();
    const state = await openParent(lake, parent, options.catalogue, engine);
    const computed = await computeRun({ ...options, engine, state, filesDir, processedAt: startedAt });
    const reporting = { options, parent, computed, startedAt };
    if (computed.changes.size === 0) {
      leaves = 'published';
      return { outcome: 'nothing_new', report: report(reporting, parent?.number ?? null, []) };
    }
    options.onProgress({ kind: 'stage', stage: 'checks' });
    const checks = await checkTables({ ...options, engine, computed });
    const failed = checks.some(({ passed, severity }) => !passed && severity === 'error');
    if (failed) {
      const failure = report(reporting, parent?.number ?? null, checks);
      await lake.store.put(reportPath(runId), encode(failure));
      return { outcome: 'check_failed', report: failure };
    }
    signal.throwIfAborted();
    options.onProgress({ kind: 'stage', stage: 'publish' });
    renewal.assertAlive();
    await placeFiles(lake.store, computed.changes.values());
    const success = report(reporting, (parent?.number ?? 0) + 1, checks);
    const path = reportPath(runId);
    await lake.store.put(path, encode(success));
    const outcome = await publish(
      toPublish({ options, parent, listedAtMs, state, computed, checks, reportPath: path, nonce: options.newNonce() }),
    );
    if (outcome.kind === 'lost') return 'lost';
    leaves = 'published';
    await rollForward(lake, clock, outcome.release);
    const final = { ...success, release: outcome.release.number, parent: outcome.release.parent };
    if (final.release !== success.release) await lake.store.put(path, encode(final));
    return { outcome: 'published', report: final };
  } finally {
    renewal.stop();
    await engine?.close();
    await rm(filesDir, { recursive: true, force: true });
    // A record that stays turns stale and vacuum removes it; its loss must not hide a release, or why there is none.
    await endRun(lake.store, clock, runId, leaves).catch(() => undefined);
  }
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
