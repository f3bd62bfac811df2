import { Module } from '@nestjs/common';
import { API_SERVICES, type ApiServices } from '../services.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';

@Module({
  controllers: [HealthController],
  providers: [
    {
      provide: Readiness,
      inject: [API_SERVICES],
      useFactory: ({ answers, runs }: ApiServices) => new Readiness(answers, runs),
    },
  ],
})
export class HealthModule {}
