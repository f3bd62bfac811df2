import { WaitingError, type Job } from 'bullmq';
import { LakeError } from '#errors';
import { forQueue, jobNames, type JobName, type Log, type QueueName } from '#platform';

/** Does the jobs of one name. */
export interface JobHandler {
  readonly name: JobName;
  /** Stops at the signal by throwing; its result is kept with the job. */
  handle(job: Job, signal: AbortSignal): Promise<unknown>;
}

/** Why a job is told to stop though nobody cancelled it: another process goes on with it. */
function handedOn(why: string): LakeError {
  return new LakeError('worker.handed_on', 'unavailable', `${why}; another worker goes on with the job`);
}

/** Hands a queue's jobs to their handlers, and what these throw to the queue. */
export class Dispatch {
  readonly #handlers: ReadonlyMap<string, JobHandler>;
  readonly #running = new Map<string, AbortController>();

  /** Throws unless each job name of the queue has exactly one handler, and no other name has any. */
  constructor(
    queue: QueueName,
    handlers: readonly JobHandler[],
    private readonly log: Log,
  ) {
    const given = handlers.map(({ name }) => name).sort();
    const wanted: readonly JobName[] = [...jobNames[queue]].sort();
    if (given.join() !== wanted.join())
      throw new Error(`the queue ${queue} needs one handler each of ${wanted.join(', ')}; it has ${given.join(', ')}`);
    this.#handlers = new Map(handlers.map((handler) => [handler.name, handler]));
  }

  async take(job: Job, token: string | undefined): Promise<unknown> {
    const stop = new AbortController();
    const id = job.id ?? '';
    const about = { job: job.name, job_id: id };
    this.#running.set(id, stop);
    try {
      const handler = this.#handlers.get(job.name);
      if (handler === undefined) throw new LakeError('worker.unknown_job', 'invalid', `There is no job ${job.name}.`);
      return await handler.handle(job, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) {
        this.log.info(about, 'job handed on');
        // It may be another's already, or the queue away: then it is found to be lost.
        await job.moveToWait(token).catch(() => undefined);
        throw new WaitingError();
      }
      this.log.warn({ ...about, reason: reasonOf(error) }, 'job failed');
      throw forQueue(error);
    } finally {
      this.#running.delete(id);
    }
  }

  /** The process ends. */
  stop(): void {
    for (const running of this.#running.values()) running.abort(handedOn('this worker ends'));
  }

  /** This process was silent for so long that the queue gave the jobs to others. */
  lose(ids: readonly string[]): void {
    for (const id of ids) this.#running.get(id)?.abort(handedOn('this worker was silent for too long'));
  }
}

/** A mistake of ours is told with its place. */
function reasonOf(error: unknown): string {
  return error instanceof LakeError ? `${error.code}: ${error.message}` : String((error as Error).stack ?? error);
}
