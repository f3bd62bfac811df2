import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ObjectStore } from './object-store.js';
import { checkPath } from './object-path.js';

/**
 * The file on this machine that holds an immutable object: the store's own where it is a disk, else a copy made once in
 * the cache folder. Only for objects that are never replaced under their name (data files).
 */
export async function localCopy(store: ObjectStore, path: string, cacheDir: string): Promise<string> {
  const own = store.localPath(path);
  if (own !== undefined) return own;
  const copy = join(cacheDir, checkPath(path));
  const present = await stat(copy).then(
    () => true,
    () => false,
  );
  if (present) return copy;
  await mkdir(dirname(copy), { recursive: true });
  const temporary = `${copy}.${randomUUID()}`;
  try {
    await writeSynced(temporary, await store.get(path));
    await rename(temporary, copy);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return copy;
}

/** A copy is trusted for ever by its name, so a power cut may not leave that name on an empty file. */
async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
