import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { writeAll, writeWhole } from './whole-file.js';

async function* parts(...texts: readonly string[]): AsyncIterable<string> {
  for (const text of texts) yield await Promise.resolve(text);
}

describe('writeWhole', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'whole-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('replaces the file when all is written, and leaves nothing beside it', async () => {
    const path = join(dir, 'out.csv');
    writeFileSync(path, 'old');
    await writeWhole(path, parts('a', 'b'));
    expect(readFileSync(path, 'utf8')).toBe('ab');
    expect(readdirSync(dir)).toEqual(['out.csv']);
  });

  it('keeps the old file when the text breaks off', async () => {
    const path = join(dir, 'out.csv');
    writeFileSync(path, 'old');
    async function* broken(): AsyncIterable<string> {
      yield* parts('a');
      throw new Error('the engine stopped');
    }
    await expect(writeWhole(path, broken())).rejects.toThrow('the engine stopped');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(dir)).toEqual(['out.csv']);
  });

  it('does not put a file in the place of a device', async () => {
    await expect(writeWhole('/dev/null', parts('a'))).rejects.toThrow('no regular file');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('says that a folder is no file, and that a missing folder must exist', async () => {
    mkdirSync(join(dir, 'sub'));
    await expect(writeWhole(join(dir, 'sub'), parts('a'))).rejects.toThrow('is a folder');
    await expect(writeWhole(join(dir, 'none', 'x'), parts('a'))).rejects.toThrow('ENOENT');
  });

  it('waits for a slow reader of standard output', async () => {
    const slow = new PassThrough({ highWaterMark: 4 });
    const written = writeAll(slow, parts('abcdefgh', 'ijkl'));
    let text = '';
    slow.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await written;
    slow.end();
    await new Promise((resolve) => slow.once('end', resolve));
    expect(text).toBe('abcdefghijkl');
  });
});
