import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { Module, type DynamicModule } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { tellTrouble } from '#platform';
import { Dispatch } from '../jobs/dispatch.js';
import { queueProcessor } from '../jobs/queue-processor.js';
import type { WorkerServices } from '../services.js';
import { Reconciler } from './reconciler.js';
import { RunWork } from './run-work.js';

@Module({})
export class RunsModule {
  static with({ settings, log, open, records, server }: WorkerServices): DynamicModule {
    const RunProcessor = queueProcessor('runs', server, log);
    const dispatch = new Dispatch('runs', [new RunWork({ settings, open, records, log })], log);
    return {
      module: RunsModule,
      imports: [BullModule.registerQueue({ name: 'runs', ...server.queueOptions() })],
      providers: [
        { provide: RunProcessor, useFactory: () => new RunProcessor(dispatch) },
        {
          provide: Reconciler,
          inject: [getQueueToken('runs')],
          useFactory: (queue: Queue) => new Reconciler(records, tellTrouble(queue, log), settings.data, log),
        },
      ],
    };
  }
}
