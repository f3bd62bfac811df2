import { setTimeout } from 'node:timers/promises';
import type * as BullMq from 'bullmq';
import type {
  ConnectionOptions,
  createRedisBackend,
  Processor,
  Queue,
  QueueOptions,
  Worker,
  WorkerOptions,
} from 'bullmq';
import type { Secret } from '../config/secret.js';
import type { Log } from '../log/log.js';
import { jobOptions, retryDelayMs } from './retry.js';
import { tellTrouble } from './tell-trouble.js';

/** `runs`: one job a run, its id the run's. `maintenance`: vacuum, exports and the like. */
export type QueueName = 'runs' | 'maintenance';

/** The whole job: the run's record holds what is asked. */
export interface RunJob {
  readonly run_id: string;
}

export interface QueueServerOptions {
  readonly databaseUrl: Secret;
  /** Undefined: queues are kept in PostgreSQL. */
  readonly redisUrl: Secret | undefined;
  /**
   * Who asks: somebody who waits for an answer (`api`), so that a server that is down is told within seconds; or a
   * worker, which waits until it is back.
   */
  readonly as: 'api' | 'worker';
  /** A worker that is silent for this long has lost its job, which another takes up in about as long again. */
  readonly silenceMs?: number;
}

const SILENCE_MS = 12_000;
/** Workers that may die under a job before it is held to kill them. */
const MOST_DEATHS = 5;
export const ANSWER_WITHIN_MS = 2_000;
const RECONNECT_AT_MOST_MS = 2_000;
const CONNECTIONS = 4;

/** Where the queues are: one server for all queues of a process. */
export class QueueServer {
  readonly kind: 'postgres' | 'redis';
  /** For `BullModule.forRoot({ connection })`, after `useInNest`. */
  readonly connection: ConnectionOptions;
  readonly #factory: typeof createRedisBackend;
  readonly #silenceMs: number;

  private constructor(
    private readonly bullmq: typeof BullMq,
    { databaseUrl, redisUrl, as, silenceMs = SILENCE_MS }: QueueServerOptions,
  ) {
    this.#silenceMs = silenceMs;
    this.kind = redisUrl === undefined ? 'postgres' : 'redis';
    // The types of BullMQ's classes name Redis; they hand options and calls on as they are.
    const postgres = bullmq.createPostgresBackend as unknown as typeof createRedisBackend;
    this.#factory = this.kind === 'redis' ? bullmq.createRedisBackend : postgres;
    this.connection = redisUrl === undefined ? postgresOptions(databaseUrl) : redisOptions(redisUrl, as);
  }

  /** Connects to nothing yet. BullMQ is loaded by those who use it: commands that need no queue stay quick. */
  static async open(options: QueueServerOptions): Promise<QueueServer> {
    return new QueueServer(await import('bullmq'), options);
  }

  /**
   * Waits until the server answers: for a worker, before it opens anything. BullMQ never tries again when the first
   * connection to PostgreSQL failed; one that was lost later it replaces.
   */
  async untilReady(log: Log): Promise<void> {
    for (;;) {
      const queue = this.openQueue('runs', log);
      try {
        return await queue.waitUntilReady();
      } catch {
        await setTimeout(RECONNECT_AT_MOST_MS);
      } finally {
        await queue.close().catch(() => undefined);
      }
    }
  }

  /** Nest makes queues and workers by BullMQ's default: call this before Nest starts. */
  useInNest(): void {
    this.bullmq.setDefaultBackendFactory(this.#factory);
  }

  queueOptions(): QueueOptions {
    return { connection: this.connection, defaultJobOptions: jobOptions };
  }

  /** For `@Processor({ name: 'runs' }, …)` too. */
  workerOptions(): WorkerOptions {
    return {
      connection: this.connection,
      concurrency: 1,
      lockDuration: this.#silenceMs,
      stalledInterval: this.#silenceMs,
      maxStalledCount: MOST_DEATHS,
      settings: { backoffStrategy: retryDelayMs },
    };
  }

  openQueue(name: QueueName, log: Log): Queue {
    return tellTrouble(new this.bullmq.Queue(name, this.queueOptions(), this.#factory), log);
  }

  openWorker<T>(name: QueueName, processor: Processor<T>, log: Log): Worker<T> {
    return tellTrouble(new this.bullmq.Worker<T>(name, processor, this.workerOptions(), this.#factory), log);
  }
}

function postgresOptions(url: Secret): ConnectionOptions {
  const options = {
    connectionString: url.reveal(),
    migrate: true,
    max: CONNECTIONS,
    application_name: 'shopsmart queue',
    connectionTimeoutMillis: ANSWER_WITHIN_MS,
    keepAlive: true,
  };
  return options;
}

function redisOptions(url: Secret, as: 'api' | 'worker'): ConnectionOptions {
  const impatient = { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: ANSWER_WITHIN_MS };
  return {
    url: url.reveal(),
    connectTimeout: ANSWER_WITHIN_MS,
    retryStrategy: (times) => Math.min(times * 100, RECONNECT_AT_MOST_MS),
    ...(as === 'api' && impatient),
  };
}
