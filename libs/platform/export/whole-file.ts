import { once } from 'node:events';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LakeError } from '#errors';
import { syncPath } from '#storage';

/** Writes text to a file that appears whole or not at all: it grows under a hidden name beside the target. */
export async function writeWhole(path: string, text: AsyncIterable<string>): Promise<void> {
  await replaceFile(path, async (hidden) => {
    const file = await open(hidden, 'w');
    try {
      for await (const part of text) await file.writeFile(part);
    } finally {
      await file.close();
    }
  });
}

/** Waits for a slow reader. */
export async function writeAll(stream: NodeJS.WritableStream, text: AsyncIterable<string>): Promise<void> {
  for await (const part of text) if (!stream.write(part)) await once(stream, 'drain');
}

/** Lets `write` make a hidden file beside `path`, then gives it its name. */
export async function replaceFile(path: string, write: (hidden: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const hidden = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  try {
    const found = await stat(target).catch(() => undefined);
    // A device or pipe would be replaced, not written to.
    if (found !== undefined && !found.isFile())
      throw new LakeError(
        'export.unwritable',
        'invalid',
        `${target} is ${found.isDirectory() ? 'a folder' : 'no regular file'}: name a file`,
        { at: { path: target } },
      );
    await write(hidden);
    await syncPath(hidden);
    await rename(hidden, target);
    // Not every system can sync a folder; the file itself is safe.
    await syncPath(dirname(target)).catch(() => undefined);
  } catch (error) {
    await rm(hidden, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof LakeError || code === undefined) throw error;
    throw new LakeError(
      'export.unwritable',
      'unavailable',
      `cannot write ${target} (${code}): the folder must exist, be writable and have room`,
      {
        at: { path: target },
        cause: error,
      },
    );
  }
}
