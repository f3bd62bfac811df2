import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LakeError } from '#errors';
import { keptSecret } from '../config/kept-secret.js';
import { Secret } from '../config/secret.js';
import type { Log } from '../log/log.js';
import { installBinaries, type Binaries } from './binaries.js';
import { draftOf, sweepDrafts } from './draft.js';
import { findHome, type Home } from './home.js';
import { inUse, launcherMark, stopOrphan } from './orphan.js';
import { watchOver } from './watcher.js';

export interface EmbeddedPostgres {
  /** `postgres://…`, with the password. */
  readonly url: Secret;
  readonly pid: number;
  /** Settles when it ended, by `stop` or by itself. */
  readonly exited: Promise<void>;
  /** Rolls back what is open and ends it; returns when it has ended. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** `settings.data` */
  readonly dataDir: string;
  readonly log: Log;
}

const USER = 'shopsmart';
/** Recovery after a power cut may take its time. */
const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 15_000;
const ATTEMPTS = 40;
const RETRY_AFTER_MS = 250;

/**
 * A PostgreSQL of this installation, on loopback, made at the first start. It keeps its port over restarts while that is
 * free. It ends with this process, however this process ends. Throws `postgres.unsupported`, `postgres.in_use`,
 * `postgres.cannot_start`.
 */
export async function startPostgres({ dataDir, log }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    const home = await findHome(dataDir, log);
    const password = await keptSecret(dataDir, 'postgres');
    for (const folder of new Set([home.folder, home.programs])) await sweepDrafts(folder);
    const binaries = await installBinaries(home.programs);
    await stopOrphan(home.cluster);
    await makeCluster(home, binaries, password);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort(attempt === 1 ? await lastPort(home) : 0);
      const started = await launch(home, binaries, port, log);
      if (typeof started === 'string') {
        if (attempt < ATTEMPTS && isPassing(started)) await setTimeout(RETRY_AFTER_MS);
        else throw refused(started, home);
        continue;
      }
      await writeFile(portFile(home), String(port));
      const url = new Secret(`postgres://${USER}:${password}@127.0.0.1:${port}/postgres`);
      return running(started, url);
    }
  } catch (error) {
    throw error instanceof LakeError ? error : cannotStart(error);
  }
}

/**
 * Made beside its place and moved there when whole: a killed start leaves no half cluster. It is not forced to the disk,
 * which takes seconds: what a power cut in the first minute may cost is an empty list of runs.
 */
async function makeCluster({ cluster, account }: Home, { initdb }: Binaries, password: string): Promise<void> {
  if (await exists(cluster)) return;
  const draft = draftOf(cluster);
  const passwordFile = `${draft}.password`;
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (account !== undefined) for (const path of [draft, passwordFile]) await chown(path, account.uid, account.gid);
    const options = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--locale=C', '--encoding=UTF8', '--no-sync'];
    const environment = { ...account, env: cleanEnvironment(), cwd: draft };
    await promisify(execFile)(initdb, ['-D', draft, '-U', USER, ...options], environment);
    await rename(draft, cluster);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another start may have been first.
    if (!(await exists(cluster))) throw error;
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** The server, ready; or what it said before it ended. */
async function launch(home: Home, { postgres }: Binaries, port: number, log: Log): Promise<ChildProcess | string> {
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'timezone=UTC', 'log_timezone=UTC'];
  const options = [...settings, await launcherMark()].flatMap((setting) => ['-c', setting]);
  const server = spawn(postgres, ['-D', home.cluster, '-p', String(port), ...options], {
    ...home.account,
    env: cleanEnvironment(),
    cwd: home.cluster,
    // Ctrl-C in the terminal must not reach it before its users have ended.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await once(server, 'spawn');
  watchOver(server);
  const said: string[] = [];
  const ready = new Promise<true>((resolve) => {
    createInterface({ input: server.stderr }).on('line', (line) => {
      if (line.includes('ready to accept connections')) resolve(true);
      if (said.length < 100) said.push(line);
      if (/ (FATAL|PANIC): /.test(line)) log.warn({ postgres: line }, 'PostgreSQL complains');
      else log.debug({ postgres: line }, 'PostgreSQL');
    });
  });
  const ended = once(server, 'close').then(() => false);
  const late = setTimeout(READY_WITHIN_MS, false, { ref: false });
  if (await Promise.race([ready, ended, late])) return server;
  server.kill('SIGQUIT');
  await ended;
  return said.filter((line) => /FATAL|PANIC|HINT|ERROR/.test(line)).join('\n') || said.slice(-5).join('\n');
}

function running(server: ChildProcess, url: Secret): EmbeddedPostgres {
  const exited = hasEnded(server) ? Promise.resolve() : once(server, 'exit').then(() => undefined);
  const endsWithin = (waitMs: number) =>
    Promise.race([exited.then(() => true), setTimeout(waitMs, false, { ref: false })]);
  const stop = async () => {
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      if (hasEnded(server)) return;
      server.kill(signal);
      if (await endsWithin(STOP_WITHIN_MS)) return;
    }
  };
  return { url, pid: server.pid ?? 0, exited, stop };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** None of the PG… variables that the user may have set for another server. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot } = process.env;
  return { LC_ALL: 'C', TZ: 'UTC', ...(PATH && { PATH }), ...(SystemRoot && { SystemRoot }) };
}

/** The wanted port, or another when somebody has it. */
async function freePort(wanted: number): Promise<number> {
  const probe = createServer();
  try {
    probe.listen(wanted, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    return port;
  } catch (error) {
    if (wanted === 0) throw error;
    return freePort(0);
  }
}

function portFile({ folder }: Home): string {
  return join(folder, 'port');
}

async function lastPort(home: Home): Promise<number> {
  const port = Number(await readFile(portFile(home), 'utf8').catch(() => '0'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

/** Somebody took the port meanwhile, or processes of a killed server are about to notice it. */
function isPassing(said: string): boolean {
  return /could not bind|could not create any TCP|pre-existing shared memory/.test(said);
}

function refused(said: string, { cluster }: Home): LakeError {
  if (said.includes('lock file "postmaster.pid" already exists')) return inUse('another start was faster');
  return new LakeError(
    'postgres.cannot_start',
    'unavailable',
    `PostgreSQL cannot start with ${cluster}: ${said}\nIf that folder is damaged, move ${dirname(cluster)} away: the list of runs and what is queued begin anew, the lake is not touched. Or set DATABASE_URL to a PostgreSQL server.`,
    { at: { path: cluster } },
  );
}

function cannotStart(cause: unknown): LakeError {
  const said = (cause as { stderr?: string }).stderr?.trim() || String(cause);
  return new LakeError(
    'postgres.cannot_start',
    'unavailable',
    `PostgreSQL cannot start: ${said}. Mend that, or set DATABASE_URL to a PostgreSQL server.`,
    { cause },
  );
}
