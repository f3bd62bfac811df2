import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than making anything here takes. */
const ABANDONED_MS = 3_600_000;

/** Where something is made that moves to `path` when it is whole. */
export function draftOf(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.draft`;
}

/** Removes what killed starts left unfinished. */
export async function sweepDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/\.[0-9a-f]{12}\.draft/.test(name)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS)
      await rm(path, { recursive: true, force: true });
  }
}
