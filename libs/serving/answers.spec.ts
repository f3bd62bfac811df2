import { open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { setTimeout } from 'node:timers/promises';
import { LakeError } from '#errors';
import { DuckDbEngine, type Row } from '#engine';
import type { ObjectStore } from '#storage';
import { parseQuery, restKey, tablesRead, whereKey, type Answers, type AskedRelease } from '#serving';
import { asRow, sale, SalesLake, salesTables, type Sale } from './sales-lake.js';

const scopes = new Set<string>();
const select = ['sale_id', 'sold_at', 'shop_id', 'amount'];
let lake: SalesLake;

beforeEach(async () => {
  lake = await SalesLake.make();
});

afterEach(() => lake.remove());

/** Like a door: what the body of an answer would be. */
async function bodyOf(answers: Answers, json: object, asked: AskedRelease = {}): Promise<string> {
  const pinned = await answers.pin(asked);
  try {
    const query = parseQuery(json, sale, salesTables);
    const read = tablesRead(query, sale, salesTables);
    const page = await pinned.page(query, sale, scopes, { total: true });
    const { rows, nextCursor, total } = page;
    return JSON.stringify({
      rows,
      nextCursor,
      total,
      release: await pinned.labelOf(read),
      etag: pinned.versionOf(read),
    });
  } finally {
    pinned.unpin();
  }
}

interface Body {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
  readonly total: number;
}

async function ask(answers: Answers, json: object, asked: AskedRelease = {}): Promise<Body> {
  return JSON.parse(await bodyOf(answers, json, asked)) as Body;
}

async function streamed(answers: Answers, json: object): Promise<readonly Row[]> {
  const pinned = await answers.pin({});
  try {
    const rows: Row[] = [];
    const query = parseQuery(json, sale, salesTables, { streamed: true });
    for await (const batch of pinned.stream(query, sale, scopes).batches) rows.push(...batch);
    return rows;
  } finally {
    pinned.unpin();
  }
}

/** So many sales over `days` days from 2026-01-20 on, some at midnight, some at one instant. */
function sales(count: number, days: number, seed = 0): readonly Sale[] {
  return Array.from({ length: count }, (_, n) => {
    const mixed = (n * 7919 + seed * 104_729) % 1_000_003;
    const day = new Date(Date.UTC(2026, 0, 20 + (mixed % days))).toISOString().slice(0, 10);
    const time = ['00:00:00', '12:30:00', '23:59:59.999999'][mixed % 3] ?? '';
    return {
      sale_id: `s${String(mixed * 31 + n).padStart(9, '0')}`,
      sold_at: `${day}T${time}Z`,
      shop_id: mixed % 5 === 0 ? null : mixed % 70 === 1 ? 9 : (mixed % 4) + 1,
      amount: `${(mixed % 1000) + 0.25}`,
    };
  });
}

function byTime(rows: readonly Sale[], descending = false): readonly Row[] {
  const text = (row: Sale) => row.sold_at.replace(/(:\d\d)Z/, '$1.0Z');
  const sign = descending ? -1 : 1;
  return rows
    .toSorted((a, b) => (a.sold_at === b.sold_at ? (a.sale_id < b.sale_id ? -1 : 1) : text(a) < text(b) ? -sign : sign))
    .map(asRow);
}

describe('Answers', () => {
  it('pages through exactly the rows of one release while newer ones are published', async () => {
    const answers = await lake.answers();
    const day = fc.integer({ min: 18, max: 50 }).map((n) => new Date(Date.UTC(2026, 0, n)).toISOString().slice(0, 10));
    const instant = fc
      .tuple(day, fc.constantFrom('00:00:00', '12:30:00', '23:59:59.999999'))
      .map(([d, t]) => `${d}T${t}Z`);
    const question = fc.record({
      from: fc.option(fc.tuple(fc.constantFrom('gte', 'gt'), instant), { nil: undefined }),
      to: fc.option(fc.tuple(fc.constantFrom('lte', 'lt'), instant), { nil: undefined }),
      shop: fc.option(fc.constantFrom(1, 9), { nil: undefined }),
      descending: fc.boolean(),
      limit: fc.integer({ min: 1, max: 40 }),
      isBuilt: fc.boolean(),
    });
    let seed = 0;
    let published = sales(2000, 28);
    await lake.publish(published, { 1: 'Ulm', 2: 'Bonn', 3: 'Kiel', 4: 'Jena' });
    await answers.refresh();
    await fc.assert(
      fc.asyncProperty(question, async ({ from, to, shop, descending, limit, isBuilt }) => {
        if (isBuilt) await answers.built();
        const bounds = Object.fromEntries([from, to].filter((bound) => bound !== undefined));
        const where = { sold_at: bounds, ...(shop === undefined ? {} : { shop_id: { eq: shop } }) };
        const json = { select, where, sort: [descending ? '-sold_at' : 'sold_at'], limit };
        const text = (instant: string) => instant.replace(/(:\d\d)Z/, '$1.0Z');
        const expected = byTime(
          published.filter(({ sold_at, shop_id }) => {
            if (shop !== undefined && shop_id !== shop) return false;
            const [fromIs, least = ''] = from ?? [];
            const [toIs, most = ''] = to ?? [];
            const at = text(sold_at);
            if (fromIs === 'gte' ? at < text(least) : fromIs === 'gt' && at <= text(least)) return false;
            return !(toIs === 'lte' ? at > text(most) : toIs === 'lt' && at >= text(most));
          }),
          descending,
        );
        expect(await streamed(answers, { select, where, sort: json.sort })).toEqual(expected);
        const found: Row[] = [];
        let page = await ask(answers, json);
        expect(page.total).toBe(expected.length);
        for (let n = 0; ; n++) {
          found.push(...page.rows);
          if (page.nextCursor === null || n === 4) break;
          if (n === 1) {
            published = sales(2000, 28, ++seed);
            await lake.publish(published);
            await answers.refresh();
          }
          page = await ask(answers, { ...json, cursor: page.nextCursor }, { cursor: page.nextCursor });
        }
        expect(found).toEqual(page.nextCursor === null ? expected : expected.slice(0, found.length));
      }),
      { numRuns: 15 },
    );
  });

  it('gives the same bytes of a release after ten more, before and after its files were built, and with an empty cache', async () => {
    const answers = await lake.answers();
    const first = sales(3000, 40);
    await lake.publish(first, { 1: 'Ulm', 2: 'Bonn' });
    await answers.refresh();
    const key = restKey(asRow(first[17] ?? sales(1, 1)[0]!), sale);
    const questions: readonly object[] = [
      { select, sort: ['-sold_at'], limit: 5 },
      { select, where: whereKey(key, sale) },
      { select, where: { sale_id: { in: first.slice(0, 50).map(({ sale_id }) => sale_id) } }, limit: 20 },
      { select: ['sale_id', 'shop.city'], where: { shop: { city: { eq: 'Ulm' } } }, sort: ['amount'], limit: 7 },
      { group: ['month(sold_at)', 'shop.city'], measures: ['sum(amount)', 'avg(amount)', 'count()'] },
    ];
    const bodies = (asked: Answers, release: number) =>
      Promise.all(questions.map((json) => bodyOf(asked, json, { release })));
    const expected = await bodies(answers, 1);
    await answers.built();
    expect(await bodies(answers, 1)).toEqual(expected);
    for (let n = 2; n <= 11; n++) {
      await lake.publish([...first, ...sales(n, 2, n)], n === 5 ? { 1: 'Ulm', 2: 'Berlin' } : undefined);
      if (n % 3 === 0) await answers.refresh();
    }
    await answers.refresh();
    expect(answers.current?.number).toBe(11);
    expect(await bodies(answers, 1)).toEqual(expected);
    const latest = await bodies(answers, 11);
    await answers.built();
    expect(await bodies(answers, 11)).toEqual(latest);
    expect(latest).not.toEqual(expected);
    await answers.close();
    await rm(lake.cacheDir, { recursive: true });
    const restarted = await lake.answers();
    expect(await bodies(restarted, 1)).toEqual(expected);
    await restarted.built();
    expect(await bodies(restarted, 11)).toEqual(latest);
  });

  it('goes on from a cursor in every release whose tables are the same, and in no other', async () => {
    const answers = await lake.answers();
    const rows = sales(50, 10);
    await lake.publish(rows, { 1: 'Ulm' });
    await lake.publish(rows, { 1: 'Neu-Ulm' });
    await lake.publish(sales(50, 10, 1));
    await answers.refresh();
    const json = { select, limit: 10 };
    const { nextCursor: cursor } = await ask(answers, json, { release: 1 });
    const second = await bodyOf(answers, { ...json, cursor }, { release: 1 });
    expect(await bodyOf(answers, { ...json, cursor }, { release: 2 })).toBe(second);
    expect(await bodyOf(answers, { ...json, cursor }, { cursor: cursor ?? '' })).toBe(second);
    await expect(bodyOf(answers, { ...json, cursor }, { release: 3 })).rejects.toMatchObject({
      code: 'cursor-mismatch',
    });
  });

  it('goes on from a cursor whose release was removed, as long as its tables are the same', async () => {
    const rows = sales(50, 10);
    await lake.publish(rows, { 1: 'Ulm' });
    await lake.publish(rows, { 1: 'Neu-Ulm' });
    const answers = await lake.answers();
    const own = { select: ['sale_id'], limit: 10 };
    const related = { select: ['sale_id', 'shop.city'], limit: 10 };
    const first = await ask(answers, own, { release: 2 });
    const second = await ask(answers, { ...own, cursor: first.nextCursor }, { release: 2 });
    const older = await ask(answers, related, { release: 1 });
    await rm(join(lake.folder, 'lake/_releases/00000000000000000001.json'));
    const later = await lake.answers();
    const cursor = String(first.nextCursor);
    expect((await ask(later, { ...own, cursor }, { cursor })).rows).toEqual(second.rows);
    const gone = String(older.nextCursor);
    await expect(ask(later, { ...related, cursor: gone }, { cursor: gone })).rejects.toMatchObject({
      code: 'release-gone',
    });
    await lake.publish(sales(50, 10, 1));
    await later.refresh();
    await expect(ask(later, { ...own, cursor }, { cursor })).rejects.toMatchObject({ code: 'release-gone' });
  });

  it('says of a removed release what its answers said of it while it was kept', async () => {
    await lake.publish(sales(50, 10), { 1: 'Ulm' });
    await lake.publish(sales(50, 10), { 1: 'Neu-Ulm' });
    const labelOf = async (answers: Answers) => {
      const pinned = await answers.pin({ release: 2 });
      const label = await pinned.labelOf(['gold/sale']);
      pinned.unpin();
      return label;
    };
    const first = await labelOf(await lake.answers());
    expect(first.id).toBe(1);
    await rm(join(lake.folder, 'lake/_releases/00000000000000000001.json'));
    expect(await labelOf(await lake.answers())).toEqual(first);
  });

  it('keeps files of the newest release only, and none that a killed process left half-built', async () => {
    await lake.publish(sales(500, 40), { 1: 'Ulm' });
    const before = await lake.answers();
    await before.built();
    await before.close();
    const [whole = ''] = (await readdir(lake.cacheDir)).filter((name) => name.startsWith('gold.sale.'));
    // 2^22 is above every process id
    const halfBuilt = whole.replace('.duckdb', '.ab12cd34.4194305.building');
    await writeFile(join(lake.cacheDir, halfBuilt), 'half');
    await writeFile(join(lake.cacheDir, `${halfBuilt}.wal`), 'half');
    const answers = await lake.answers();
    await answers.built();
    expect(await readdir(lake.cacheDir)).toHaveLength(2);
    for (let n = 1; n < 6; n++) {
      await lake.publish(sales(500, 40, n));
      await answers.refresh();
      await answers.built();
    }
    const files = await readdir(lake.cacheDir);
    expect(files).toHaveLength(2);
    expect(files).not.toContain(whole);
    expect(files.filter((name) => /^gold\.sale\.6\./.test(name))).toHaveLength(1);
  });

  it('makes the file of a later version from the one before, with the same answers as from nothing', async () => {
    const answers = await lake.answers();
    let rows = sales(4000, 700);
    await lake.publish(rows, { 1: 'Ulm' });
    await answers.refresh();
    await answers.built();
    const questions: readonly object[] = [
      { select, sort: ['-sold_at'], limit: 50 },
      { select, where: { shop_id: { eq: 2 } }, sort: ['sold_at'], limit: 10_000 },
      { group: ['shop_id', 'month(sold_at)'], measures: ['count()', 'sum(amount)'] },
    ];
    for (let n = 1; n <= 3; n++) {
      const month = rows[n * 17]?.sold_at.slice(0, 7) ?? '';
      // some leave the month, some change, one shop gets many more
      rows = rows
        .filter(({ sold_at }, at) => !sold_at.startsWith(month) || at % 3 > 0)
        .map((row) => (row.sold_at.startsWith(month) ? { ...row, shop_id: 2, amount: '7.00' } : row));
      await lake.publish(rows);
      await answers.refresh();
      const fromParquet = await Promise.all(questions.map((json) => bodyOf(answers, json)));
      await answers.built();
      expect(await Promise.all(questions.map((json) => bodyOf(answers, json)))).toEqual(fromParquet);
      expect(JSON.parse(fromParquet[1] ?? '')).toMatchObject({ total: rows.filter((row) => row.shop_id === 2).length });
    }
    expect(await exchangedBytes()).toBeGreaterThan(0);
  });

  it('notices a publish while it builds, and serves what it has while the store fails', async () => {
    await lake.remove();
    let isFailing = false;
    lake = await SalesLake.make((store) => failing(store, () => isFailing));
    const answers = await lake.answers();
    await expect(answers.pin({})).rejects.toMatchObject({ code: 'release.none', kind: 'unavailable' });
    await lake.publish(sales(5000, 40), { 1: 'Ulm' });
    const served = async (number: number) => {
      const startMs = performance.now();
      while (answers.current?.number !== number) await setTimeout(20);
      expect(performance.now() - startMs).toBeLessThan(2000);
    };
    await served(1);
    await lake.publish(sales(5000, 40, 1));
    await served(2);
    const body = await bodyOf(answers, { select, limit: 3 });
    isFailing = true;
    await expect(answers.refresh()).rejects.toMatchObject({ code: 'storage.failed' });
    expect(answers.lastLook.error).toMatchObject({ code: 'storage.failed' });
    expect(await bodyOf(answers, { select, limit: 3 })).toBe(body);
    const restarted = await lake.answers();
    await expect(restarted.pin({})).rejects.toMatchObject({ code: 'release.none', cause: { code: 'storage.failed' } });
    isFailing = false;
    await answers.refresh();
    expect(answers.lastLook.error).toBeUndefined();
    while (restarted.current?.number !== 2) await setTimeout(20);
    expect(await bodyOf(restarted, { select, limit: 3 })).toBe(body);
  });

  it.each(['before', 'after'])('answers and builds anew where a file was damaged %s it was opened', async (when) => {
    await lake.publish(sales(60_000, 40), { 1: 'Ulm' });
    const before = await lake.answers();
    const json = { measures: ['sum(amount)', 'max(sale_id)', 'max(sold_at)', 'count_distinct(shop_id)'] };
    const expected = await bodyOf(before, json);
    await before.built();
    await before.close();
    const [name = ''] = (await readdir(lake.cacheDir)).filter((file) => file.startsWith('gold.sale.'));
    const damage = async () => {
      const file = await open(join(lake.cacheDir, name), 'r+');
      const { size } = await file.stat();
      // each block that is behind the headers
      for (let at = 3 * 4096 + 1000; at < size; at += 256 * 1024) await file.write('damage', at);
      await file.close();
    };
    if (when === 'before') await damage();
    const answers = await lake.answers();
    if (when === 'after') await damage();
    const bodies = await Promise.all([1, 2, 3].map(() => bodyOf(answers, json)));
    expect(bodies).toEqual([expected, expected, expected]);
    await answers.built();
    expect(answers.buildError).toBeUndefined();
    expect(await bodyOf(answers, json)).toBe(expected);
  });
});

async function exchangedBytes(): Promise<number> {
  const engine = await DuckDbEngine.open({ workDir: join(lake.folder, 'work') });
  const [name = ''] = (await readdir(lake.cacheDir)).filter((file) => file.startsWith('gold.sale.'));
  await engine.attach('served', join(lake.cacheDir, name));
  const [facts] = await engine.query('SELECT exchanged_bytes AS n FROM served.main.facts');
  await engine.close();
  return Number(facts?.['n']);
}

function failing(store: ObjectStore, isFailing: () => boolean): ObjectStore {
  const check = () => {
    if (isFailing()) throw new LakeError('storage.failed', 'unavailable', 'The disk is away.');
  };
  return {
    url: store.url,
    get: async (path, range) => (check(), store.get(path, range)),
    put: (path, body) => store.put(path, body),
    putIfAbsent: (path, body) => store.putIfAbsent(path, body),
    list: (prefix, startAfter) => (check(), store.list(prefix, startAfter)),
    delete: (path) => store.delete(path),
    localPath: (path) => store.localPath(path),
  };
}
