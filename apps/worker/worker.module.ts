import { BullModule } from '@nestjs/bullmq';
import { Module, type DynamicModule } from '@nestjs/common';
import { MaintenanceModule } from './maintenance/maintenance.module.js';
import { RunsModule } from './runs/runs.module.js';
import type { WorkerServices } from './services.js';

/** What the worker does, each a folder. */
@Module({})
export class WorkerModule {
  static with(services: WorkerServices): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        BullModule.forRoot({ connection: services.server.connection }),
        RunsModule.with(services),
        MaintenanceModule.with(services),
      ],
    };
  }
}
