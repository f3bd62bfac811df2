import { createHash } from 'node:crypto';
import { LakeError } from '#errors';
import type { Clock } from '#releases';
import type { Secret } from '../config/secret.js';
import type { Log } from '../log/log.js';
import type { RunRequest, RunState, RunView, StageView } from '../runs/run-desk.js';
import type { Tables } from './data-source.js';
import { Database } from './database.js';
import type { RunRow } from './entity.js';
import { toRunView } from './run-view.js';

export interface RunRecordsOptions {
  readonly url: Secret;
  readonly clock: Clock;
  readonly log: Log;
}

export interface NewRun {
  readonly runId: string;
  readonly request: RunRequest;
  readonly by: string;
  readonly idempotencyKey?: string;
}

/** A run that a worker has taken up. `attempt` counts from 1 and goes with all that the worker tells about it. */
export interface BegunRun {
  readonly runId: string;
  readonly attempt: number;
  /** Who asked for it. */
  readonly by: string;
  readonly request: RunRequest;
  /** That of the first attempt, whatever day it is. */
  readonly asOf: string;
}

type EndState = Exclude<RunState, 'queued' | 'running' | 'lost'>;

export interface RunEnd {
  readonly state: EndState;
  readonly release?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

export type CancelOutcome = 'cancelled' | 'requested' | 'ended' | 'unknown';

const DAY_MS = 86_400_000;
/** More than anybody lets wait; the rest is seen when these are done. */
const MOST_UNFINISHED = 1_000;

/**
 * What is known about queued runs. Connects on first use and again after PostgreSQL was away; until then every call
 * throws `records.unavailable`. All changes are single statements or transactions, so any number of processes may work.
 */
export class RunRecords {
  private constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  static open({ url, clock, log }: RunRecordsOptions): RunRecords {
    return new RunRecords(new Database(url, log), clock);
  }

  /**
   * Records a run as queued. With an idempotency key that came less than 24 h ago: the run of that time, or
   * `run.idempotency_mismatch` when the request is another.
   */
  insert(run: NewRun): Promise<RunView> {
    return this.database.transaction(async (db) => {
      await this.insertRow(db, run);
      const runId = run.idempotencyKey === undefined ? run.runId : await this.claimKey(db, run, run.idempotencyKey);
      // Another request had the key first: this run never was.
      if (runId !== run.runId) await db.runs.delete({ run_id: run.runId });
      return one(await viewsOf(db, await db.runs.findBy({ run_id: runId })));
    });
  }

  /**
   * A worker takes the run up, again if need be. Undefined when there is nothing to do: it ended, was cancelled, or is
   * unknown. `today` is its as-of date unless the request or an earlier attempt said another.
   */
  begin(runId: string, { worker, today }: { worker: string; today: string }): Promise<BegunRun | undefined> {
    return this.database.transaction(async (db) => {
      const run = await unfinishedRun(db, runId);
      if (run === undefined) return undefined;
      if (run.cancel_requested_at !== null) {
        await db.runs.update(runId, { state: 'cancelled', finished_at: this.now() });
        return undefined;
      }
      const attempt = run.attempts + 1;
      const asOf = run.as_of ?? today;
      const started = { attempts: attempt, as_of: asOf, worker, started_at: run.started_at ?? this.now() };
      await db.runs.update(runId, { ...started, state: 'running', error: null });
      await db.stages.delete({ run_id: runId });
      return { runId, attempt, by: run.requested_by, request: run.request, asOf };
    });
  }

  /** Where a stage stands. An attempt that another one replaced is not heard. */
  async stage({ runId, attempt }: Pick<BegunRun, 'runId' | 'attempt'>, view: StageView): Promise<void> {
    await this.database.use((db) =>
      db.query(
        `INSERT INTO shopsmart.run_stage (run_id, stage, state, done, total, started_at, finished_at)
         SELECT run_id, $3, $4, $5, $6, $7::timestamptz, $8::timestamptz
         FROM shopsmart.run WHERE run_id = $1 AND attempts = $2 AND state = 'running'
         ON CONFLICT (run_id, stage) DO UPDATE SET state = excluded.state, done = excluded.done,
           total = excluded.total, started_at = excluded.started_at, finished_at = excluded.finished_at`,
        [runId, attempt, view.stage, view.state, view.done, view.total, view.started_at, view.finished_at],
      ),
    );
  }

  /** The run waits for its next attempt (the queue's retry), with what kept it from ending. */
  async wait({ runId, attempt }: Pick<BegunRun, 'runId' | 'attempt'>, error: RunEnd['error']): Promise<void> {
    await this.database.use((db) =>
      db.runs.update({ run_id: runId, attempts: attempt, state: 'running' }, { state: 'queued', error: error ?? null }),
    );
  }

  /**
   * The run ended. An attempt that another one replaced is heard only when it published. False: the end was not taken.
   */
  end({ runId, attempt }: Pick<BegunRun, 'runId' | 'attempt'>, end: RunEnd): Promise<boolean> {
    return this.database.transaction(async (db) => {
      const run = await lockedRun(db, runId);
      if (run === undefined) return false;
      const isCurrent = run.attempts === attempt && isUnfinished(run);
      if (!isCurrent && (end.state !== 'published' || run.state === 'published')) return false;
      await db.runs.update(runId, {
        state: end.state,
        release: end.release ?? null,
        error: end.error ?? null,
        finished_at: this.now(),
      });
      return true;
    });
  }

