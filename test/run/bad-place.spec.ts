import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import type { RunReport } from '#pipeline';
import { AS_OF, landSmallShop, orderRecord, ordersCsv, Shop } from './shop.js';

// Whole runs, on a machine that may be busy.
jest.setTimeout(300_000);

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const RUN = ['run', '--as-of', AS_OF, '--json'];

/** A lake with one release; each test works on its own copy. */
describe('a run in a bad place', () => {
  const origin = Shop.make();
  let shop: Shop;
  const ids = async () =>
    (await shop.ask('SELECT order_id FROM silver.orders ORDER BY 1')).map((row) => row['order_id']);

  beforeAll(async () => {
    landSmallShop(origin);
    await origin.run();
  });
  beforeEach(() => {
    shop = Shop.make();
    cpSync(origin.folder, shop.folder, { recursive: true, preserveTimestamps: true });
  });
  afterEach(() => shop.remove());
  afterAll(() => origin.remove());

  it('ends with 1 and names a file that cannot be read, and takes it once it can', async () => {
    const loop = join(shop.landing, 'source1_orders_pg/orders_loop.csv');
    symlinkSync(loop, loop);
    shop.land('source1_orders_pg/orders_good.csv', ordersCsv('O-3'));
    const { code, stdout, stderr } = await shop.call(RUN);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('source1_orders_pg/orders_loop.csv');
    expect(stderr).toContain('code: load.unreadable');
    expect(await ids()).toEqual(['O-1', 'O-2']);
    rmSync(loop);
    shop.land('source1_orders_pg/orders_loop.csv', ordersCsv('O-4'));
    expect((await shop.run()).report.release).toBe(2);
    expect(await ids()).toEqual(['O-1', 'O-2', 'O-3', 'O-4']);
  });

  // Rights do not stop root, who alone can start a process of another user.
  (isRoot ? it : it.skip)('says which file this user may not read', async () => {
    shop.land('source1_orders_pg/orders_secret.csv', ordersCsv('O-3'));
    for (const path of ['', ...readdirSync(shop.folder, { recursive: true, encoding: 'utf8' })])
      chownSync(join(shop.folder, path), NOBODY, NOBODY);
    const secret = join(shop.landing, 'source1_orders_pg/orders_secret.csv');
    chownSync(secret, 0, 0);
    chmodSync(secret, 0o600);
    const { code, stderr } = await shop.call(RUN, { uid: NOBODY });
    expect(code).toBe(1);
    expect(stderr).toContain('source1_orders_pg/orders_secret.csv');
    expect(stderr).toContain('give this user the right to read it');
    chmodSync(secret, 0o644);
    expect((await shop.run([], { uid: NOBODY })).report.release).toBe(2);
  });

  it('lets a file wait that is still being written, and takes it whole the next time', async () => {
    const path = join(shop.landing, 'source1_orders_pg/orders_growing.csv');
    shop.land('source1_orders_pg/orders_good.csv', ordersCsv('O-3'));
    writeFileSync(path, ordersCsv());
    let written = 0;
    const writer = setInterval(() => appendFileSync(path, `${orderRecord(`G-${written++}`)}\n`), 2);
    const { report } = await shop.run().finally(() => clearInterval(writer));
    expect(report.files).toContainEqual(
      expect.objectContaining({
        path: 'source1_orders_pg/orders_growing.csv',
        outcome: 'waiting',
        note: 'it changed while it was read',
      }),
    );
    expect(await ids()).toEqual(['O-1', 'O-2', 'O-3']);
    expect((await shop.run()).report.release).toBe(3);
    expect(await ids()).toHaveLength(3 + written);
  });

  it('is safe beside another run: both end well, each number is published once, no row is doubled', async () => {
    shop.land('source1_orders_pg/orders_good.csv', ordersCsv('O-3'));
    const folders = ['one', 'two'].map((name) => ({ env: { SHOPSMART_DATA: join(shop.folder, name) } }));
    const place = { env: { SHOPSMART_LAKE: shop.lake, SHOPSMART_LANDING: shop.landing } };
    const both = await Promise.all(folders.map(({ env }) => shop.call(RUN, { env: { ...env, ...place.env } })));
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const reports = both.map(({ stdout }) => JSON.parse(stdout) as RunReport);
    expect(reports.map(({ release }) => release)).toEqual([2, 2]);
    expect(reports.filter(({ mode }) => mode !== 'none')).toHaveLength(1);
    expect(await ids()).toEqual(['O-1', 'O-2', 'O-3']);
    expect(await shop.ask('SELECT count(*) AS n FROM bronze.orders')).toEqual([{ n: 3 }]);
  });

  it('says that the lake is a file', async () => {
    const lake = join(shop.folder, 'lake.txt');
    writeFileSync(lake, 'no lake');
    const { code, stdout, stderr } = await shop.call([...RUN, '--lake', lake]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(lake);
    expect(stderr).toMatch(/code: \w+\.\w+/);
    expect(readFileSync(lake, 'utf8')).toBe('no lake');
  });

  it('says that there is no landing folder, and makes no lake', async () => {
    const lake = join(shop.folder, 'new');
    const { code, stderr } = await shop.call([...RUN, '--lake', lake, '--landing', 'nowhere']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/nowhere.*--landing/);
    expect(existsSync(join(lake, '_releases'))).toBe(false);
    expect(await ids()).toEqual(['O-1', 'O-2']);
  });

  it('names every wrong setting and its value, and ends with 2', async () => {
    const { code, stderr } = await shop.call(RUN, {
      env: { SHOPSMART_MEMORY_LIMIT: 'much', SHOPSMART_DATE_FROM: 'once' },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('SHOPSMART_MEMORY_LIMIT = "much"');
    expect(stderr).toContain('SHOPSMART_DATE_FROM = "once"');
  });

  describe.each([
    ['the lake', 'data/lake'],
    ['the work folder', 'full'],
  ])('with a full disk under %s', (_, folder) => {
    // Only where a small file system may be mounted.
    (canMount() ? it : it.skip)('says so, keeps the last release, and succeeds once there is room', async () => {
      const full = join(shop.folder, folder);
      mkdirSync(full, { recursive: true });
      const saved = join(shop.folder, 'saved');
      cpSync(full, saved, { recursive: true });
      mount(full);
      try {
        cpSync(saved, full, { recursive: true });
        const ballast = join(full, '.ballast');
        fill(ballast);
        const place = {
          env:
            folder === 'full'
              ? { SHOPSMART_DATA: full, SHOPSMART_LAKE: shop.lake, SHOPSMART_LANDING: shop.landing }
              : {},
        };
        shop.land('source1_orders_pg/orders_good.csv', ordersCsv(...Array.from({ length: 2000 }, (__, n) => `F-${n}`)));
        const { code, stdout, stderr } = await shop.call(RUN, place);
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
        expect(stderr).toMatch(/no room|[Nn]o space|disk is full|ENOSPC/);
        expect(stderr).toMatch(/free|room/i);
        expect(await ids()).toEqual(['O-1', 'O-2']);
        rmSync(ballast);
        expect((await shop.run([], place)).report.release).toBe(2);
        expect(await ids()).toHaveLength(2002);
        expect(await shop.ask('SELECT count(*) AS n FROM bronze.orders')).toEqual([{ n: 2002 }]);
      } finally {
        execFileSync('umount', [full]);
      }
    });
  });
});

function mount(folder: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], { stdio: 'ignore' });
}

function canMount(): boolean {
  const probe = Shop.make();
  try {
    mount(probe.folder);
    execFileSync('umount', [probe.folder]);
    return true;
  } catch {
    return false;
  } finally {
    probe.remove();
  }
}

/** Takes all of the room. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  const chunk = Buffer.alloc(64 * 1024, 1);
  try {
    for (;;) writeSync(file, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}
