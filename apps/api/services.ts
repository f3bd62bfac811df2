import type { Catalogue } from '#contracts';
import type { RunDesk } from '#platform';
import type { Answers } from '#serving';

/** All that the api's doors ask. Whoever starts the api makes them; a test gives its own. */
export interface ApiServices {
  readonly catalogue: Catalogue;
  readonly answers: Answers;
  readonly runs: RunDesk;
}

export const API_SERVICES = Symbol('ApiServices');
