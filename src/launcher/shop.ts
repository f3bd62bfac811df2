import type { Secret, Settings } from '#platform';
import { NodeProgram, type RunningProgram } from './node-program.js';
import type { ShopLog } from './shop-log.js';
import { Supervised, type Patience, type Running, type Service } from './supervised.js';

export interface RunningPostgres extends Running {
  readonly url: Secret;
}

/** What `npm start` starts; a test starts other things. */
export interface Parts {
  /** Files of the programs. */
  readonly programs: Readonly<Record<'api' | 'worker', string>>;
  readonly postgres: (dataDir: string, log: ShopLog) => Promise<RunningPostgres>;
  readonly patience: Patience;
}

export interface ShopOptions {
  readonly settings: Settings;
  readonly port: number;
  readonly parts: Parts;
  readonly log: ShopLog;
  readonly onSpawn: (name: string, pid: number) => void;
}

/** A busy machine may need long to load them. */
const readyWithinMs = 60_000;

/** PostgreSQL (unless there is one by URL), worker and api, kept running. */
export class Shop {
  private postgres: Supervised<RunningPostgres> | undefined;
  private worker: Supervised<RunningProgram> | undefined;
  private api: Supervised<RunningProgram> | undefined;
  private databaseUrl: string | undefined;

  constructor(private readonly options: ShopOptions) {}

  /** Resolves with the address of the api when all serve. Rejects if one is given up; what runs then is to be stopped. */
  async start(): Promise<string> {
    const { settings, parts, log } = this.options;
    if (settings.databaseUrl === undefined) {
      const service = { name: 'postgres', start: () => parts.postgres(settings.data, log) };
      this.postgres = this.supervised(service, (running) => this.hasDatabase(running.url.reveal()));
      await this.postgres.first;
    }
    this.worker = this.supervised(this.program('worker', 20_000));
    this.api = this.supervised(this.program('api', 10_000));
    const [{ url }] = await Promise.all([this.api.first, this.worker.first]);
    return url ?? `http://${settings.host}:${this.options.port}`;
  }

  /** First what takes requests, then what works, last what both need. */
  async stop(): Promise<void> {
    await this.api?.stop();
    await this.worker?.stop();
    await this.postgres?.stop();
  }

  /** A new address reaches a program only by a new start. */
  private hasDatabase(url: string): void {
    const isMoved = this.databaseUrl !== undefined && this.databaseUrl !== url;
    this.databaseUrl = url;
    if (!isMoved) return;
    void this.worker?.restart();
    void this.api?.restart();
  }

  private supervised<R extends Running>(service: Service<R>, onUp?: (running: R) => void): Supervised<R> {
    return new Supervised(service, this.options.log, this.options.parts.patience, onUp);
  }

  private program(name: 'api' | 'worker', stopWithinMs: number): NodeProgram {
    const { port, parts, log, onSpawn } = this.options;
    return new NodeProgram({
      name,
      path: parts.programs[name],
      env: () => ({
        PORT: String(port),
        ...(this.databaseUrl === undefined ? {} : { DATABASE_URL: this.databaseUrl }),
      }),
      log,
      onSpawn: (pid) => onSpawn(name, pid),
      readyWithinMs,
      stopWithinMs,
    });
  }
}
