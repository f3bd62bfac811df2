import { randomUUID } from 'node:crypto';
import { constants, createReadStream, createWriteStream, type Dirent } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LakeError } from '#errors';
import type { Body, ByteRange, ObjectInfo, ObjectStore } from './object-store.js';
import { syncPath } from './sync-path.js';
import { checkPath, checkPrefix, compareBytes, notFound } from './object-path.js';

/** Marks what is being written: a name that no listing shows and that a crash may leave behind. */
const TEMPORARY = /^\.tmp-[0-9a-f-]{36}$/;

/**
 * A folder as an object store. An object appears whole under its name or not at all: written under a temporary name,
 * fsynced, then linked (put-if-absent) or renamed (put), then the folder is fsynced.
 */
export class LocalStore implements ObjectStore {
  readonly url: string;

  constructor(root: string) {
    this.url = resolve(root);
  }

  async get(path: string, range?: ByteRange): Promise<Uint8Array> {
    const file = this.localPath(path);
    try {
      if (range === undefined) return await readFile(file);
      const handle = await open(file, 'r');
      try {
        const end = range.end ?? (await handle.stat()).size;
        const bytes = Buffer.alloc(Math.max(0, end - range.start));
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, range.start);
        return bytes.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isNoObject(error)) throw notFound(this.url, path, error);
      throw this.wrap(error, path);
    }
  }

  async put(path: string, body: Body): Promise<void> {
    await this.write(path, body, async (temporary, file) => {
      await rename(temporary, file);
      return true;
    });
  }

  putIfAbsent(path: string, body: Body): Promise<boolean> {
    return this.write(path, body, async (temporary, file) => {
      try {
        await link(temporary, file);
        return true;
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      } finally {
        await unlink(temporary);
      }
    });
  }

  async *list(prefix: string, startAfter?: string): AsyncIterable<ObjectInfo> {
    const folder = checkPrefix(prefix).slice(0, prefix.lastIndexOf('/') + 1);
    const after = startAfter === undefined ? undefined : Buffer.from(startAfter);
    for await (const path of this.walk(folder, prefix, after)) {
      const info = await stat(join(this.url, path)).catch(ignoreMissing);
      if (info !== undefined) yield { path, sizeBytes: info.size, modifiedMs: Math.floor(info.mtimeMs) };
    }
  }

  async delete(path: string): Promise<void> {
    const file = this.localPath(path);
    try {
      await unlink(file);
    } catch (error) {
      if (!isNoObject(error)) throw this.wrap(error, path);
    }
    // An empty folder is nothing in an object store; one that just got an object stays.
    for (let folder = dirname(file); folder.startsWith(`${this.url}/`); folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        return;
      }
    }
  }

  localPath(path: string): string {
    return join(this.url, checkPath(path));
  }

  /** Removes what crashed writers left behind; returns how many. A writer at work renews nothing, so give it ample time. */
  async sweepTemporary(olderThanMs: number, nowMs: number): Promise<number> {
    let swept = 0;
    const visit = async (folder: string): Promise<void> => {
      const entries = await readdir(folder, { withFileTypes: true }).catch(ignoreMissing);
      for (const entry of entries ?? []) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) await visit(path);
        else if (TEMPORARY.test(entry.name) && nowMs - ((await stat(path)).mtimeMs ?? nowMs) > olderThanMs) {
          await rm(path, { force: true });
          swept += 1;
        }
      }
    };
    await visit(this.url);
    return swept;
  }

  private async *walk(folder: string, prefix: string, after: Buffer | undefined): AsyncIterable<string> {
    let entries: Dirent[] | undefined;
    try {
      entries = await readdir(join(this.url, folder), { withFileTypes: true }).catch(ignoreMissing);
    } catch (error) {
      throw this.wrap(error, folder);
    }
    // A folder sorts as its objects do: with the slash that follows its name.
    const names = (entries ?? [])
      .filter((entry) => !TEMPORARY.test(entry.name))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort(compareBytes);
    for (const name of names) {
      const path = folder + name;
      const bytes = Buffer.from(path);
      const isFolder = name.endsWith('/');
      if (!(path.startsWith(prefix) || (isFolder && prefix.startsWith(path)))) continue;
      if (after !== undefined && Buffer.compare(bytes, after) <= 0 && !(isFolder && after.indexOf(bytes) === 0)) {
        // All objects of a folder that sorts before `after`, and does not hold it, come before it too.
        continue;
      }
      if (isFolder) yield* this.walk(path, prefix, after);
      else yield path;
    }
  }

  private async write(
    path: string,
    body: Body,
    place: (temporary: string, file: string) => Promise<boolean>,
  ): Promise<boolean> {
    const file = this.localPath(path);
    const folder = dirname(file);
    // A concurrent delete may take the empty folder away between making it and writing into it.
    for (let attempt = 0; ; attempt++) {
      const temporary = join(folder, `.tmp-${randomUUID()}`);
      try {
        const made = await mkdir(folder, { recursive: true });
        await writeDurably(temporary, body);
        const placed = await place(temporary, file);
        await syncPath(folder);
        if (made !== undefined) await syncUpwards(folder, dirname(made));
        return placed;
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        const sourceIsMissing =
          !(body instanceof Uint8Array) && (await stat(body.file).catch(ignoreMissing)) === undefined;
        if (codeOf(error) === 'ENOENT' && !sourceIsMissing && attempt < 10) continue;
        throw this.wrap(error, path);
      }
    }
  }

  private wrap(error: unknown, path: string): unknown {
    const at = { path };
    switch (codeOf(error)) {
      case 'ENOENT':
        return notFound(this.url, path, error);
      case 'ENOSPC':
      case 'EDQUOT':
        return new LakeError(
          'storage.full',
          'unavailable',
          `No room left for ${path} in ${this.url}: free some and run again. Nothing was changed.`,
          { at, cause: error },
        );
      case 'EACCES':
      case 'EPERM':
      case 'EROFS':
        return new LakeError(
          'storage.forbidden',
          'forbidden',
          `This user may not read or write ${path} in ${this.url}: give it the right, or name another folder.`,
          { at, cause: error },
        );
      case undefined:
        return error;
      default:
        return new LakeError(
          'storage.failed',
          'unavailable',
          `${path} in ${this.url} cannot be reached (${codeOf(error)}): look at the disk and run again.`,
          { at, cause: error },
        );
    }
  }
}

/** A file of the caller's is linked where the file system allows it: no bytes are copied, and both names stay valid. */
async function writeDurably(temporary: string, body: Body): Promise<void> {
  if (body instanceof Uint8Array) {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(body);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return;
  }
  try {
    await link(body.file, temporary);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw error;
    await copyFile(body.file, temporary, constants.COPYFILE_FICLONE).catch(async () => {
      await pipeline(createReadStream(body.file), createWriteStream(temporary));
    });
  }
  await syncPath(temporary);
}

/** New folders are durable once the folders that name them are. */
async function syncUpwards(from: string, to: string): Promise<void> {
  for (let folder = dirname(from); folder.startsWith(to); folder = dirname(folder)) {
    await syncPath(folder);
    if (folder === to) return;
  }
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? code : undefined;
}

/** Nothing has this name, or only a folder has, or an object has the name of one of its folders. */
function isNoObject(error: unknown): boolean {
  return ['ENOENT', 'EISDIR', 'ENOTDIR'].includes(codeOf(error) ?? '');
}

function ignoreMissing(error: unknown): undefined {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}
