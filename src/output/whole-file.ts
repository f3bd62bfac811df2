import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LakeError } from '#errors';

/**
 * Writes text to a file that appears whole or not at all: it grows under a hidden name beside the target. Without a
 * path the text goes to `standard`.
 */
export async function writeWhole(
  path: string | undefined,
  text: AsyncIterable<string>,
  standard: NodeJS.WritableStream,
): Promise<void> {
  if (path === undefined) {
    for await (const part of text) if (!standard.write(part)) await once(standard, 'drain');
    return;
  }
  await replaceFile(path, async (hidden) => {
    const stream = createWriteStream(hidden, { flush: true });
    // Opening or writing may fail at any time; awaited below.
    const closed = once(stream, 'close');
    closed.catch(() => undefined);
    for await (const part of text) if (!stream.write(part)) await once(stream, 'drain');
    stream.end();
    await closed;
  });
}

/** Lets `write` make a hidden file beside `path`, then gives it its name. */
export async function replaceFile(path: string, write: (hidden: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const hidden = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  try {
    const found = await stat(target).catch(() => undefined);
    if (found?.isDirectory() === true)
      throw new LakeError('export.unwritable', 'invalid', `${target} is a folder: name a file`, {
        at: { path: target },
      });
    await write(hidden);
    await rename(hidden, target);
    await syncFolder(dirname(target));
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

async function syncFolder(folder: string): Promise<void> {
  // Not every system can sync a folder; the file itself is safe.
  const handle = await open(folder).catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
