import { randomUUID } from 'node:crypto';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
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
  await writeFile(temporary, await store.get(path));
  await rename(temporary, copy);
  return copy;
}
