import { isNativeError } from 'node:util/types';
import type { Secret, Settings } from '#platform';
import { livingLauncher } from '../launcher/claim.js';
import { freePort } from '../launcher/port.js';
import { failure, type Finding } from './finding.js';

const answersWithinMs = 3_000;
/** BullMQ's own needs. */
const leastPostgres = 13;
const leastRedis = [6, 2] as const;

/** What `npm start` needs beside the lake: the port of the api, PostgreSQL, Redis. */
export async function* serviceFindings(settings: Settings): AsyncGenerator<Finding> {
  const launcher = await livingLauncher(settings.data);
  yield await apiFinding(settings, launcher?.url ?? `http://${settings.host}:${settings.port}`);
  if (settings.databaseUrl !== undefined) yield await postgresFinding(settings.databaseUrl);
  else {
    const says = launcher === undefined ? 'npm start starts one' : `runs with npm start (process ${launcher.pid})`;
    yield { verdict: 'ok', what: 'postgres', says: `of our own, below ${settings.data}: ${says}` };
  }
  if (settings.redisUrl !== undefined) yield await redisFinding(settings.redisUrl);
  else yield { verdict: 'ok', what: 'redis', says: 'not used: queues are in PostgreSQL' };
}

async function apiFinding({ host, port }: Settings, url: string): Promise<Finding> {
  const what = 'api';
  try {
    const { ok } = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(answersWithinMs) });
    if (ok) return { verdict: 'ok', what, says: `answers at ${url}` };
  } catch {
    // Nobody serves there, or not HTTP.
  }
  try {
    await freePort(host, port);
    const says = port === 0 ? 'takes any free port' : `not running; port ${port} of ${host} is free`;
    return { verdict: 'ok', what, says };
  } catch (error) {
    return failure(what, error, 'warn');
  }
}

async function postgresFinding(url: Secret): Promise<Finding> {
  const what = 'postgres';
  // Loaded when needed: no other line of the doctor wants it.
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url.reveal(), connectionTimeoutMillis: answersWithinMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ readonly server_version: string }>('SHOW server_version');
    const version = rows[0]?.server_version ?? '';
    return parseInt(version, 10) >= leastPostgres
      ? { verdict: 'ok', what, says: `${version} answers at ${placeOf(url)}` }
      : {
          verdict: 'fail',
          what,
          says: `${version} at ${placeOf(url)} is too old: ${leastPostgres} or later is needed`,
        };
  } catch (error) {
    return unreachable(what, 'DATABASE_URL', url, error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function redisFinding(url: Secret): Promise<Finding> {
  const what = 'redis';
  const { Redis } = await import('ioredis');
  const client = new Redis(url.reveal(), {
    lazyConnect: true,
    connectTimeout: answersWithinMs,
    retryStrategy: () => null,
  });
  let reason: unknown;
  client.on('error', (error) => (reason = error));
  try {
    await client.connect();
    const [, version = ''] = /redis_version:(\S+)/.exec(await client.info('server')) ?? [];
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const [leastMajor, leastMinor] = leastRedis;
    return major > leastMajor || (major === leastMajor && minor >= leastMinor)
      ? { verdict: 'ok', what, says: `${version} answers at ${placeOf(url)}` }
      : {
          verdict: 'fail',
          what,
          says: `${version} at ${placeOf(url)} is too old: ${leastRedis.join('.')} or later is needed`,
        };
  } catch (error) {
    return unreachable(what, 'REDIS_URL', url, reason ?? error);
  } finally {
    client.disconnect();
  }
}

function unreachable(what: string, variable: string, url: Secret, error: unknown): Finding {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = isNativeError(error) && message !== '' ? message : String(code ?? error);
  return { verdict: 'fail', what, says: `${placeOf(url)} (${variable}) cannot be used: ${reason}` };
}

/** Where a server is, without user and password. */
function placeOf(url: Secret): string {
  return new URL(url.reveal()).host;
}
