import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { openLog } from '../log/log.js';
import { startPostgres, type EmbeddedPostgres } from './start-postgres.js';

const NOBODY = 65_534;
/** Any other account that every Unix has: initdb wants one with a name. */
const DAEMON = 1;
const isRoot = process.getuid?.() === 0;
const log = openLog('test', 'error');

/** Below a folder that only its owner may enter, as a home often is. */
let dataDir: string;
const leftovers: string[] = [];

beforeAll(() => {
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  leftovers.push(home);
  dataDir = join(home, 'data');
});
afterAll(() => {
  for (const folder of [...leftovers, elsewhere()]) if (folder !== undefined) rmSync(folder, { recursive: true });
});

describe('an embedded PostgreSQL', () => {
  it('keeps data, password and port over a restart, below a 0700 folder too', async () => {
    const first = await start();
    await ask(first, 'CREATE TABLE kept AS SELECT 42 AS n');
    await first.stop();
    await first.exited;
    const second = await start();
    expect(await ask(second, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
    expect(second.url.reveal()).toBe(first.url.reveal());
    await second.stop();
    await expect(ask(second, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('listens on loopback only and lets nobody in without the password', async () => {
    const server = await start();
    const url = new URL(server.url.reveal());
    expect(await ask(server, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    url.password = 'guess';
    await expect(askUrl(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    await server.stop();
  });

  it('takes another port when its own is taken', async () => {
    const taken = createServer().listen(Number(readFileSync(join(elsewhere() ?? join(dataDir, 'postgres'), 'port'))));
    await once(taken, 'listening');
    const server = await start();
    expect(await ask(server, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
    await server.stop();
    taken.close();
  });

  it('ends when the process that started it is killed', async () => {
    const { launcher, pid } = await startInChild(dataDir);
    launcher.kill('SIGKILL');
    await untilGone(pid);
  });

  it('is stopped by the next start when nothing noticed that its launcher was killed', async () => {
    const { launcher, pid } = await startInChild(dataDir);
    for (const watcher of watchersOf(pid)) process.kill(watcher, 'SIGKILL');
    launcher.kill('SIGKILL');
    await once(launcher, 'exit');
    process.kill(pid, 0);
    const server = await start();
    await untilGone(pid);
    expect(await ask(server, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
    await server.stop();
  });

  it('is not taken from a launcher that lives', async () => {
    const { launcher, pid } = await startInChild(dataDir);
    await expect(start()).rejects.toMatchObject({ code: 'postgres.in_use' });
    process.kill(pid, 0);
    launcher.kill('SIGTERM');
    await once(launcher, 'exit');
    await untilGone(pid);
  });

  it('has its watcher replaced when that is killed', async () => {
    const { launcher, pid } = await startInChild(dataDir);
    const [first] = watchersOf(pid);
    process.kill(first ?? 0, 'SIGKILL');
    await until(() => watchersOf(pid).some((watcher) => watcher !== first));
    launcher.kill('SIGKILL');
    await untilGone(pid);
  });

  it.each([
    ['another process has', 'echo $$; exec sleep 600'],
    ['an ended process that nobody waits for has', 'sleep 0.05 & echo $!; exec sleep 600'],
  ])('starts although %s the id that a killed one left behind', async (_, script) => {
    const server = await start();
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    const other = spawn('/bin/sh', ['-c', script], {
      ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [id] = (await once(other.stdout, 'data')) as [Buffer];
    await setTimeout(200);
    const cluster = join(elsewhere() ?? join(dataDir, 'postgres'), 'cluster');
    const pidFile = join(cluster, 'postmaster.pid');
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(id).trim()));
    const next = await start();
    expect(await ask(next, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
    expect(other.exitCode).toBeNull();
    await next.stop();
    other.kill();
  });

  it('says what is damaged and what to do', async () => {
    const cluster = join(elsewhere() ?? join(dataDir, 'postgres'), 'cluster');
    rmSync(join(cluster, 'global/pg_control'));
    await expect(start()).rejects.toMatchObject({
      code: 'postgres.cannot_start',
      message: expect.stringMatching(/could not .*pg_control.*move .* away.*DATABASE_URL/s),
    });
  });

  const reachable = isRoot && spawnSync('/bin/ls', ['bin', 'dist'], { uid: DAEMON, gid: DAEMON }).status === 0;
  (reachable ? it : it.skip)('works for an ordinary user, whose cluster root then uses as that user', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'user-'));
    leftovers.push(folder);
    const data = join(folder, 'data');
    mkdirSync(data);
    for (const path of [folder, data]) chownSync(path, DAEMON, DAEMON);
    const { launcher, pid } = await startInChild(data, DAEMON);
    launcher.kill('SIGKILL');
    await untilGone(pid);
    const server = await startPostgres({ dataDir: data, log });
    expect(await ask(server, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).toMatch(/^Uid:\t1\t/m);
    await server.stop();
  });
});

function start(): Promise<EmbeddedPostgres> {
  return startPostgres({ dataDir, log });
}

function elsewhere(): string | undefined {
  try {
    return readFileSync(join(dataDir, 'postgres/elsewhere'), 'utf8');
  } catch {
    return undefined;
  }
}

async function ask(server: EmbeddedPostgres, sql: string): Promise<readonly unknown[]> {
  return askUrl(server.url.reveal(), sql);
}

async function askUrl(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A process of its own that starts PostgreSQL, by the build in dist. */
async function startInChild(data: string, uid?: number): Promise<{ launcher: ChildProcess; pid: number }> {
  const script = `
    import { openLog, startPostgres } from ${JSON.stringify(resolve('dist/libs/platform/index.js'))};
    const server = await startPostgres({ dataDir: ${JSON.stringify(data)}, log: openLog('child', 'error') });
    process.on('SIGTERM', async () => { await server.stop(); process.exit(0); });
    setInterval(() => undefined, 1e6);
    console.log(server.pid);`;
  const account = uid === undefined ? {} : { uid, gid: uid };
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', script], {
    ...account,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: launcher.stdout })) return { launcher, pid: Number(line) };
  throw new Error('the child ended before PostgreSQL was up');
}

function watchersOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').endsWith(`kill -INT "$0"\0${pid}\0`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function untilGone(pid: number): Promise<void> {
  await until(() => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
}

async function until(holds: () => boolean): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += 50) {
    if (waitedMs > 50_000) throw new Error('it did not come to pass within 50 s');
    await setTimeout(50);
  }
}
