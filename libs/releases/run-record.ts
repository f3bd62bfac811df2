import { z } from 'zod';
import { LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import { HOUR_MS, type Clock } from './lake.js';
import { getIfPresent } from './release-reader.js';

export type Owner = 'batch' | 'stream';
/** An operator's run is a rollback, which may change the tables of all owners. */
export type RunOwner = Owner | 'operator';

/** A run that has not renewed for this long may lose its files to vacuum. */
export const RUN_EXPIRY_MS = HOUR_MS;
/** A run must not publish with a record older than this: what is left until expiry covers a stalled process. */
const PUBLISH_AGE_MS = RUN_EXPIRY_MS / 2;
export const RENEW_EVERY_MS = 30_000;

export const RUNS = '_runs/';
const RUN_ID = /^\d{8}t\d{6}-[0-9a-f]{8}$/;

const runSchema = z
  .object({
    run_id: z.string().regex(RUN_ID),
    owner: z.enum(['batch', 'stream', 'operator']),
    parent: z.int().nullable(),
    started_at: z.iso.datetime(),
    renewed_at: z.iso.datetime(),
    /** Set when a run ended without publishing; a run that published leaves no record. */
    ended_at: z.iso.datetime().optional(),
  })
  .readonly();

export type RunRecord = z.infer<typeof runSchema>;

/** `20260217t101112-1a2b3c4d`: sorts by time, and the names of the run's files begin with it. `hex8` comes from the caller's randomness. */
export function runIdFrom(nowMs: number, hex8: string): string {
  const runId = `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase()}-${hex8}`;
  if (!RUN_ID.test(runId)) throw malformedId(runId);
  return runId;
}

export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

/** When a run's id was made, to the second. */
export function bornMs(runId: string): number {
  if (!RUN_ID.test(runId)) throw malformedId(runId);
  return Date.parse(runId.replace(/^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d).*/, '$1-$2-$3T$4:$5:$6Z'));
}

/** The run that wrote a data file; undefined for files of foreign writers. */
export function runOfFile(path: string): string | undefined {
  return /(?:^|\/)(\d{8}t\d{6}-[0-9a-f]{8})[^/]*\.parquet$/.exec(path)?.[1];
}

export function runPath(runId: string): string {
  return `${RUNS}${runId}.json`;
}

/** Folder of the run's report and rejects, with a slash at its end. */
function runFolder(runId: string): string {
  return `${RUNS}${runId}/`;
}

export function reportPath(runId: string): string {
  return `${runFolder(runId)}report.json`;
}

/** Before the run writes its first file: a file without a record is an orphan. */
export async function registerRun(
  store: ObjectStore,
  clock: Clock,
  run: { readonly runId: string; readonly owner: RunOwner; readonly parent: number | null },
): Promise<RunRecord> {
  if (!RUN_ID.test(run.runId)) throw malformedId(run.runId);
  const now = new Date(clock.nowMs()).toISOString();
  const record = { run_id: run.runId, owner: run.owner, parent: run.parent, started_at: now, renewed_at: now };
  await store.put(runPath(run.runId), encode(record));
  return record;
}

/** Every 30 s, by the caller's timer. Throws `release.run_expired` when vacuum may have taken the run's files. */
export async function renewRun(store: ObjectStore, clock: Clock, runId: string): Promise<void> {
  const record = await aliveRun(store, clock, runId, RUN_EXPIRY_MS);
  await store.put(runPath(runId), encode({ ...record, renewed_at: new Date(clock.nowMs()).toISOString() }));
}

/** Ends a run: a published one needs no record, another keeps it beside its report. */
export async function endRun(
  store: ObjectStore,
  clock: Clock,
  runId: string,
  outcome: 'published' | 'unpublished',
): Promise<void> {
  if (outcome === 'published') return store.delete(runPath(runId));
  const record = await findRun(store, runId);
  if (record === undefined) return;
  await store.put(runPath(runId), encode({ ...record, ended_at: new Date(clock.nowMs()).toISOString() }));
}

/** The check before publishing: the run's files are surely still there. */
export async function assertRunAlive(store: ObjectStore, clock: Clock, runId: string): Promise<void> {
  await aliveRun(store, clock, runId, PUBLISH_AGE_MS);
}

/** The record of a run that is at work, or that ended without publishing. */
export async function findRun(store: ObjectStore, runId: string): Promise<RunRecord | undefined> {
  const bytes = await getIfPresent(store, runPath(runId));
  return bytes === undefined ? undefined : parseRun(bytes, runPath(runId));
}

/** Whether vacuum surely leaves a run's files alone for the time that it takes to renew the record. */
export function isSurelyLive(run: RunRecord, nowMs: number): boolean {
  return run.ended_at === undefined && nowMs - Date.parse(run.renewed_at) < PUBLISH_AGE_MS;
}

export async function listRuns(store: ObjectStore): Promise<readonly RunRecord[]> {
  const runs: RunRecord[] = [];
  for await (const runId of runIdsAfter(store)) {
    const run = await findRun(store, runId);
    if (run !== undefined) runs.push(run);
  }
  return runs;
}

/** Ids of the runs that have a record, oldest first; with `after`, those made after that run. */
export async function* runIdsAfter(store: ObjectStore, after?: string): AsyncIterable<string> {
  for await (const { path } of store.list(RUNS, ...(after === undefined ? [] : [runPath(after)]))) {
    const [, runId] = /^_runs\/([^/]+)\.json$/.exec(path) ?? [];
    if (runId !== undefined) yield runId;
  }
}

export function isLive(run: RunRecord, nowMs: number): boolean {
  return run.ended_at === undefined && nowMs - Date.parse(run.renewed_at) < RUN_EXPIRY_MS;
}

async function aliveRun(store: ObjectStore, clock: Clock, runId: string, maxAgeMs: number): Promise<RunRecord> {
  const record = await findRun(store, runId);
  const ageMs = record === undefined ? Infinity : clock.nowMs() - Date.parse(record.renewed_at);
  if (record !== undefined && record.ended_at === undefined && ageMs < maxAgeMs) return record;
  throw new LakeError(
    'release.run_expired',
    'conflict',
    `Run ${runId} stood still too long and vacuum may have removed its files; nothing of it is published. Start it again.`,
    { at: { path: runPath(runId) } },
  );
}

function parseRun(bytes: Uint8Array, path: string): RunRecord {
  try {
    return runSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new LakeError('release.corrupt', 'corrupt', `${path} is no run record; delete it if no run is working.`, {
      at: { path },
      cause,
    });
  }
}

function encode(record: RunRecord): Uint8Array {
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

function malformedId(runId: string): LakeError {
  return new LakeError('release.run_id', 'invalid', `'${runId}' is no run id; make one with runIdFrom.`);
}
