import type { Queue } from 'bullmq';
import type { RunRecords } from '../records/run-records.js';
import type { RunJob } from '../queue/queue-server.js';

/** Queues a run by its id: a second time changes nothing. */
export async function enqueue(queue: Queue, runId: string): Promise<void> {
  await queue.add('run', { run_id: runId } satisfies RunJob, { jobId: runId });
}

/**
 * Repairs what a crash, or a queue that was emptied, left between records and queue; for a worker to call at its start
 * and every minute or so. Recorded runs without a job are queued; those whose job failed for good are ended. Gives the
 * ids of the runs it queued.
 */
export async function reenqueueLost(records: RunRecords, queue: Queue): Promise<readonly string[]> {
  const queued: string[] = [];
  for (const runId of await records.unfinished()) {
    const job = await queue.getJob(runId);
    if (job === undefined) {
      await enqueue(queue, runId);
      queued.push(runId);
      continue;
    }
    const state = await job.getState();
    if (state !== 'failed' && state !== 'completed') continue;
    const reason = job.failedReason ?? 'its job ended without saying how';
    await records.giveUp(runId, { code: 'run.given_up', message: `No worker could end this run: ${reason}` });
  }
  return queued;
}
