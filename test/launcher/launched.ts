import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** A folder in which launchers are started, and all processes that have to do with it. */
export class LaunchFolder {
  /** A path with a blank, as users have. */
  readonly path = mkdtempSync(join(tmpdir(), 'launch in-'));

  constructor() {
    // Else PostgreSQL, which is not root's, could not live in it.
    chmodSync(this.path, 0o755);
  }

  launch(script: string, env: Readonly<Record<string, string>> = {}): Launched {
    return new Launched(resolve(script), this.path, env);
  }

  /** Processes that were started here, by their environment, their command line or their working folder. */
  processes(withArgument?: string): readonly number[] {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.filter((pid) => isOf(this.path, pid) && hasArgument(pid, withArgument)).map(Number);
  }

  async empty(withinMs = 60_000): Promise<void> {
    await until(
      () => this.processes().length === 0,
      withinMs,
      () => `processes left: ${this.processes().join(', ')}`,
    );
  }

  state(): LauncherFile {
    return JSON.parse(readFileSync(join(this.path, 'data/launcher.json'), 'utf8')) as LauncherFile;
  }

  childPid(name: string): number {
    const child = this.state().children.find((one) => one.name === name);
    if (child === undefined) throw new Error(`no child ${name}`);
    return child.pid;
  }

  /** Whatever a failed test left. */
  async remove(): Promise<void> {
    for (const pid of this.processes()) process.kill(pid, 'SIGKILL');
    await this.empty();
    rmSync(this.path, { recursive: true, force: true });
  }
}

interface LauncherFile {
  readonly pid: number;
  readonly url: string | null;
  readonly children: readonly { readonly name: string; readonly pid: number }[];
}

export class Launched {
  readonly process: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals | null>;
  stdout = '';
  stderr = '';

  constructor(script: string, cwd: string, env: Readonly<Record<string, string>>) {
    const own = Object.entries(process.env).filter(
      ([name]) =>
        !/^(SHOPSMART_|npm_lifecycle_event$|NODE_OPTIONS$|LOG_LEVEL$|PORT$|HOST$|DATABASE_URL$|REDIS_URL$)/.test(name),
    );
    this.process = spawn(process.execPath, [script], {
      cwd,
      env: { ...Object.fromEntries(own), PORT: '0', LAUNCHED_IN: cwd, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = once(this.process, 'close').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals);
  }

  /** The address of the api, once it is printed. */
  async url(withinMs = 60_000): Promise<string> {
    const found = () => /^api +(http:\S+)\/v1\/products$/m.exec(this.stdout)?.[1];
    await until(
      () => found() !== undefined || this.process.exitCode !== null,
      withinMs,
      () => this.said(),
    );
    const url = found();
    if (url === undefined) throw new Error(`no api: ${this.said()}`);
    return url;
  }

  interrupt(signal: NodeJS.Signals = 'SIGINT'): void {
    this.process.kill(signal);
  }

  async saidOnError(text: string | RegExp, withinMs = 60_000): Promise<void> {
    await until(
      () => this.stderr.search(text) >= 0,
      withinMs,
      () => `never said ${String(text)}: ${this.said()}`,
    );
  }

  private said(): string {
    return `${this.stdout}\n${this.stderr}`;
  }
}

export async function until(isTrue: () => boolean | Promise<boolean>, withinMs: number, otherwise: () => string) {
  for (const untilMs = Date.now() + withinMs; !(await isTrue()); await setTimeout(50))
    if (Date.now() > untilMs) throw new Error(otherwise());
}

/** The JSON that is answered, or undefined while nothing answers. */
export async function answer(url: string): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return (await response.json()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function isOf(folder: string, pid: string): boolean {
  try {
    if (readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')) return false;
    return (
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder) ||
      readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder) ||
      readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
    );
  } catch {
    return false;
  }
}

function hasArgument(pid: string, argument: string | undefined): boolean {
  return argument === undefined || readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument);
}
