import { setTimeout } from 'node:timers/promises';
import { DataSource, type EntityManager, type Repository } from 'typeorm';
import type { Secret } from '../config/secret.js';
import type { Log } from '../log/log.js';
import {
  idempotencyEntity,
  runEntity,
  SCHEMA,
  stageEntity,
  type IdempotencyRow,
  type RunRow,
  type StageRow,
} from './entity.js';
import { migrations } from './migration.js';

/** One for all processes of ours on a database; spells SHOP. */
const MIGRATION_LOCK = 0x53484f50;
const CONNECT_WITHIN_MS = 2_000;
const ANSWER_WITHIN_MS = 10_000;
/** Small: a page of runs takes one, and PostgreSQL's hundred are shared with the queue. */
const CONNECTIONS = 5;

/** The tables, within a transaction or outside. */
export interface Tables {
  readonly runs: Repository<RunRow>;
  readonly stages: Repository<StageRow>;
  readonly keys: Repository<IdempotencyRow>;
  query(sql: string, values?: readonly unknown[]): Promise<unknown>;
}

export function tablesOf(manager: EntityManager): Tables {
  return {
    runs: manager.getRepository(runEntity),
    stages: manager.getRepository(stageEntity),
    keys: manager.getRepository(idempotencyEntity),
    query: (sql, values = []) => manager.query(sql, [...values]),
  };
}

/** Connected, with all migrations made. */
export async function openSource(url: Secret, log: Log): Promise<DataSource> {
  const source = new DataSource({
    type: 'postgres',
    url: url.reveal(),
    applicationName: 'shopsmart records',
    schema: SCHEMA,
    entities: [runEntity, stageEntity, idempotencyEntity],
    migrations,
    // An idle connection that breaks is no reason to end the process; the next call makes another.
    poolErrorHandler: (error: unknown) => log.warn({ reason: String(error) }, 'lost a connection to PostgreSQL'),
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
    throw error;
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
