import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { LakeError } from '#errors';
import { processInfo } from './process-info.js';

const LAUNCHER = 'shopsmart.launcher';
const STOP_WITHIN_MS = 20_000;

/** A setting of PostgreSQL's that says, in its command line, who started it. */
export async function launcherMark(): Promise<string> {
  return `${LAUNCHER}=${process.pid}:${(await processInfo(process.pid))?.started ?? ''}`;
}

/**
 * Makes sure that no PostgreSQL works on the cluster: one whose launcher was killed is stopped, one whose launcher lives
 * is not touched (`postgres.in_use`).
 */
export async function stopOrphan(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return;
  const found = await processInfo(pid);
  if (found !== undefined && isPostgresOf(cluster, found.command)) {
    await refuseIfLed(found.command, pid);
    await stopForeign(pid, found.started);
  }
  await disown(pidFile);
}

/**
 * The id in the file is another process's by now, or that of an ended one for which nobody has waited (whoever starts
 * containers may never do): PostgreSQL would take either for a server. It ignores its parent's id, and needs the other
 * lines to see whether processes of the dead server still use its memory.
 */
async function disown(pidFile: string): Promise<void> {
  const [pid, ...lines] = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  if (pid !== '') await writeFile(pidFile, [String(process.pid), ...lines].join('\n'));
}

function isPostgresOf(cluster: string, command: string): boolean {
  return command.includes(` -D ${cluster} `) && command.includes(LAUNCHER);
}

async function refuseIfLed(command: string, pid: number): Promise<void> {
  const [, launcher, started] = new RegExp(`${LAUNCHER}=(\\d+):(\\S*)`).exec(command) ?? [];
  const living = launcher === undefined ? undefined : await processInfo(Number(launcher));
  if (living === undefined || living.started !== started) return;
  throw inUse(`process ${launcher} runs its PostgreSQL (process ${pid})`);
}

export function inUse(who: string): LakeError {
  return new LakeError(
    'postgres.in_use',
    'conflict',
    `This data folder is in use: ${who}. Stop that one first, or give this one another folder (SHOPSMART_DATA).`,
  );
}

async function stopForeign(pid: number, started: string): Promise<void> {
  const isThere = async () => (await processInfo(pid))?.started === started;
  for (let waitedMs = 0; waitedMs < STOP_WITHIN_MS; waitedMs += 50) {
    // At half time without ceremony: it recovers when it starts.
    if (waitedMs === 0 || waitedMs === STOP_WITHIN_MS / 2) signal(pid, waitedMs === 0 ? 'SIGINT' : 'SIGQUIT');
    await setTimeout(50);
    if (!(await isThere())) return;
  }
  throw new LakeError(
    'postgres.cannot_start',
    'unavailable',
    `PostgreSQL of an earlier start (process ${pid}) does not stop: end it (kill -9 ${pid}), then start again.`,
  );
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
