import type { Job } from 'bullmq';
import { LakeError } from '#errors';
import {
  figuresJson,
  newRunId,
  planShop,
  today,
  type OpenLake,
  type PlanEnd,
  type RunRequest,
  type Settings,
} from '#platform';
import type { JobHandler } from '../jobs/dispatch.js';

/** Says what a run would do; the plan is kept with the job. */
export class PlanWork implements JobHandler {
  readonly name = 'plan';

  constructor(
    private readonly settings: Settings,
    private readonly open: OpenLake,
  ) {}

  async handle(job: Job<RunRequest>, signal: AbortSignal): Promise<PlanEnd> {
    const { as_of: asOf = today(), full = false, tables = [] } = job.data;
    const choices = { runId: newRunId(), asOf, full, tables, onProgress: () => undefined, signal };
    try {
      return { plan: figuresJson(await planShop(this.settings, this.open, choices)) };
    } catch (error) {
      // What a run would end with is the answer; what may be over soon is tried again.
      if (!(error instanceof LakeError) || error.kind === 'unavailable' || signal.aborted) throw error;
      return { error: { code: error.code, message: error.message } };
    }
  }
}
