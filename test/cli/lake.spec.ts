import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunReport } from '#pipeline';
import { shopsmart, type Ended } from './shopsmart.js';

/** One lake for all tests of this file: they read it, or add a release to it, in order. */
describe('a lake of the demo shop', () => {
  let cwd: string;
  let first: Ended;
  const run = (...args: readonly string[]) => shopsmart(args, { cwd });
  const ask = async (sql: string, ...options: readonly string[]) => {
    const { code, stdout, stderr } = await run('sql', sql, '--json', ...options);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as { readonly data: readonly Record<string, unknown>[]; readonly release: number };
  };

  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'lake-'));
    await run('demo');
    first = await run('run');
  });
  afterAll(() => rmSync(cwd, { recursive: true }));

  it('is made by a first run, which prints a line a table, the equation and the release', () => {
    expect(first.stderr).not.toContain('Error');
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^silver\/orders .* 1,948 .*$/m);
    expect(first.stdout).toMatch(/^gold\/fact_sales .* 4,780 .*$/m);
    expect(first.stdout).toContain('rows in = rows out + duplicates + quarantined holds');
    expect(first.stdout).toMatch(/^Release 1 published, as of /m);
  });

  it('publishes nothing when run again, and says so in one JSON document', async () => {
    const { code, stdout, stderr } = await run('run', '--json');
    const report = JSON.parse(stdout) as RunReport;
    expect({ code, release: report.release, parent: report.parent, mode: report.mode, tables: report.tables }).toEqual({
      code: 0,
      release: 1,
      parent: 1,
      mode: 'none',
      tables: [],
    });
    expect(stderr).not.toContain('{');
  });

  it('answers SQL over gold by bare name, and over every other layer', async () => {
    expect(await ask('SELECT count(*) AS n, sum(net_line_total) > 0 AS ok FROM fact_sales;')).toEqual({
      data: [{ n: 4780, ok: true }],
      release: 1,
    });
    expect((await ask('SELECT count(*) AS n FROM silver.orders')).data).toEqual([{ n: 1948 }]);
    expect((await ask('SELECT count(*) AS n FROM bronze.customers')).data).toEqual([{ n: 500 }]);
    expect(
      (await ask("SELECT count(*) AS n FROM quarantine.orders WHERE list_contains(rules, 'malformed')")).data,
    ).toEqual([{ n: 3 }]);
    expect(await ask('SELECT 1 AS n WHERE false')).toEqual({ data: [], release: 1 });
  });

  it('prints SQL results as a table for people', async () => {
    const { code, stdout, stderr } = await run('sql', "SELECT 'a' AS t, 12.50 AS d, NULL AS n -- the end");
    expect({ code, stdout }).toEqual({ code: 0, stdout: 't      d     n\na  12.50  NULL\n' });
    expect(stderr).toContain('release 1');
  });

  it.each([
    'DELETE FROM gold.fact_sales',
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "COPY (SELECT 1) TO 'stolen.csv'",
    'SELEC 1',
  ])('refuses %s with exit code 2', async (sql) => {
    const { code, stdout, stderr } = await run('sql', sql);
    expect(stderr).toContain('code: sql.refused');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('says 1 for SQL that fails, and names an unknown release', async () => {
    expect((await run('sql', 'SELECT no_such_column FROM fact_sales')).code).toBe(1);
    expect(await run('sql', 'SELECT 1', '--release', '99')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no release 99'),
    });
  });

  it('exports a table in each format, whole', async () => {
    for (const format of ['csv', 'ndjson', 'parquet']) {
      expect(await run('export', 'fact_sales', '--out', `sales.${format}`)).toMatchObject({ code: 0, stdout: '' });
    }
    const csv = readFileSync(join(cwd, 'sales.csv'), 'utf8').split('\r\n');
    expect(csv).toHaveLength(4782);
    expect(csv[0]).toMatch(/^sales_key,/);
    const lines = readFileSync(join(cwd, 'sales.ndjson'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(4780);
    expect(JSON.parse(lines[0] ?? '')).toHaveProperty('net_line_total');
    expect(lines[0]).toMatch(/"net_line_total":\d+\.\d\d,/);
    const parquet = readFileSync(join(cwd, 'sales.parquet'));
    expect([parquet.subarray(0, 4).toString(), parquet.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
    expect(readdirSync(cwd).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('exports to standard output, and an empty table with its header', async () => {
    const { code, stdout } = await run('export', 'silver.streaming_clickstream');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^event_id,.*\r\n$/);
  });

  it('answers an unknown table with those that there are', async () => {
    const { code, stderr } = await run('export', 'sales', '--out', 'x.csv');
    expect(code).toBe(2);
    expect(stderr).toContain('gold.fact_sales');
    expect(existsSync(join(cwd, 'x.csv'))).toBe(false);
  });

  it('lists its releases', async () => {
    const { stdout } = await run('releases', '--json');
    const { data } = JSON.parse(stdout) as { readonly data: readonly Record<string, unknown>[] };
    expect(data).toEqual([
      expect.objectContaining({ release: 1, changed_tables: expect.arrayContaining(['gold/fact_sales']) }),
    ]);
    expect((await run('releases')).stdout).toMatch(/^ +1 /m);
  });

  it('is found healthy by doctor, which warns about a misspelt setting', async () => {
    const { code, stdout } = await shopsmart(['doctor'], { cwd, env: { PORT: '0' } });
    expect(stdout).not.toMatch(/^(warn|fail)/m);
    expect(stdout).toMatch(/^ok +api /m);
    expect(stdout).toMatch(/^ok +postgres +of our own/m);
    expect(code).toBe(0);
    expect((await shopsmart(['doctor'], { cwd, env: { SHOPSMART_LAK: 'x' } })).stdout).toMatch(
      /^warn +settings .*SHOPSMART_LAK/m,
    );
  });

  it('has its port, its PostgreSQL and its Redis looked at by doctor', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const env = {
      PORT: String(port),
      DATABASE_URL: 'postgres://me:hush@127.0.0.1:1/shop',
      REDIS_URL: 'redis://:hush@127.0.0.1:1',
    };
    const { code, stdout } = await shopsmart(['doctor'], { cwd, env });
    other.close();
    expect(stdout).toMatch(new RegExp(`^warn +api .*port ${port} .* in use.*PORT=\\d+ npm start`, 'm'));
    expect(stdout).toMatch(/^fail +postgres +127.0.0.1:1 \(DATABASE_URL\) cannot be used: .*ECONNREFUSED/m);
    expect(stdout).toMatch(/^fail +redis +127.0.0.1:1 \(REDIS_URL\) cannot be used: .*ECONNREFUSED/m);
    expect(stdout).not.toContain('hush');
    expect(code).toBe(1);
  });

  it('has nothing for vacuum, which finds and removes a file that a dead run left', async () => {
    expect((await run('vacuum')).stdout).toContain('Nothing to remove');
    const folder = join(cwd, 'data/lake/gold/dim_date');
    const name = readdirSync(folder).find((file) => file.endsWith('.parquet')) ?? '';
    const orphan = join(folder, '20200101t000000-00000000-orphan.parquet');
    copyFileSync(join(folder, name), orphan);
    expect((await run('vacuum', '--dry-run')).stdout).toContain('orphan.parquet');
    expect(existsSync(orphan)).toBe(true);
    expect((await run('doctor')).stdout).toMatch(/^warn +runs .*shopsmart vacuum/m);
    expect((await run('vacuum')).stdout).toContain('1 files');
    expect(existsSync(orphan)).toBe(false);
    expect((await ask('SELECT count(*) AS n FROM fact_sales')).data).toEqual([{ n: 4780 }]);
  });

  it('takes a new file into the next release and keeps the old one readable', async () => {
    const landing = join(cwd, 'data/landing');
    writeFileSync(
      join(landing, 'products_new.json'),
      JSON.stringify({
        product_id: 'NEW-1',
        product_name: 'New',
        category: 'toys',
        price: '10.00',
        cost_price: '4.00',
      }),
    );
    const { code, stdout } = await run('run', '--json');
    const report = JSON.parse(stdout) as RunReport;
    expect({ code, release: report.release, parent: report.parent }).toEqual({ code: 0, release: 2, parent: 1 });
    expect((await ask('SELECT count(*) AS n FROM dim_product')).data).toEqual([{ n: 51 }]);
    expect(await ask('SELECT count(*) AS n FROM dim_product', '--release', '1')).toEqual({
      data: [{ n: 50 }],
      release: 1,
    });
  });

  it('goes back to an earlier release: bronze and later releases stay, and loads made since count no more', async () => {
    const { code, stdout } = await run('rollback', '1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      mode: 'rollback',
      release: 3,
      rollback_to: 1,
      withdrawn: [{ source: 'products', load: 2, records: 1 }],
      tables: expect.arrayContaining([
        expect.objectContaining({ layer: 'gold', table: 'dim_product', rows_before: 51, total_rows: 50 }),
      ]),
    });
    const counts =
      'SELECT (SELECT count(*) FROM dim_product) AS gold, (SELECT count(*) FROM bronze.products) AS bronze';
    expect((await ask(counts)).data).toEqual([{ gold: 50, bronze: 51 }]);
    expect((await run('releases')).stdout).toMatch(/^ +3 .* rollback to 1 .* 1 loads /m);
    expect((await run('rollback', '99')).stderr).toContain('code: release.not_found');
  });

  it('tells with every run which files stay out, until their load is restored', async () => {
    const { stdout } = await run('run');
    expect(stdout).toContain('products_new.json: its bytes came with load products/2, which is withdrawn');
    expect((await run('loads', 'list', '--withdrawn')).stdout).toMatch(/^products\/2 +withdrawn +1 +1 /m);
    expect((await run('loads', 'restore', 'products')).code).toBe(2);
    expect((await run('loads', 'restore', 'products/9')).stderr).toContain('code: load.not_found');
    expect(await run('loads', 'restore', 'products/2', '--reason', 'it was right')).toMatchObject({ code: 0 });
    expect((await ask('SELECT count(*) AS n FROM dim_product')).data).toEqual([{ n: 51 }]);
  });

  it('is stopped cleanly by Ctrl-C: exit code 1, nothing published, nothing left in the work folder', async () => {
    const landing = join(cwd, 'data/landing');
    mkdirSync(landing, { recursive: true });
    appendFileSync(join(landing, 'products_newer.json'), JSON.stringify({ product_id: 'NEW-2', price: 1 }));
    const releaseBefore = (await ask('SELECT 1 AS n')).release;
    const { code, stderr } = await shopsmart(['run'], { cwd, interruptBy: 'SIGINT' });
    expect(stderr).toContain('Stopped. Nothing of this was published.');
    expect(code).toBe(1);
    expect((await ask('SELECT 1 AS n')).release).toBe(releaseBefore);
    expect(readdirSync(join(cwd, 'data/work'))).toEqual([]);
  });

  it('is reported broken by doctor when a file is gone', async () => {
    const folder = join(cwd, 'data/lake/gold/dim_date');
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.parquet'))) rmSync(join(folder, name));
    const { code, stdout } = await run('doctor');
    expect(stdout).toMatch(/^fail +lake .*gold\/dim_date/m);
    expect(code).toBe(1);
  });
});
