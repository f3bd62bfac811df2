import { Module, type DynamicModule } from '@nestjs/common';
import type { Log } from '#platform';
import { GraphqlModule } from './graphql/graphql.module.js';
import { HealthModule } from './health/health.module.js';
import { ProblemsModule } from './problems/problems.module.js';
import { ProductsModule } from './products/products.module.js';
import { QuarantineModule } from './quarantine/quarantine.module.js';
import { ReleasesModule } from './releases/releases.module.js';
import { RunsModule } from './runs/runs.module.js';
import { ServicesModule, type ApiServices } from './services.js';

/** The doors of the api, each a folder. */
@Module({})
export class ApiModule {
  static with(services: ApiServices, log: Log): DynamicModule {
    return {
      module: ApiModule,
      imports: [
        ServicesModule.with(services, log),
        HealthModule,
        ProblemsModule,
        ProductsModule,
        QuarantineModule,
        ReleasesModule,
        RunsModule,
        GraphqlModule,
      ],
    };
  }
}
