import { setTimeout } from 'node:timers/promises';
import { DataSource, type EntityManager } from 'typeorm';
import { LakeError } from '#errors';
import type { Secret } from '../config/secret.js';
import type { Log } from '../log/log.js';
import { idempotencyEntity, runEntity, SCHEMA, stageEntity } from './entity.js';
import { migrations } from './migration.js';

/** One for all processes of ours on a database; spells SHOP. */
const MIGRATION_LOCK = 0x53484f50;
const CONNECT_WITHIN_MS = 2_000;
const ANSWER_WITHIN_MS = 10_000;
/** Small: a page of runs takes one, and PostgreSQL's hundred are shared with the queue. */
const CONNECTIONS = 5;

/** PostgreSQL that may come and go: connects on first use, and again after it was away. */
export class Database {
  #source: Promise<DataSource> | undefined;
  #closed = false;

  constructor(
    private readonly url: Secret,
    private readonly log: Log,
  ) {}

  /** All of `work` or nothing. Throws `records.unavailable` when PostgreSQL cannot be reached or goes away. */
  transaction<T>(work: (db: EntityManager) => Promise<T>): Promise<T> {
    return this.run((source) => source.transaction(work));
  }

  /** Single statements, each for itself. */
  use<T>(work: (db: EntityManager) => Promise<T>): Promise<T> {
    return this.run((source) => work(source.manager));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const source = await this.#source?.catch(() => undefined);
    await source?.destroy().catch(() => undefined);
  }

  private async run<T>(work: (source: DataSource) => Promise<T>): Promise<T> {
    try {
      return await work(await this.source());
    } catch (error) {
      throw isConnectionLoss(error) ? unavailable(error) : error;
    }
  }

  private source(): Promise<DataSource> {
    if (this.#closed) return Promise.reject(unavailable(new Error('the records are closed')));
    if (this.#source !== undefined) return this.#source;
    const opening = this.open();
    this.#source = opening;
    opening.catch(() => {
      if (this.#source === opening) this.#source = undefined;
    });
    return opening;
  }

  private async open(): Promise<DataSource> {
    const source = new DataSource({
      type: 'postgres',
      url: this.url.reveal(),
      applicationName: 'shopsmart records',
      schema: SCHEMA,
      entities: [runEntity, stageEntity, idempotencyEntity],
      migrations,
      // An idle connection that breaks is no reason to end the process; the next call makes another.
      poolErrorHandler: (error: unknown) => this.log.warn({ reason: String(error) }, 'lost a connection to PostgreSQL'),
      extra: {
        max: CONNECTIONS,
        connectionTimeoutMillis: CONNECT_WITHIN_MS,
        query_timeout: ANSWER_WITHIN_MS,
        keepAlive: true,
      },
    });
    try {
      await source.initialize();
      await migrate(source);
      return source;
    } catch (error) {
      if (source.isInitialized) await source.destroy().catch(() => undefined);
      throw unavailable(error);
    }
  }
}

/** Api and worker start at the same time: one migrates, the other waits. */
async function migrate(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    await runner.connect();
    while (!(await tryLock(runner))) await setTimeout(100);
    try {
      await runner.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
      await source.runMigrations({ transaction: 'each' });
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await runner.release();
  }
}

async function tryLock(runner: { query(sql: string, values: readonly unknown[]): Promise<unknown> }): Promise<boolean> {
  const rows = (await runner.query('SELECT pg_try_advisory_lock($1) AS got', [MIGRATION_LOCK])) as { got: boolean }[];
  return rows[0]?.got === true;
}

function unavailable(cause: unknown): LakeError {
  return new LakeError(
    'records.unavailable',
    'unavailable',
    `PostgreSQL, which keeps the records of runs, cannot be used: ${reasonOf(cause)}. It is tried again at the next request: see that it runs, and that DATABASE_URL is right if that is set.`,
    { cause },
  );
}

/** Node gives one error for all addresses of a host, without a message. */
function reasonOf(cause: unknown): string {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  return typeof message === 'string' && message !== '' ? message : String(code);
}

/** SQLSTATE classes 08 and 57P: connection lost, server stops or starts; 53300: it has no connection left. */
const LOST = /^(08\w{3}|57P0\d|53300|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

function isConnectionLoss(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && LOST.test(code)) return true;
  return (
    typeof message === 'string' &&
    /connection terminated|connection timeout|timeout exceeded when trying to connect|query read timeout|not queryable|client was closed|query runner already released|ECONNREFUSED/i.test(
      message,
    )
  );
}
