import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytes, describeObjectStore, folder, paths } from './describe-object-store.js';
import { localCopy } from './local-copy.js';
import { LocalStore } from './local-store.js';
import { MemoryStore } from './memory-store.js';

describeObjectStore('LocalStore', () => new LocalStore(folder()));
describeObjectStore('MemoryStore', () => new MemoryStore());

describe('localCopy', () => {
  it("is the store's own file where the store is a disk", async () => {
    const store = new LocalStore(folder());
    await store.put('t/a', bytes('data'));
    expect(await localCopy(store, 't/a', '/nowhere')).toBe(join(store.url, 't/a'));
  });

  it('is fetched once, whoever asks at the same time, and leaves nothing unfinished behind', async () => {
    const store = new MemoryStore();
    await store.put('t/p=a%20b/a', bytes('data'));
    const cache = folder();
    const copies = await Promise.all([1, 2, 3].map(() => localCopy(store, 't/p=a%20b/a', cache)));
    expect(new Set(copies)).toEqual(new Set([join(cache, 't/p=a%20b/a')]));
    await store.delete('t/p=a%20b/a');
    expect(await readFile(await localCopy(store, 't/p=a%20b/a', cache), 'utf8')).toBe('data');
    await expect(localCopy(store, 't/p=a%20b/b', cache)).rejects.toMatchObject({ code: 'storage.not_found' });
    expect(await readdir(join(cache, 't/p=a%20b'))).toEqual(['a']);
  });
});

describe('LocalStore with files of the caller', () => {
  // On Linux a file system of its own, so the file cannot be linked; elsewhere the ordinary way is taken once more.
  const elsewhere = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

  it('copies one from another file system, which stays', async () => {
    const other = mkdtempSync(join(elsewhere, 'store-'));
    try {
      const file = join(other, 'part');
      await writeFile(file, 'data');
      const store = new LocalStore(folder());
      await store.put('t/part', { file });
      await writeFile(file, 'changed');
      if (elsewhere !== tmpdir()) expect(await readFile(join(store.url, 't/part'), 'utf8')).toBe('data');
      expect(await store.putIfAbsent('t/part', { file })).toBe(false);
      expect(await readdir(join(store.url, 't'))).toEqual(['part']);
      expect(await readFile(file, 'utf8')).toBe('changed');
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it('names a file that is missing, and writes nothing', async () => {
    const store = new LocalStore(folder());
    await expect(store.put('t/part', { file: '/nowhere/part' })).rejects.toMatchObject({ code: 'storage.not_found' });
    expect(await paths(store, '')).toEqual([]);
  });
});

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
