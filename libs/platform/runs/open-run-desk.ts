import { randomBytes } from 'node:crypto';
import type { Queue } from 'bullmq';
import { LakeError } from '#errors';
import { bornMs, isRunId, runIdFrom, type Clock } from '#releases';
import type { ObjectStore } from '#storage';
import type { Secret } from '../config/secret.js';
import type { Log } from '../log/log.js';
import { QueueHandle } from '../queue/queue-handle.js';
import { QueueServer } from '../queue/queue-server.js';
import { RunRecords } from '../records/run-records.js';
import { LakeRuns, publishedFields, publishedRunView } from './lake-runs.js';
import { PublishedRuns, type PublishedRun } from './published-runs.js';
import { enqueue } from './reenqueue.js';
import type { RunDesk, RunPage, RunRequest, RunView } from './run-desk.js';

export interface RunDeskOptions {
  readonly databaseUrl: Secret;
  readonly redisUrl: Secret | undefined;
  /** Of the lake. */
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Connects on first use; PostgreSQL and Redis may come later, go, and come back. */
export function openRunDesk({ databaseUrl, redisUrl, store, clock, log }: RunDeskOptions): RunDesk {
  const server = () => QueueServer.open({ databaseUrl, redisUrl, as: 'api' });
  return new RecordedRunDesk(
    RunRecords.open({ url: databaseUrl, clock, log }),
    new QueueHandle(async () => (await server()).openQueue('runs', log)),
    new LakeRuns(store, clock),
    new PublishedRuns(store),
    { clock, log },
  );
}

class RecordedRunDesk implements RunDesk {
  constructor(
    private readonly records: RunRecords,
    private readonly queue: QueueHandle,
    private readonly lakeRuns: LakeRuns,
    private readonly published: PublishedRuns,
    private readonly tools: { readonly clock: Clock; readonly log: Log },
  ) {}

  async request(request: RunRequest, by: string, idempotencyKey?: string): Promise<RunView> {
    const runId = runIdFrom(this.tools.clock.nowMs(), randomBytes(4).toString('hex'));
    const run = await this.records.insert({
      runId,
      request,
      by,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    });
    // The run is recorded, so it will be done: a worker queues what the queue did not take.
    if (run.state === 'queued') await this.tryQueue('queue', run.run_id, (queue) => enqueue(queue, run.run_id));
    return run;
  }

  async get(runId: string): Promise<RunView | undefined> {
    if (!isRunId(runId)) return undefined;
    const [recorded, published] = await Promise.all([this.records.get(runId), this.published.byRun(runId)]);
    return this.view(runId, recorded, published);
  }

  /** Each source gives its newest, so the newest of all are among them; only those of the page are read in full. */
  async list({ limit, before }: { readonly limit: number; readonly before?: string }): Promise<RunPage> {
    if (before !== undefined && !isRunId(before)) throw badCursor();
    const wanted = { limit: limit + 1, ...(before !== undefined && { before }) };
    const [recorded, published] = await Promise.all([this.records.list(wanted), this.published.list(wanted)]);
    const known = new Map(recorded.map((run) => [run.run_id, run]));
    const releases = new Map(published.map((run) => [run.run_id, run]));
    const both = newestFirst([...known.keys(), ...releases.keys()]);
    const inLake = await this.lakeRuns.ids({ after: both[limit], before });
    const ids = newestFirst([...both, ...inLake]).slice(0, limit + 1);
    const runs: RunView[] = [];
    for (const id of ids.slice(0, limit)) {
      const view = await this.view(id, known.get(id), releases.get(id));
      if (view !== undefined) runs.push(view);
    }
    return { runs, next: ids.length > limit ? (ids[limit - 1] ?? null) : null };
  }

  async report(runId: string): Promise<unknown> {
    const { state } = (await this.get(runId)) ?? {};
    // One that failed may have left the report of what it could not publish.
    const reported = state === 'published' || state === 'check_failed' || state === 'nothing_new';
    return reported ? this.lakeRuns.report(runId) : undefined;
  }

  async cancel(runId: string): Promise<RunView> {
    const outcome = isRunId(runId) ? await this.records.cancel(runId) : 'unknown';
    const run = await this.get(runId);
    if (run === undefined) throw notFound(runId);
    if (outcome === 'ended') throw hasEnded(run);
    if (outcome === 'unknown') throw run.state === 'running' ? ofCommandLine(run) : hasEnded(run);
    // A worker that meets the job all the same finds the run cancelled and does nothing.
    if (outcome === 'cancelled') await this.tryQueue('remove', runId, (queue) => queue.remove(runId));
    return run;
  }

  async health(): Promise<{ readonly records: boolean; readonly queue: boolean }> {
    const [records, queue] = await Promise.all([this.records.isReachable(), this.queue.isReachable()]);
    return { records, queue };
  }

  async close(): Promise<void> {
    await Promise.all([this.queue.close(), this.records.close()]);
  }

  private async view(
    runId: string,
    recorded: RunView | undefined,
    published: PublishedRun | undefined,
  ): Promise<RunView | undefined> {
    if (recorded !== undefined)
      return published === undefined ? recorded : { ...recorded, ...publishedFields(published) };
    if (published !== undefined) return publishedRunView(published, new Date(bornMs(runId)).toISOString());
    return this.lakeRuns.get(runId);
  }

  private async tryQueue(what: string, runId: string, work: (queue: Queue) => Promise<unknown>): Promise<void> {
    await this.queue
      .use(work)
      .catch((error: unknown) =>
        this.tools.log.warn(
          { run_id: runId, what, reason: String(error) },
          'the queue did not answer; a worker repairs it',
        ),
      );
  }
}

function newestFirst(ids: readonly string[]): readonly string[] {
  return [...new Set(ids)].sort((a, b) => (a < b ? 1 : -1));
}

function badCursor(): LakeError {
  const message = 'This is no place in the list of runs: pass the next of the page before, or begin without it.';
  return new LakeError('cursor-mismatch', 'invalid', message, { at: { field: 'cursor' } });
}

function notFound(runId: string): LakeError {
  return new LakeError('run.not_found', 'notFound', `There is no run ${runId}: list the runs.`);
}

function hasEnded({ run_id, state }: RunView): LakeError {
  return new LakeError('run.ended', 'conflict', `Run ${run_id} has ended (${state}): there is nothing to cancel.`);
}

function ofCommandLine({ run_id }: RunView): LakeError {
  return new LakeError(
    'run.of_command_line',
    'conflict',
    `Run ${run_id} was started by the command line: stop it there (Ctrl-C).`,
  );
}
