import type { Stage } from '#pipeline';
import type { WithdrawnLoad } from '#releases';

/** What a run is asked to do. */
export interface RunRequest {
  /** `YYYY-MM-DD`; the day on which it starts unless given. */
  readonly as_of?: string;
  readonly full?: boolean;
  /** `gold/fact_sales`: recomputed in full, with all that depends on them. */
  readonly tables?: readonly string[];
  readonly reason?: string;
  /** Repairs that it replays, and loads of repairs that it takes back or lets count again: it does that and nothing else. */
  readonly repairs?: readonly string[];
  readonly withdraw?: readonly WithdrawnLoad[];
  readonly restore?: readonly WithdrawnLoad[];
}

export type RunState =
  | 'queued'
  | 'running'
  | 'published'
  | 'nothing_new'
  | 'check_failed'
  | 'failed'
  | 'cancelled'
  /** Started by a process that stopped telling; nothing of it was published. */
  | 'lost';

export interface StageView {
  readonly stage: Stage;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** Steps (files, tables, checks) of the stage; 0 of 0 while unknown. */
  readonly done: number;
  readonly total: number;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** A run as every door shows it, whoever started it. Times are RFC 3339 in UTC. */
export interface RunView {
  readonly run_id: string;
  readonly state: RunState;
  /** `queue` for runs of the worker, `command` for runs of the command line. */
  readonly origin: 'queue' | 'command';
  /** Who asked: `local` until there are keys; null for runs of the command line. */
  readonly requested_by: string | null;
  readonly request: RunRequest;
  readonly as_of: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** Times that a worker took it up. */
  readonly attempts: number;
  /** What it published; null unless it did. */
  readonly release: number | null;
  readonly stages: readonly StageView[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface RunPage {
  readonly runs: readonly RunView[];
  /** Pass as `before` for older runs; null at the end. */
  readonly next: string | null;
}

/** Where runs are asked for and looked up. Everything throws `records.unavailable` while PostgreSQL cannot be reached. */
export interface RunDesk {
  /**
   * Records the run durably, then queues it; the returned run has its id. The same key with the same request within
   * 24 h gives the run of the first time; with another request throws `run.idempotency_mismatch` (invalid).
   */
  request(run: RunRequest, by: string, idempotencyKey?: string): Promise<RunView>;
  get(runId: string): Promise<RunView | undefined>;
  /**
   * Newest first: recorded runs, those in `_runs/` and those that published, each once. Throws `cursor-mismatch`
   * (invalid) for a `before` that is no run id.
   */
  list(page: { readonly limit: number; readonly before?: string }): Promise<RunPage>;
  /** The report that the run stored; undefined before it ended, or without one. */
  report(runId: string): Promise<unknown>;
  /**
   * A queued run is cancelled, a running one stops at the next step. Throws `run.not_found` (notFound), `run.ended` and
   * `run.of_command_line` (conflict).
   */
  cancel(runId: string): Promise<RunView>;
  health(): Promise<{ readonly records: boolean; readonly queue: boolean }>;
  close(): Promise<void>;
}
