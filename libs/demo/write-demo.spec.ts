import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { writeNextDays } from './next-days.js';
import { writeDemo, type DemoSummary } from './write-demo.js';

const asOf = '2026-02-17';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function digests(outDir: string, summary: DemoSummary): Promise<string> {
  const each = summary.files.map(async ({ path }) =>
    createHash('sha256')
      .update(await readFile(join(outDir, path)))
      .digest('hex'),
  );
  return (await Promise.all(each)).join(' ');
}

async function filesUnder(outDir: string): Promise<string[]> {
  const entries = await readdir(outDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

describe('writeDemo', () => {
  it('writes the same bytes for the same options, and others for another seed', async () => {
    const write = async (name: string, seed: number) => {
      const outDir = join(folder, name);
      return digests(outDir, await writeDemo({ outDir, seed, asOf }));
    };
    const first = await write('a', 42);
    expect(await write('b', 42)).toBe(first);
    expect(await write('c', 43)).not.toBe(first);
  });

  it('keeps its bytes from one version to the next', async () => {
    const outDir = join(folder, 'golden');
    const all = await digests(outDir, await writeDemo({ outDir, asOf }));
    expect(createHash('sha256').update(all).digest('hex')).toBe(
      '001e66749da6fad3db9d3c3885dd102ebfa93cab9fef46508a15012600b81700',
    );
  });

  it('replaces the files of an earlier data set and leaves nothing else', async () => {
    const outDir = join(folder, 'again');
    await writeDemo({ outDir, seed: 1, asOf });
    await writeNextDays({ outDir, days: 2 });
    await writeDemo({ outDir, seed: 2, asOf });
    expect((await filesUnder(outDir)).sort()).toEqual([
      'clickstream.json',
      'customers.json',
      'demo-shop.json',
      'inventory.csv',
      'order_items.csv',
      'orders.csv',
      'orders_2_late_export.csv',
      'payments.json',
      'products.json',
    ]);
  });

  it('leaves no file behind when it is cancelled half way', async () => {
    const outDir = join(folder, 'cancelled');
    const controller = new AbortController();
    const written = writeDemo({
      outDir,
      scale: 10,
      asOf,
      signal: controller.signal,
      onProgress: ({ path }) => {
        if (path.endsWith('orders.csv')) controller.abort(new Error('stop'));
      },
    });
    await expect(written).rejects.toThrow('stop');
    expect(await filesUnder(outDir)).toEqual([]);
  });

  it('leaves no file behind when it is cancelled before it starts', async () => {
    const outDir = join(folder, 'never');
    await expect(writeDemo({ outDir, asOf, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
    expect(await filesUnder(outDir)).toEqual([]);
  });

  it('says which folder it cannot write to', async () => {
    const outDir = join(folder, 'a-file');
    await writeFile(outDir, '');
    await expect(writeDemo({ outDir, asOf })).rejects.toMatchObject({
      code: 'demo.cannot_write',
      at: { path: outDir },
    });
  });

  it.each([0.5, 0.77, 1.5, 3.3])('holds exactly the promised number of records at scale %d', async (scale) => {
    const { files } = await writeDemo({ outDir: join(folder, `scale-${scale}`), scale, asOf });
    const records = Object.fromEntries(files.map((file) => [basename(file.path), file.records]));
    expect(records).toEqual({
      'orders.csv': Math.round(2000 * scale),
      'orders_2_late_export.csv': 5,
      'order_items.csv': Math.round(4904 * scale),
      'customers.json': Math.round(500 * scale),
      'products.json': Math.round(50 * scale),
      'inventory.csv': Math.round(50 * scale) * 3,
      'payments.json': Math.round(2000 * scale),
      'clickstream.json': Math.round(3000 * scale),
    });
  });

  it('reports progress that ends with every expected record', async () => {
    const last = new Map<string, string>();
    await writeDemo({
      outDir: join(folder, 'progress'),
      asOf,
      onProgress: ({ path, records, expected }) => last.set(path, `${records} of ${expected}`),
    });
    expect(last.get('source1_orders_pg/order_items.csv')).toBe('4904 of 4904');
    expect(last.get('source6_payments_api/payments.json')).toBe('2000 of 2000');
    expect(last.size).toBe(8);
  });

  it.each([
    ['2026-02-30', 1, 'demo.bad_date'],
    ['yesterday', 1, 'demo.bad_date'],
    [asOf, 0, 'demo.bad_scale'],
    [asOf, Number.NaN, 'demo.bad_scale'],
    [asOf, 1e9, 'demo.bad_scale'],
  ])('refuses as-of %s at scale %d with %s', async (date, scale, code) => {
    await expect(writeDemo({ outDir: join(folder, 'bad'), asOf: date, scale })).rejects.toMatchObject({ code });
  });
});
