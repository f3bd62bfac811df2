import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { LakeError } from '#errors';
import type { ShopLog } from './shop-log.js';
import type { Running, Service } from './supervised.js';

export interface NodeProgramOptions {
  readonly name: string;
  /** The JavaScript file to run. */
  readonly path: string;
  /** Added to the environment of this process; asked at every start. */
  readonly env: () => Readonly<Record<string, string>>;
  readonly log: ShopLog;
  /** Told of every process before it can do anything. */
  readonly onSpawn: (pid: number) => void;
  readonly readyWithinMs: number;
  /** How long it may take to end when asked to; then it is killed. */
  readonly stopWithinMs: number;
}

export interface RunningProgram extends Running {
  /** Where it serves, if it told. */
  readonly url: string | undefined;
}

/**
 * Threads for work off the event loop. Each running DuckDB statement takes one until it ends; with Node's four, a few long
 * ones would keep every file from being read.
 */
const WORK_THREADS = '16';

/**
 * One of our programs in a process of its own. It sends `{kind: 'ready', url?}` when it serves, ends with 2 for wrong
 * settings, and ends on SIGTERM and when the channel to this process is gone.
 */
export class NodeProgram implements Service<RunningProgram> {
  constructor(private readonly options: NodeProgramOptions) {}

  get name(): string {
    return this.options.name;
  }

  async start(signal: AbortSignal): Promise<RunningProgram> {
    const { name, readyWithinMs, stopWithinMs } = this.options;
    const child = this.spawn();
    const exited = new Promise<string>((ended) => {
      child.once('exit', (code, killedBy) => ended(killedBy ?? `exit code ${code}`));
      child.on('error', (error) => ended(error.message));
    });
    const stop = () => stopChild(child, exited, stopWithinMs);
    const began = new AbortController();
    const within = AbortSignal.any([signal, began.signal]);
    try {
      const outcome = await Promise.race([
        readyMessage(child),
        exited,
        setTimeout(readyWithinMs, `no word after ${readyWithinMs / 1000} s`, { signal: within }),
      ]);
      if (typeof outcome !== 'string') return { url: outcome.url, exited, stop };
      throw outcome === 'exit code 2' ? wrongSettings(name) : cannotStart(name, outcome);
    } catch (error) {
      await stop();
      throw error;
    } finally {
      began.abort();
    }
  }

  private spawn(): ChildProcess {
    const { name, path, env, log, onSpawn } = this.options;
    const child = fork(path, [], {
      execArgv: ['--enable-source-maps'],
      env: { UV_THREADPOOL_SIZE: WORK_THREADS, ...process.env, ...env() },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Away from the terminal: its Ctrl-C is for this process, which ends the others in order.
      detached: true,
    });
    if (child.pid !== undefined) onSpawn(child.pid);
    if (child.stdout !== null) log.follow(name, 'info', child.stdout);
    if (child.stderr !== null) log.follow(name, 'warn', child.stderr);
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    return child;
  }
}

async function readyMessage(child: ChildProcess): Promise<{ readonly url: string | undefined }> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [{ readonly kind?: unknown; readonly url?: unknown } | null];
    if (message?.kind === 'ready') return { url: typeof message.url === 'string' ? message.url : undefined };
  }
}

async function stopChild(child: ChildProcess, exited: Promise<string>, withinMs: number): Promise<void> {
  // Windows knows no SIGTERM: there the end of the channel is the request.
  if (process.platform === 'win32') {
    if (child.connected) child.disconnect();
  } else child.kill('SIGTERM');
  const late = new AbortController();
  await Promise.race([exited, setTimeout(withinMs, undefined, { signal: late.signal })]);
  late.abort();
  child.kill('SIGKILL');
  await exited;
}

function wrongSettings(name: string): LakeError {
  return new LakeError('settings.invalid', 'invalid', `the ${name} refused its settings: its message is above`);
}

function cannotStart(name: string, reason: string): LakeError {
  return new LakeError(
    'launcher.cannot_start',
    'unavailable',
    `the ${name} did not start (${reason}): its messages are above`,
  );
}
