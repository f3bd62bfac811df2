import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNextDays } from './next-days.js';
import { writeDemo } from './write-demo.js';

const asOf = '2026-02-17';
let folder: string;
let made = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'next-days-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function aShop(seed = 42): Promise<string> {
  const outDir = join(folder, `shop-${++made}`);
  await writeDemo({ outDir, scale: 0.5, seed, asOf });
  return outDir;
}

async function contentOf(outDir: string): Promise<Readonly<Record<string, string>>> {
  const content: Record<string, string> = {};
  for (const entry of await readdir(outDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    content[path.slice(outDir.length)] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  }
  return content;
}

/** The records of all files of one kind, the first load's first. */
async function csv(outDir: string, path: string, name: RegExp): Promise<readonly (readonly string[])[]> {
  const names = (await readdir(join(outDir, path))).filter((one) => name.test(one)).sort();
  const texts = await Promise.all(names.map((one) => readFile(join(outDir, path, one), 'utf8')));
  return texts.flatMap((text) => text.trimEnd().split('\n').slice(1)).map((line) => line.split(','));
}

describe('writeNextDays', () => {
  it('goes on from where the folder stands: day by day or many at once, the bytes are the same', async () => {
    const [one, many, other] = [await aShop(), await aShop(), await aShop(43)];
    for (let day = 0; day < 14; day++) await writeNextDays({ outDir: one });
    const { asOf: last } = await writeNextDays({ outDir: many, days: 14 });
    await writeNextDays({ outDir: other, days: 14 });
    expect(last).toBe('2026-03-03');
    const content = await contentOf(one);
    expect(Object.keys(content)).toHaveLength(9 + 14 * 7);
    expect(await contentOf(many)).toEqual(content);
    const others = await contentOf(other);
    for (const [path, digest] of Object.entries(content)) expect([path, others[path]]).not.toEqual([path, digest]);
  });

  it('names each new order and line once, charges what its lines cost, and takes it to its end', async () => {
    const outDir = await aShop();
    const known = new Set((await csv(outDir, 'source1_orders_pg', /^orders\.csv/)).map(([id]) => id));
    const paid = await readFile(join(outDir, 'source6_payments_api/payments.json'), 'utf8');
    await writeNextDays({ outDir, days: 30 });
    const lines = new Map<string, Map<string, number>>();
    for (const [item = '', order = '', , quantity, price, percent] of await csv(
      outDir,
      'source1_orders_pg',
      /_items/,
    )) {
      const cents = Math.round(Math.round(Number(price) * 100) * Number(quantity) * (1 - Number(percent) / 100));
      lines.set(order, (lines.get(order) ?? new Map<string, number>()).set(item, cents));
    }
    const orders = new Map<string, readonly string[]>();
    const placed = new Map<string, string>();
    for (const row of await csv(outDir, 'source1_orders_pg', /^orders_2026/)) {
      const [id = '', , date = ''] = row;
      if (row.length !== 12 || known.has(id)) continue;
      expect(placed.get(id) ?? date).toBe(date);
      placed.set(id, date);
      orders.set(id, row);
    }
    expect(orders.size).toBeGreaterThan(100);
    const items = [...lines.values()].flatMap((of) => [...of.keys()]);
    expect(new Set(items).size).toBe(items.length);
    for (const [id, [, , date = '', status = '', total, discount]] of orders) {
      expect(paid).not.toContain(id);
      const net = [...(lines.get(id)?.values() ?? [])].reduce((sum, cents) => sum + cents, 0);
      // What lands broken on the last day is repaired on the next.
      if (date < '2026-03-19')
        expect([id, net]).toEqual([id, Math.round(Number(total) * 100) - Math.round(Number(discount) * 100)]);
      if (date < '2026-03-08') expect(status.trim().toUpperCase()).toMatch(/^(DELIVERED|CANCELLED|RETURNED)$/);
    }
  });

  it('leaves no file of a day that is stopped, and writes that day when it is called again', async () => {
    const [outDir, whole] = [await aShop(), await aShop()];
    const before = await contentOf(outDir);
    const stopped = writeNextDays({ outDir, signal: AbortSignal.abort(new Error('stop')) });
    await expect(stopped).rejects.toThrow('stop');
    expect(await contentOf(outDir)).toEqual(before);
    await writeNextDays({ outDir });
    await writeNextDays({ outDir: whole });
    expect(await contentOf(outDir)).toEqual(await contentOf(whole));
  });

  it('writes a day again, the same, that was killed between two of its files', async () => {
    const outDir = await aShop();
    const state = await readFile(join(outDir, 'demo-shop.json'));
    await writeNextDays({ outDir });
    const whole = await contentOf(outDir);
    await writeFile(join(outDir, 'demo-shop.json'), state);
    await rm(join(outDir, 'source6_payments_api/payments_2026-02-18.json'));
    await writeFile(join(outDir, 'source6_payments_api/.payments_2026-02-18.json.tmp'), '{"transaction_id":"TX');
    await writeNextDays({ outDir });
    expect(await contentOf(outDir)).toEqual(whole);
  });

  it.each([
    ['there is none', undefined],
    ['it is cut short', '{"scale":0.5,"se'],
    ['it counts no days', '{"scale":0.5,"seed":42,"asOf":"2026-02-17","laterDays":-1}'],
    ['it is something else', 'null'],
  ])('refuses a folder without the mark of a demo shop: %s', async (_, mark) => {
    const outDir = await mkdtemp(join(folder, 'no-shop-'));
    if (mark !== undefined) await writeFile(join(outDir, 'demo-shop.json'), mark);
    await expect(writeNextDays({ outDir })).rejects.toMatchObject({ code: 'demo.no_shop' });
    await expect(writeNextDays({ outDir: join(outDir, 'nowhere') })).rejects.toMatchObject({ code: 'demo.no_shop' });
  });

  it.each([0, -1, 3651, Number.NaN])('refuses %d days', async (days) => {
    await expect(writeNextDays({ outDir: await aShop(), days })).rejects.toMatchObject({ code: 'demo.bad_days' });
  });
});
