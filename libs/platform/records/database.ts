import type { DataSource, EntityManager } from 'typeorm';
import { LakeError } from '#errors';
import type { Secret } from '../config/secret.js';
import type { Log } from '../log/log.js';
import type { Tables } from './data-source.js';

/** PostgreSQL that may come and go: connects on first use, and again after it was away. */
export class Database {
  #source: Promise<DataSource> | undefined;
  #closed = false;

  constructor(
    private readonly url: Secret,
    private readonly log: Log,
  ) {}

  /** All of `work` or nothing. Throws `records.unavailable` when PostgreSQL cannot be reached or goes away. */
  transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.run((source, tablesOf) => source.transaction((manager) => work(tablesOf(manager))));
  }

  /** Single statements, each for itself. */
  use<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.run((source, tablesOf) => work(tablesOf(source.manager)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const source = await this.#source?.catch(() => undefined);
    await source?.destroy().catch(() => undefined);
  }

  private async run<T>(work: (source: DataSource, tables: (manager: EntityManager) => Tables) => Promise<T>) {
    // TypeORM is loaded by those who use it: commands that need no records stay quick.
    const { openSource, tablesOf } = await import('./data-source.js');
    if (this.#closed) throw unavailable(new Error('the records are closed'));
    const opening = (this.#source ??= openSource(this.url, this.log));
    let source: DataSource;
    try {
      source = await opening;
    } catch (error) {
      if (this.#source === opening) this.#source = undefined;
      this.log.warn({ reason: reasonOf(error) }, 'the records of runs cannot be opened');
      throw unavailable(error);
    }
    try {
      return await work(source, tablesOf);
    } catch (error) {
      throw isConnectionLoss(error) ? unavailable(error) : error;
    }
  }
}

function unavailable(cause: unknown): LakeError {
  return new LakeError(
    'records.unavailable',
    'unavailable',
    'PostgreSQL, which keeps the records of runs, cannot be used: see that it runs, and that DATABASE_URL is right if that is set. It is tried again at the next request.',
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
