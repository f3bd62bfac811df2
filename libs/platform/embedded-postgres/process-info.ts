import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessInfo {
  /** Differs between two processes that had the same id one after the other. */
  readonly started: string;
  /** Program and arguments, joined by spaces. */
  readonly command: string;
}

/** Undefined when no such process runs. */
export async function processInfo(pid: number): Promise<ProcessInfo | undefined> {
  try {
    return process.platform === 'linux' ? await fromProc(pid) : await fromPs(pid);
  } catch {
    return undefined;
  }
}

async function fromProc(pid: number): Promise<ProcessInfo | undefined> {
  const [stat, command] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
  ]);
  // The program's name stands in brackets and may hold spaces: fields are counted from behind it, from the third on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return undefined;
  return { started: fields[19] ?? '', command: command.replaceAll('\0', ' ').trim() };
}

async function fromPs(pid: number): Promise<ProcessInfo> {
  const ps = async (column: string) =>
    (await promisify(execFile)('ps', ['-o', `${column}=`, '-p', String(pid)])).stdout.trim();
  return { started: (await ps('lstart')).replaceAll(/\s+/g, '_'), command: await ps('command') };
}
