import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { Module, type DynamicModule } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { tellTrouble } from '#platform';
import { Dispatch } from '../jobs/dispatch.js';
import { queueProcessor } from '../jobs/queue-processor.js';
import type { WorkerServices } from '../services.js';
import { ExportWork } from './export-work.js';
import { PlanWork } from './plan-work.js';
import { Schedules } from './schedules.js';
import { VacuumWork } from './vacuum-work.js';

@Module({})
export class MaintenanceModule {
  static with({ settings, log, open, server }: WorkerServices): DynamicModule {
    const MaintenanceProcessor = queueProcessor('maintenance', server, log);
    const handlers = [new VacuumWork(settings, open), new ExportWork(settings, open), new PlanWork(settings, open)];
    const dispatch = new Dispatch('maintenance', handlers, log);
    return {
      module: MaintenanceModule,
      imports: [BullModule.registerQueue({ name: 'maintenance', ...server.queueOptions() })],
      providers: [
        { provide: MaintenanceProcessor, useFactory: () => new MaintenanceProcessor(dispatch) },
        {
          provide: Schedules,
          inject: [getQueueToken('maintenance')],
          useFactory: (queue: Queue) => new Schedules(tellTrouble(queue, log), log),
        },
      ],
    };
  }
}
