import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isProcessRunning } from '#storage';
import type { Settings } from '../config/settings.js';

/** A folder for what this process spills and stages. Folders that killed processes of this machine left are removed. */
export async function makeWorkFolder({ data }: Settings): Promise<string> {
  const parent = join(data, 'work');
  const machine = hostname().replaceAll(/[^\w-]/g, '_');
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const [, owner, pid] = /^(.+)\.(\d+)\.\w+$/.exec(name) ?? [];
    // Another machine may share the folder, and its process ids mean nothing here.
    if (owner === machine && !isProcessRunning(Number(pid)))
      await rm(join(parent, name), { recursive: true, force: true });
  }
  return mkdtemp(join(parent, `${machine}.${process.pid}.`));
}
