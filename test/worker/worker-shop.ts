import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openPlanDesk, openRelease, openRunDesk, QueueServer, readSettings, Secret, systemClock } from '#platform';
import type { PlanDesk, RunDesk, RunRequest, RunView, Settings } from '#platform';
import { ReleaseReader, type Release } from '#releases';
import { LocalStore } from '#storage';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
/** What tells two runs over the same input apart. */
const STAMPS = ['_processed_at', '_run_id', '_loaded_at', 'loaded_at', 'run_id'].map((name) => `'${name}'`).join(', ');
/** On a machine that others use too. */
const PATIENCE_MS = 50_000;

export interface Servers {
  readonly databaseUrl: string;
  readonly redisUrl?: string;
}

/** A lake with its records and queue, the doors to them, and workers in processes of their own. */
export class WorkerShop {
  readonly folder = mkdtempSync(join(tmpdir(), 'worker-'));
  readonly settings: Settings;
  readonly desk: RunDesk;
  readonly plans: PlanDesk;
  readonly server: Promise<QueueServer>;
  private readonly workers: ChildProcess[] = [];

  constructor(
    readonly landing: string,
    private readonly servers: Servers,
  ) {
    const option = (value: string) => ({ value, from: 'the test' });
    this.settings = readSettings(
      { SHOPSMART_LAKE: option('lake'), SHOPSMART_LANDING: option(landing), SHOPSMART_DATA: option('data') },
      this.folder,
    );
    const urls = {
      databaseUrl: new Secret(servers.databaseUrl),
      redisUrl: servers.redisUrl === undefined ? undefined : new Secret(servers.redisUrl),
    };
    const store = new LocalStore(this.settings.lake);
    this.desk = openRunDesk({ ...urls, store, clock: systemClock, log: quiet });
    this.plans = openPlanDesk({ ...urls, clock: systemClock, log: quiet });
    this.server = QueueServer.open({ ...urls, as: 'api' });
  }

  /** Ready to take jobs. */
  async work(): Promise<ChildProcess> {
    const worker = this.spawn('testing/quick-worker.js', {
      DATABASE_URL: this.servers.databaseUrl,
      ...(this.servers.redisUrl === undefined ? {} : { REDIS_URL: this.servers.redisUrl }),
    });
    this.workers.push(worker);
    const said = await Promise.race([once(worker, 'message'), once(worker, 'exit')]);
    expect(said[0]).toEqual({ kind: 'ready' });
    return worker;
  }

  spawn(program: string, env: Readonly<Record<string, string>>): ChildProcess {
    const { lake, landing, data } = this.settings;
    const ours = Object.entries(process.env).filter(([name]) => !/^(SHOPSMART_|NODE_OPTIONS$|.*_URL$)/.test(name));
    return spawn(process.execPath, [resolve('dist/apps/worker', program)], {
      cwd: this.folder,
      env: {
        ...Object.fromEntries(ours),
        SHOPSMART_LAKE: lake,
        SHOPSMART_LANDING: landing,
        SHOPSMART_DATA: data,
        SHOPSMART_MEMORY_LIMIT: '512MB',
        LOG_LEVEL: 'error',
        ...env,
      },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
  }

  request(run: RunRequest): Promise<RunView> {
    return this.desk.request(run, 'local');
  }

  async until(runId: string, isSo: (run: RunView) => boolean): Promise<RunView> {
    return eventually(async () => {
      const run = await this.desk.get(runId);
      return run !== undefined && isSo(run) ? run : undefined;
    });
  }

  ended(runId: string): Promise<RunView> {
    return this.until(runId, ({ state }) => state !== 'queued' && state !== 'running');
  }

  /** Steps that the run has in its journal, as their files are called. */
  steps(): readonly string[] {
    try {
      return readdirSync(join(this.settings.data, 'work/runs'), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\/steps\//.test(path) && !path.endsWith('.draft'))
        .map((path) => decodeURIComponent(path.split('/').at(-1) ?? ''));
    } catch {
      return [];
    }
  }

  hasRelease(number: number): boolean {
    return existsSync(join(this.settings.lake, '_releases', `${String(number).padStart(20, '0')}.json`));
  }

  releases(): Promise<readonly Release[]> {
    return new ReleaseReader(new LocalStore(this.settings.lake)).after(0);
  }

  /** How many rows each table of the newest release has, and a sum over them. */
  async content(): Promise<Readonly<Record<string, unknown>>> {
    const opened = await openRelease(this.settings);
    const { engine, relations } = opened;
    const content: Record<string, unknown> = {};
    for (const relation of relations) {
      const rows = `SELECT COLUMNS(c -> c NOT IN (${STAMPS})) FROM ${relation}`;
      [content[relation]] = await engine.query(
        `SELECT count(*) AS rows, CAST(sum(CAST(hash(t) AS HUGEINT)) AS VARCHAR) AS sum FROM (${rows}) t`,
      );
    }
    await opened.close();
    return content;
  }

  async remove(): Promise<void> {
    for (const worker of this.workers) await killed(worker);
    await Promise.all([this.desk.close(), this.plans.close()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function killed(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}

/** Asks again until there is an answer. */
export async function eventually<T>(ask: () => T | undefined | Promise<T | undefined>, everyMs = 50): Promise<T> {
  for (const untilMs = Date.now() + PATIENCE_MS; Date.now() < untilMs; await setTimeout(everyMs)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Error(`waited for ${PATIENCE_MS} ms`);
}
