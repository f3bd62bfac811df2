import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Job } from 'bullmq';
import { LakeError } from '#errors';
import { isRunId, runIdFrom, type Clock } from '#releases';
import type { Log } from '../log/log.js';
import { QueueHandle } from '../queue/queue-handle.js';
import { QueueServer, type QueueServerOptions } from '../queue/queue-server.js';
import type { RunRequest } from './run-desk.js';

/** What the job comes to: the plan as JSON, or why there is none. */
export type PlanEnd =
  { readonly plan: string } | { readonly error: { readonly code: string; readonly message: string } };

export interface PlanView {
  readonly plan_id: string;
  readonly state: 'waiting' | 'planned' | 'failed';
  readonly request: RunRequest;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** JSON; null unless planned. */
  readonly plan: string | null;
}

/** Where plans are asked for and fetched. A plan is kept for an hour. Everything throws `queue.unavailable`. */
export interface PlanDesk {
  /** Queues a plan and waits for it, at most so long; what it then is may still be waiting. */
  request(request: RunRequest, waitMs: number): Promise<PlanView>;
  get(planId: string): Promise<PlanView | undefined>;
  close(): Promise<void>;
}

const LOOK_EVERY_MS = 200;
/** Plans are worth nothing later: neither kept nor tried for long. */
const jobOptions = {
  attempts: 3,
  removeOnComplete: { age: 3600, count: 100 },
  removeOnFail: { age: 3600, count: 100 },
};

export interface PlanDeskOptions extends Pick<QueueServerOptions, 'databaseUrl' | 'redisUrl'> {
  readonly clock: Clock;
  readonly log: Log;
}

export function openPlanDesk({ databaseUrl, redisUrl, clock, log }: PlanDeskOptions): PlanDesk {
  const server = () => QueueServer.open({ databaseUrl, redisUrl, as: 'api' });
  return new QueuedPlanDesk(new QueueHandle(async () => (await server()).openQueue('maintenance', log)), clock);
}

class QueuedPlanDesk implements PlanDesk {
  constructor(
    private readonly queue: QueueHandle,
    private readonly clock: Clock,
  ) {}

  async request(request: RunRequest, waitMs: number): Promise<PlanView> {
    const nowMs = this.clock.nowMs();
    const jobId = runIdFrom(nowMs, randomBytes(4).toString('hex'));
    await this.#use((queue) => queue.add('plan', request, { ...jobOptions, jobId }));
    for (;;) {
      const view = (await this.get(jobId)) ?? waiting(jobId, request);
      if (view.state !== 'waiting' || this.clock.nowMs() - nowMs >= waitMs) return view;
      await setTimeout(LOOK_EVERY_MS);
    }
  }

  async get(planId: string): Promise<PlanView | undefined> {
    if (!isRunId(planId)) return undefined;
    return this.#use(async (queue) => {
      const job = (await queue.getJob(planId)) as Job<RunRequest, PlanEnd> | undefined;
      if (job?.name !== 'plan') return undefined;
      const state = await job.getState();
      const view = waiting(planId, job.data);
      if (state === 'failed') {
        const message = 'No worker could make this plan; the log of the worker says why. Ask again.';
        return { ...view, state: 'failed', error: { code: 'internal', message } };
      }
      if (state !== 'completed') return view;
      // It may have ended between the two questions.
      const end = job.returnvalue ?? ((await queue.getJob(planId)) as typeof job | undefined)?.returnvalue;
      if (end === undefined || end === null) return view;
      return 'plan' in end
        ? { ...view, state: 'planned', plan: end.plan }
        : { ...view, state: 'failed', error: end.error };
    });
  }

  close(): Promise<void> {
    return this.queue.close();
  }

  async #use<T>(work: Parameters<typeof this.queue.use<T>>[0]): Promise<T> {
    try {
      return await this.queue.use(work);
    } catch (cause) {
      const message = 'The queue of the workers cannot be reached; try again when it is back.';
      throw new LakeError('queue.unavailable', 'unavailable', message, { cause });
    }
  }
}

function waiting(plan_id: string, request: RunRequest): PlanView {
  return { plan_id, state: 'waiting', request, error: null, plan: null };
}
