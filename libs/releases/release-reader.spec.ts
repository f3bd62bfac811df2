import { MemoryStore } from '#storage';
import { encodeRelease, LATEST_HINT, releasePath, type Release } from './release.js';
import { ReleaseReader } from './release-reader.js';
import { aRelease, wrapped } from './lake-fixture.js';

async function aStoreWith(...numbers: number[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const number of numbers) await store.put(releasePath(number), encodeRelease(aRelease({ number })));
  await store.put('_releases/staged/20260217t100000-00000001/gold/sales.0.json', Buffer.from('{}'));
  return store;
}

const numbersOf = (releases: readonly Release[]) => releases.map(({ number }) => number);

describe('ReleaseReader', () => {
  it('finds no release in an empty lake', async () => {
    expect(await new ReleaseReader(new MemoryStore()).latest()).toBeUndefined();
    expect(await new ReleaseReader(await aStoreWith()).latest()).toBeUndefined();
  });

  it.each([
    ['is missing', undefined],
    ['lags', '2\n'],
    ['is right', '11\n'],
    ['is ahead of the records', '40\n'],
    ['is garbage', 'eleven'],
  ])('finds the newest release when the hint %s', async (_, hint) => {
    const store = await aStoreWith(1, 2, 3, 10, 11);
    if (hint !== undefined) await store.put(LATEST_HINT, Buffer.from(hint));
    expect((await new ReleaseReader(store).latest())?.number).toBe(11);
  });

  it('reads the hint and one record however many releases there are, and lists after the hint', async () => {
    const store = await aStoreWith(...Array.from({ length: 300 }, (_, at) => at + 1));
    await store.put(LATEST_HINT, Buffer.from('298\n'));
    const asked: string[] = [];
    const watched = wrapped(store, {
      get: (path) => (asked.push(path), store.get(path)),
      list: (prefix, after) => (asked.push(`after ${after}`), store.list(prefix, after)),
    });
    expect((await new ReleaseReader(watched).latest())?.number).toBe(300);
    expect(asked).toEqual([LATEST_HINT, `after ${releasePath(298)}`, releasePath(300)]);
  });

  it('lists newest first, page by page', async () => {
    const reader = new ReleaseReader(await aStoreWith(1, 2, 3, 10, 11));
    expect(numbersOf(await reader.list({ limit: 2 }))).toEqual([11, 10]);
    expect(numbersOf(await reader.list({ before: 10, limit: 2 }))).toEqual([3, 2]);
    expect(numbersOf(await reader.list({ before: 2, limit: 2 }))).toEqual([1]);
  });

  it('gives the releases after a number, oldest first', async () => {
    const reader = new ReleaseReader(await aStoreWith(2, 3, 10, 11));
    expect(numbersOf(await reader.after(3))).toEqual([10, 11]);
  });

  it('says undefined for a release that is not there', async () => {
    expect(await new ReleaseReader(await aStoreWith(1)).get(2)).toBeUndefined();
  });

  it('tells a release that was removed from a number that never was one', async () => {
    const reader = new ReleaseReader(await aStoreWith(1, 4));
    expect((await reader.existing(4)).number).toBe(4);
    for (const number of [2, 3]) await expect(reader.existing(number)).rejects.toMatchObject({ code: 'release-gone' });
    for (const number of [0, 5])
      await expect(reader.existing(number)).rejects.toMatchObject({ code: 'release.not_found' });
  });

  it('finds what an earlier attempt of a run published', async () => {
    const store = await aStoreWith(1, 2);
    await store.put(releasePath(3), encodeRelease(aRelease({ number: 3, run_id: '20260217t100000-0000000f' })));
    const reader = new ReleaseReader(store);
    expect((await reader.byRun('20260217t100000-0000000f', 1))?.number).toBe(3);
    expect(await reader.byRun('20260217t100000-0000000e', 1)).toBeUndefined();
  });
});
