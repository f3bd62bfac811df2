import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DuckDbEngine } from '#engine';
import type { Log } from '#platform';
import { shopCatalogue } from '#products';
import type { Lake } from '#releases';
import { Answers } from '#serving';
import { LocalStore } from '#storage';
import type { Caller } from '../edge/caller.js';
import { createApi } from '../create-api.js';
import { ReleaseDiffs } from '../releases/release-diffs.js';
import type { ApiServices } from '../services.js';
import { testClock } from './demo-lake.js';
import { FakePlanDesk } from './fake-plan-desk.js';
import { FakeRunDesk } from './fake-run-desk.js';

/** Keeps what was logged as an error. */
export class HeardLog implements Log {
  readonly errors: unknown[] = [];
  readonly debug = (): void => undefined;
  readonly info = (): void => undefined;
  readonly warn = (): void => undefined;
  readonly error = (...entry: unknown[]): void => void this.errors.push(entry);
}

interface TestApi extends Partial<Pick<ApiServices, 'runs' | 'quarantine' | 'plans'>> {
  readonly log?: Log;
  readonly caller?: Caller;
}

/** The api over a lake, without a port. */
export function apiOver(
  { catalogue, answers, lake }: Pick<ApiServices, 'catalogue' | 'answers'> & { readonly lake: Lake },
  {
    runs = new FakeRunDesk(),
    quarantine = noQuarantine,
    plans = new FakePlanDesk(),
    log = new HeardLog(),
    caller,
  }: TestApi = {},
): Promise<NestFastifyApplication> {
  const options = { publicUrl: 'https://data.example.com', log, ...(caller === undefined ? {} : { caller }) };
  const diffs = new ReleaseDiffs({ catalogue, lake, openEngine: () => DuckDbEngine.open({ workDir: lake.cacheDir }) });
  return createApi({ catalogue, answers, runs, diffs, quarantine, plans }, options);
}

/** For tests of other doors. */
const noQuarantine: ApiServices['quarantine'] = {
  use: () => Promise.reject(new Error('the test has no quarantine')),
  plan: () => Promise.reject(new Error('the test has no quarantine')),
};

/** A lake without a release. */
export async function emptyLake() {
  const folder = await mkdtemp(join(tmpdir(), 'empty-'));
  const store = new LocalStore(join(folder, 'lake'));
  const lake: Lake = { store, parquet: NO_CHECKPOINTS, cacheDir: join(folder, 'cache') };
  const answers = await Answers.open({
    tables: shopCatalogue(),
    lake,
    clock: testClock,
    cursorSecret: 'of-the-tests',
    cacheDir: join(folder, 'cache/serving'),
    workDir: join(folder, 'work'),
    memoryLimitBytes: 512e6,
    threads: 1,
  });
  const remove = async () => {
    await answers.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { catalogue: shopCatalogue(), answers, lake, remove };
}

const NO_CHECKPOINTS = {
  readCheckpoint: () => Promise.reject(new Error('there is no checkpoint')),
  writeCheckpoint: () => Promise.reject(new Error('there is no checkpoint')),
};
