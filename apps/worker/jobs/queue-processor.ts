import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import type { BeforeApplicationShutdown, Type } from '@nestjs/common';
import type { Job } from 'bullmq';
import { troubleTeller, type Log, type QueueName, type QueueServer } from '#platform';
import type { Dispatch } from './dispatch.js';

/** Takes jobs from a queue and gives their outcome back; what is done with them is the dispatch's. */
abstract class QueueProcessor extends WorkerHost implements BeforeApplicationShutdown {
  constructor(
    private readonly dispatch: Dispatch,
    private readonly tell: (error: Error) => void,
  ) {
    super();
  }

  override process(job: Job, token?: string): Promise<unknown> {
    return this.dispatch.take(job, token);
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.tell(error);
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

export type QueueProcessorClass = Type<QueueProcessor> & (new (dispatch: Dispatch) => QueueProcessor);

/** The processor of one queue. Made at boot, as its options depend on the server. */
export function queueProcessor(name: QueueName, server: QueueServer, log: Log): QueueProcessorClass {
  const made = class extends QueueProcessor {
    constructor(dispatch: Dispatch) {
      super(dispatch, troubleTeller(name, log));
    }
  };
  Processor({ name }, server.workerOptions())(made);
  return made;
}
