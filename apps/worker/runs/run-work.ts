import { hostname } from 'node:os';
import type { Job } from 'bullmq';
import { LakeError } from '#errors';
import {
  repairsOfRun,
  RunFolder,
  runShop,
  systemClock,
  today,
  willRetry,
  type BegunRun,
  type Log,
  type OpenLake,
  type RunEnd,
  type RunJob,
  type RunRecords,
  type Settings,
} from '#platform';
import { endRun } from '#releases';
import type { RunResult } from '#pipeline';
import type { JobHandler } from '../jobs/dispatch.js';
import { CancelWatch } from './cancel-watch.js';
import { StageWriter } from './stage-writer.js';

export interface RunWorkParts {
  readonly settings: Settings;
  readonly open: OpenLake;
  readonly records: RunRecords;
  readonly log: Log;
}

/** Does a queued run: from its record to its record, by way of the pipeline. */
export class RunWork implements JobHandler {
  readonly name = 'run';

  constructor(private readonly parts: RunWorkParts) {}

  async handle(job: Job<RunJob>, signal: AbortSignal): Promise<RunEnd['state'] | 'nothing_to_do'> {
    const { records, settings, log } = this.parts;
    const worker = `${hostname()}:${process.pid}`;
    const run = await records.begin(job.data.run_id, { worker, today: today() });
    if (run === undefined) return 'nothing_to_do';
    log.info({ run_id: run.runId, attempt: run.attempt, as_of: run.asOf }, 'run begun');
    const folder = await RunFolder.take(settings.data, run.runId);
    const cancel = new CancelWatch(run.runId, () => records.isCancelRequested(run.runId));
    const stages = new StageWriter(systemClock, (view) => records.stage(run, view));
    try {
      const end = endOf(await this.#run(run, folder, stages, AbortSignal.any([signal, cancel.signal])));
      await stages.close('ended');
      return await this.#end(run, folder, end);
    } catch (error) {
      await stages.close('failed');
      if (cancel.signal.aborted && !signal.aborted) return await this.#end(run, folder, { state: 'cancelled' });
      if (signal.aborted || willRetry(job, error)) {
        // Whoever takes the run up says all this again, so it may fail.
        await records.wait(run, signal.aborted ? undefined : told(error)).catch(() => undefined);
      } else await this.#end(run, folder, { state: 'failed', error: told(error) });
      throw error;
    } finally {
      cancel.end();
    }
  }

  async #end(run: BegunRun, folder: RunFolder, end: RunEnd): Promise<RunEnd['state']> {
    const { records, open, log } = this.parts;
    // The pipeline leaves the lake's own record of a run that may go on.
    if (end.state === 'failed' && (await folder.isOurs()))
      await endRun(open.lake.store, systemClock, run.runId, 'unpublished').catch(() => undefined);
    await records.end(run, end);
    log.info({ run_id: run.runId, ...end }, 'run ended');
    await folder.remove();
    return end.state;
  }

  async #run(run: BegunRun, journal: RunFolder, stages: StageWriter, signal: AbortSignal): Promise<RunResult> {
    const { settings, open, log } = this.parts;
    const { full = false, tables = [] } = run.request;
    const repairing = await repairsOfRun(settings, open, run.request, run.by);
    return runShop(settings, open, {
      runId: run.runId,
      asOf: run.asOf,
      full,
      tables,
      ...(repairing === undefined ? {} : { repairing }),
      journal,
      onProgress: (event) => {
        if (event.kind === 'message') log.info({ run_id: run.runId }, event.text);
        stages.tell(event);
      },
      signal,
    });
  }
}

function endOf({ outcome, report }: RunResult): RunEnd {
  return outcome === 'published' && report.release !== null
    ? { state: outcome, release: report.release }
    : { state: outcome };
}

function told(error: unknown): NonNullable<RunEnd['error']> {
  if (error instanceof LakeError) return { code: error.code, message: error.message };
  return { code: 'internal', message: 'The run met a mistake of ours; the log of the worker has it.' };
}