  /** Ends a run that no worker will take up again. */
  async giveUp(runId: string, error: NonNullable<RunEnd['error']>): Promise<void> {
    await this.database.transaction(async (db) => {
      if ((await unfinishedRun(db, runId)) === undefined) return;
      await db.runs.update(runId, { state: 'failed', error, finished_at: this.now() });
    });
  }

  /** A queued run is cancelled at once; a running one is asked to stop (`requested`). */
  cancel(runId: string): Promise<CancelOutcome> {
    return this.database.transaction(async (db) => {
      const run = await lockedRun(db, runId);
      if (run === undefined) return 'unknown';
      if (!isUnfinished(run)) return 'ended';
      if (run.state === 'queued') {
        await db.runs.update(runId, { state: 'cancelled', finished_at: this.now() });
        return 'cancelled';
      }
      await db.runs.update(runId, { cancel_requested_at: run.cancel_requested_at ?? this.now() });
      return 'requested';
    });
  }

  /** What a worker asks between steps. */
  async isCancelRequested(runId: string): Promise<boolean> {
    const run = await this.database.use((db) => db.runs.findOneBy({ run_id: runId }));
    return run !== null && run.cancel_requested_at !== null;
  }

  /** Ids of queued and running runs, oldest first. */
  async unfinished(): Promise<readonly string[]> {
    const rows = await this.database.use((db) =>
      db.runs.find({
        select: { run_id: true },
        where: [{ state: 'queued' }, { state: 'running' }],
        order: { run_id: 'ASC' },
        take: MOST_UNFINISHED,
      }),
    );
    return rows.map(({ run_id }) => run_id);
  }

  get(runId: string): Promise<RunView | undefined> {
    return this.database.use(async (db) => (await viewsOf(db, await db.runs.findBy({ run_id: runId })))[0]);
  }

  /** Newest first; `before` is a run id. */
  list({ limit, before }: { readonly limit: number; readonly before?: string }): Promise<readonly RunView[]> {
    return this.database.use(async (db) => {
      const query = db.runs.createQueryBuilder('run').orderBy('run.run_id', 'DESC').take(limit);
      if (before !== undefined) query.where('run.run_id < :before', { before });
      return viewsOf(db, await query.getMany());
    });
  }

  async isReachable(): Promise<boolean> {
    return this.database
      .use((db) => db.query('SELECT 1'))
      .then(
        () => true,
        () => false,
      );
  }

  close(): Promise<void> {
    return this.database.close();
  }

  private async insertRow(db: Tables, { runId, request, by }: NewRun): Promise<void> {
    await db.runs.insert({
      run_id: runId,
      state: 'queued',
      requested_by: by,
      request,
      as_of: request.as_of ?? null,
      created_at: this.now(),
      attempts: 0,
    });
  }

  /** The run that the key stands for: this one, unless an earlier one has it. Waits for others who are claiming it. */
  private async claimKey(db: Tables, { runId, request, by }: NewRun, key: string): Promise<string> {
    const expired = new Date(this.clock.nowMs() - DAY_MS);
    await db.query('DELETE FROM shopsmart.idempotency_key WHERE created_at <= $1', [expired]);
    // The same for the same request, in whatever order its fields came.
    const digest = digestOf(Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1)));
    const keyDigest = digestOf(key);
    await db.keys
      .createQueryBuilder()
      .insert()
      .values({ requested_by: by, key: keyDigest, digest, run_id: runId, created_at: this.now() })
      .orIgnore()
      .execute();
    const holder = one(await db.keys.findBy({ requested_by: by, key: keyDigest }));
    if (holder.digest === digest) return holder.run_id;
    throw new LakeError(
      'run.idempotency_mismatch',
      'invalid',
      `This Idempotency-Key came with another request within the last 24 hours (run ${holder.run_id}): send that request again, or take a new key.`,
      { at: { field: 'Idempotency-Key' } },
    );
  }

  private now(): Date {
    return new Date(this.clock.nowMs());
  }
}

async function lockedRun(db: Tables, runId: string): Promise<RunRow | undefined> {
  const run = await db.runs.findOne({ where: { run_id: runId }, lock: { mode: 'pessimistic_write' } });
  return run ?? undefined;
}

async function unfinishedRun(db: Tables, runId: string): Promise<RunRow | undefined> {
  const run = await lockedRun(db, runId);
  return run !== undefined && isUnfinished(run) ? run : undefined;
}

function isUnfinished({ state }: RunRow): boolean {
  return state === 'queued' || state === 'running';
}

async function viewsOf(db: Tables, runs: readonly RunRow[]): Promise<readonly RunView[]> {
  if (runs.length === 0) return [];
  const ids = runs.map(({ run_id }) => run_id);
  const stages = await db.stages.createQueryBuilder('stage').where('stage.run_id = ANY(:ids)', { ids }).getMany();
  return runs.map((run) =>
    toRunView(
      run,
      stages.filter(({ run_id }) => run_id === run.run_id),
    ),
  );
}

function one<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error('invariant broken: a row that was just written is there');
  return row;
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
