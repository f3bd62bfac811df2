import { LakeError } from '#errors';
import { findRun, RENEW_EVERY_MS, reportPath, runIdsAfter, type Clock, type RunRecord } from '#releases';
import type { ObjectStore } from '#storage';
import type { RunState, RunView } from './run-desk.js';
import type { PublishedRun } from './published-runs.js';

/** A process that is busy may be late; one that is silent this long is held to be dead. */
const SILENT_MS = 5 * RENEW_EVERY_MS;

/** Runs that work or ended without publishing, by what they left in the lake's `_runs/`. */
export class LakeRuns {
  constructor(
    private readonly store: ObjectStore,
    private readonly clock: Clock,
  ) {}

  /** Ids after `after` (all without it) and before `before`, newest first. */
  async ids({ after, before }: { after: string | undefined; before: string | undefined }): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const id of runIdsAfter(this.store, after)) {
      if (before !== undefined && id >= before) break;
      ids.push(id);
    }
    return ids.reverse();
  }

  async get(runId: string): Promise<RunView | undefined> {
    const record = await findRun(this.store, runId);
    if (record === undefined) return undefined;
    const { state, error } = await this.stateOf(record);
    return {
      ...commandRun(runId, record.started_at),
      state,
      finished_at: record.ended_at ?? null,
      attempts: 1,
      error,
    };
  }

  /** What the run reported when it ended; undefined without a report. */
  async report(runId: string): Promise<unknown> {
    try {
      return JSON.parse(Buffer.from(await this.store.get(reportPath(runId))).toString('utf8')) as unknown;
    } catch (error) {
      if (error instanceof LakeError && error.kind === 'notFound') return undefined;
      throw error;
    }
  }

  private async stateOf({ run_id, ended_at, renewed_at }: RunRecord): Promise<Pick<RunView, 'state' | 'error'>> {
    if (ended_at === undefined) return { state: this.isSilent(renewed_at) ? 'lost' : 'running', error: null };
    const { checks } = ((await this.report(run_id)) ?? {}) as { checks?: readonly Check[] };
    const failed = (checks ?? []).filter(({ severity, passed }) => severity === 'error' && !passed);
    return { state: (failed.length > 0 ? 'check_failed' : 'failed') satisfies RunState, error: null };
  }

  private isSilent(renewedAt: string): boolean {
    return this.clock.nowMs() - Date.parse(renewedAt) > SILENT_MS;
  }
}

interface Check {
  readonly severity: string;
  readonly passed: boolean;
}

/** A run of the command line that published; its record is gone, its release tells. */
export function publishedRunView({ run_id, ...release }: PublishedRun, startedAt: string): RunView {
  return { ...commandRun(run_id, startedAt), ...publishedFields({ run_id, ...release }) };
}

/** What a release knows better than any record: a run that published has published. */
export function publishedFields({ release, published_at, as_of }: PublishedRun) {
  return { state: 'published', release, as_of, finished_at: published_at, error: null } as const;
}

function commandRun(runId: string, startedAt: string): RunView {
  return {
    run_id: runId,
    state: 'running',
    origin: 'command',
    requested_by: null,
    request: {},
    as_of: null,
    created_at: startedAt,
    started_at: startedAt,
    finished_at: null,
    attempts: 1,
    release: null,
    stages: [],
    error: null,
  };
}
