import { mkdtempSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStore } from './local-store.js';
import { MemoryStore } from './memory-store.js';
import type { ObjectStore } from './object-store.js';

const bytes = (text: string) => Buffer.from(text);
const folder = () => mkdtempSync(join(tmpdir(), 'store-'));

async function paths(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of store.list(prefix, after)) found.push(path);
  return found;
}

/** What every object store promises. */
function describeObjectStore(name: string, make: () => ObjectStore): void {
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

    it('refuses paths that leave it', async () => {
      const store = make();
      for (const path of ['../x', '/x', 'a/../../x', '', 'a//b']) {
        await expect(store.put(path, bytes('.'))).rejects.toMatchObject({ code: 'storage.bad_path' });
      }
    });
  });
}

describeObjectStore('LocalStore', () => new LocalStore(folder()));
describeObjectStore('MemoryStore', () => new MemoryStore());

describe('LocalStore after a crash', () => {
  it('shows nothing of a write that was cut short, and sweeps it once it is old', async () => {
    const root = folder();
    const store = new LocalStore(root);
    await store.put('t/a', bytes('.'));
    await writeFile(join(root, 't', '.tmp-00000000-0000-0000-0000-000000000000'), 'half');
    expect(await paths(store, 't/')).toEqual(['t/a']);
    expect(await store.sweepTemporary(3_600_000, Date.now())).toBe(0);
    expect(await store.sweepTemporary(3_600_000, Date.now() + 7_200_000)).toBe(1);
  });
});

describe('MemoryStore that goes wrong', () => {
  it.each([
    ['fail', false, true],
    ['lose', true, true],
    ['stop', false, false],
  ] as const)('%s: applied %s, alive afterwards %s', async (kind, applied, alive) => {
    const store = new MemoryStore(new Map(), { atCall: 2, kind });
    await store.put('one', bytes('1'));
    await expect(store.put('two', bytes('2'))).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await paths(store.reopen(), '')).toEqual(applied ? ['one', 'two'] : ['one']);
    const third = store.put('three', bytes('3'));
    await (alive ? third : expect(third).rejects.toMatchObject({ kind: 'unavailable' }));
  });
});
