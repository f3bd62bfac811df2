import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Secret } from '../config/secret.js';
import { startPostgres, type EmbeddedPostgres } from '../embedded-postgres/start-postgres.js';
import { openLog } from '../log/log.js';

export interface TestServer {
  readonly url: Secret;
  /** As a crash of the machine would. */
  kill(): Promise<void>;
  /** Again, with what it had, at the same address. */
  start(): Promise<void>;
  /** Ends it and removes what it kept. */
  remove(): Promise<void>;
}

/** A PostgreSQL for one test file. */
export async function testPostgres(): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'test-postgres-'));
  const start = () => startPostgres({ dataDir, log: openLog('test', 'error') });
  let server: EmbeddedPostgres = await start();
  return {
    url: server.url,
    kill: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    start: async () => {
      server = await start();
    },
    remove: async () => {
      await server.stop();
      const elsewhere = readText(join(dataDir, 'postgres/elsewhere'));
      for (const folder of [dataDir, elsewhere]) if (folder !== undefined) rmSync(folder, { recursive: true });
    },
  };
}

/** A Redis for one test file (`test/services.sh` installs it); it forgets everything when it ends. */
export async function testRedis(): Promise<TestServer> {
  const port = await freePort();
  const start = async () => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'], cwd: tmpdir() });
    await once(server, 'spawn');
    for await (const line of createInterface({ input: server.stdout })) if (/ready to accept/i.test(line)) break;
    server.stdout.resume();
    return server;
  };
  let server = await start();
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  return {
    url: new Secret(`redis://127.0.0.1:${port}`),
    kill,
    start: async () => {
      server = await start();
    },
    remove: kill,
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
