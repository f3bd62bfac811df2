import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Catalogue } from '#contracts';
import type { Log, PlanDesk, QuarantineDesk, RunDesk } from '#platform';
import { AnswerCache, type Answers } from '#serving';
import type { ReleaseDiffs } from './releases/release-diffs.js';

/** All that the api's doors ask. Whoever starts the api makes them; a test gives its own. */
export interface ApiServices {
  readonly catalogue: Catalogue;
  readonly answers: Answers;
  readonly runs: RunDesk;
  readonly diffs: ReleaseDiffs;
  readonly quarantine: Pick<QuarantineDesk, 'use' | 'plan'>;
  readonly plans: PlanDesk;
}

export const API_SERVICES = Symbol('ApiServices');
export const API_LOG = Symbol('Log');

/** Answers that were given lately, of all doors together. */
const CACHE_BYTES = 64e6;

/** Gives the services to every door, and a cache that they share. */
@Global()
@Module({})
export class ServicesModule {
  static with(services: ApiServices, log: Log): DynamicModule {
    return {
      module: ServicesModule,
      providers: [
        { provide: API_SERVICES, useValue: services },
        { provide: API_LOG, useValue: log },
        { provide: AnswerCache, useFactory: () => new AnswerCache(CACHE_BYTES) },
      ],
      exports: [API_SERVICES, API_LOG, AnswerCache],
    };
  }
}
