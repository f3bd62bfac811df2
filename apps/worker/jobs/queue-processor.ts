import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import type { BeforeApplicationShutdown, Type } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { Log, QueueName, QueueServer } from '#platform';
import type { Dispatch } from './dispatch.js';

/** Takes jobs from a queue and gives their outcome back; what is done with them is the dispatch's. */
abstract class QueueProcessor extends WorkerHost implements BeforeApplicationShutdown {
  constructor(
    private readonly dispatch: Dispatch,
    private readonly log: Log,
  ) {
    super();
  }

  override process(job: Job, token?: string): Promise<unknown> {
    return this.dispatch.take(job, token);
  }

  /** Without a listener the first lost connection would end the process. */
  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.log.warn({ reason: String(error) }, 'trouble with the queue');
  }

  @OnWorkerEvent('lockRenewalFailed')
  onLost(ids: readonly string[]): void {
    this.dispatch.lose(ids);
  }

  async beforeApplicationShutdown(): Promise<void> {
    // First this: a job that is handed on must not be taken right back.
    await this.worker.pause(true);
    this.dispatch.stop();
  }
}

export type QueueProcessorClass = Type<QueueProcessor> & (new (dispatch: Dispatch, log: Log) => QueueProcessor);

/** The processor of one queue. Made at boot, as its options depend on the server. */
export function queueProcessor(name: QueueName, server: QueueServer): QueueProcessorClass {
  const made = class extends QueueProcessor {};
  Processor({ name }, server.workerOptions())(made);
  return made;
}
