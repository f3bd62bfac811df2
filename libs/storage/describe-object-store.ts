import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectStore } from './object-store.js';

export const bytes = (text: string) => Buffer.from(text);

const made: string[] = [];
afterAll(() => made.forEach((path) => rmSync(path, { recursive: true })));

/** A new folder, gone with the spec. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'store-'));
  made.push(path);
  return path;
}

export async function paths(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of store.list(prefix, after)) found.push(path);
  return found;
}

/** What every object store promises; each implementation's spec runs it. */
export function describeObjectStore(name: string, make: () => ObjectStore): void {
  describe(name, () => {
    it('gives back what was put, whole or a range of it', async () => {
      const store = make();
      await store.put('a/b.json', bytes('0123456789'));
      expect(Buffer.from(await store.get('a/b.json')).toString()).toBe('0123456789');
      expect(Buffer.from(await store.get('a/b.json', { start: 2, end: 5 })).toString()).toBe('234');
      expect(Buffer.from(await store.get('a/b.json', { start: 8 })).toString()).toBe('89');
    });

    it('puts a file of the caller, which stays', async () => {
      const store = make();
      const file = join(folder(), 'part');
      await writeFile(file, 'data');
      await store.put('t/part', { file });
      expect(await store.putIfAbsent('t/part2', { file })).toBe(true);
      expect(Buffer.from(await store.get('t/part2')).toString()).toBe('data');
    });

    it('replaces on put and never on putIfAbsent', async () => {
      const store = make();
      expect(await store.putIfAbsent('x', bytes('first'))).toBe(true);
      expect(await store.putIfAbsent('x', bytes('second'))).toBe(false);
      expect(Buffer.from(await store.get('x')).toString()).toBe('first');
      await store.put('x', bytes('third'));
      expect(Buffer.from(await store.get('x')).toString()).toBe('third');
    });

    it('lets exactly one of many writers have a name', async () => {
      const store = make();
      const won = await Promise.all(
        Array.from({ length: 20 }, (_, n) => store.putIfAbsent('_delta_log/0.json', bytes(`writer ${n}`))),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      const winner = won.indexOf(true);
      expect(Buffer.from(await store.get('_delta_log/0.json')).toString()).toBe(`writer ${winner}`);
    });

    it('lists below a prefix in byte order, after a path', async () => {
      const store = make();
      const all = ['t/a', 't/a-b', 't/a/1', 't/a/2', 't/a0', 't/ä', 't/z/y/x', 'u/1', 't2'];
      for (const path of all.filter((path) => path !== 't/a')) await store.put(path, bytes('.'));
      const sorted = ['t/a-b', 't/a/1', 't/a/2', 't/a0', 't/z/y/x', 't/ä'];
      expect(await paths(store, 't/')).toEqual(sorted);
      expect(await paths(store, 't/a')).toEqual(['t/a-b', 't/a/1', 't/a/2', 't/a0']);
      for (const [at, path] of sorted.entries()) expect(await paths(store, 't/', path)).toEqual(sorted.slice(at + 1));
      expect(await paths(store, 'nowhere/')).toEqual([]);
    });

    it('deletes twice without complaint, and a folder can be filled again', async () => {
      const store = make();
      await store.put('d/one', bytes('.'));
      await store.delete('d/one');
      await store.delete('d/one');
      await expect(store.get('d/one')).rejects.toMatchObject({ code: 'storage.not_found', kind: 'notFound' });
      await store.put('d/one', bytes('again'));
      expect(await paths(store, 'd/')).toEqual(['d/one']);
    });

    it('knows no object where other objects only begin with its path', async () => {
      const store = make();
      await store.put('a/b', bytes('.'));
      for (const path of ['a', 'a/b/c']) {
        await expect(store.get(path)).rejects.toMatchObject({ code: 'storage.not_found', kind: 'notFound' });
        await expect(store.get(path, { start: 0, end: 1 })).rejects.toMatchObject({ code: 'storage.not_found' });
        await store.delete(path);
      }
      expect(await paths(store, '')).toEqual(['a/b']);
    });

    it('refuses paths that leave it', async () => {
      const store = make();
      for (const path of ['../x', '/x', 'a/../../x', '', 'a//b']) {
        await expect(store.put(path, bytes('.'))).rejects.toMatchObject({ code: 'storage.bad_path' });
      }
      for (const prefix of ['../', '/', 'a/../../', 'a//']) {
        await expect(paths(store, prefix)).rejects.toMatchObject({ code: 'storage.bad_path' });
      }
    });
  });
}
