import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Log, RunDesk } from '#platform';
import { createApi } from '../create-api.js';
import { noRunDesk } from '../runs/no-run-desk.js';
import type { DemoLake } from './demo-lake.js';

/** Keeps what was logged. */
export class HeardLog implements Log {
  readonly errors: unknown[] = [];
  readonly debug = (): void => undefined;
  readonly info = (): void => undefined;
  readonly warn = (): void => undefined;
  readonly error = (...entry: unknown[]): void => void this.errors.push(entry);
}

/** The api over a demo lake, without a port. */
export function apiOver(
  shop: DemoLake,
  { runs = noRunDesk, log = new HeardLog() }: { readonly runs?: RunDesk; readonly log?: Log } = {},
): Promise<NestFastifyApplication> {
  return createApi({ catalogue: shop.catalogue, answers: shop.answers, runs }, { publicUrl: undefined, log });
}
