import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmStart, shopsmart } from './shopsmart.js';

describe('shopsmart', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'usage-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  it('lists its commands on --help and ends with 0', async () => {
    const { code, stdout, stderr } = await shopsmart(['--help'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of [
      'run',
      'demo',
      'releases',
      'export',
      'sql',
      'trace',
      'prove',
      'rollback',
      'loads',
      'vacuum',
      'doctor',
    ])
      expect(stdout).toContain(`  ${command} `);
  });

  it('documents the options of run', async () => {
    const { stdout } = await shopsmart(['run', '--help'], { cwd });
    for (const option of ['--landing', '--lake', '--as-of', '--full', '--rehash', '--engine', '--json'])
      expect(stdout).toContain(option);
  });

  it.each([
    [[], 'Usage: shopsmart'],
    [['walk'], "unknown command 'walk'"],
    [['run', '--fast'], "unknown option '--fast'"],
    [['run', 'twice'], 'too many arguments'],
    [['run', '--as-of', '2026-02-30'], 'It must be a date'],
    [['run', '--as-of', 'today'], 'It must be a date'],
    [['run', '--engine', 'postgres'], 'Allowed choices are duckdb, spark'],
    [['run', '--lake', ''], 'It is empty'],
    [['demo', '--scale', '0'], 'It must be a number above 0'],
    [['demo', '--scale', '9999999'], 'demo.bad_scale'],
    [['demo', '--days', '2'], '--days counts the days that --next-day writes'],
    [['demo', '--next-day', '--days', '0'], 'at least 1'],
    [['demo', '--next-day', '--seed', '7'], "'--next-day' cannot be used with option '--seed"],
    [['export'], "missing required argument 'table'"],
    [['export', 'fact_sales', '--format', 'xlsx'], 'Allowed choices are parquet, csv, ndjson'],
    [['export', 'fact_sales', '--format', 'parquet'], 'parquet needs a file'],
    [['sql'], "missing required argument 'select'"],
    [['sql', 'SELECT 1', '--release', '-1'], 'at least 1'],
    [['run', '--engine', 'spark'], 'spark is not built yet'],
    [['run', '--lake', 'abfss://lake@shop.dfs.core.windows.net/prod'], 'only a folder can be a lake for now'],
    [['run', '--lake', 's3://bucket/lake'], 'must be a folder or abfss://'],
  ])('ends with 2 and says why: %j', async (args, message) => {
    const { code, stdout, stderr } = await shopsmart(args, { cwd });
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('reports all wrong settings together and ends with 2, npm start too', async () => {
    writeFileSync(join(cwd, '.env'), 'SHOPSMART_THREADS=many\n');
    const place = { cwd, env: { SHOPSMART_KEEP_RELEASES: '-3' } };
    for (const { code, stderr, stdout } of [await shopsmart(['run', '--json'], place), await npmStart(place)]) {
      expect(stderr).toContain('SHOPSMART_THREADS = "many" (from .env)');
      expect(stderr).toContain('SHOPSMART_KEEP_RELEASES = "-3"');
      expect(stderr).not.toContain('    at ');
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
  });

  it('writes the days that follow a demo shop, and says how to load them; without a shop it ends with 1', async () => {
    const next = ['demo', '--next-day', '--days', '2', '--out', 'shop'];
    expect(await shopsmart(next, { cwd })).toMatchObject({ code: 1, stderr: expect.stringContaining('demo.no_shop') });
    await shopsmart(['demo', '--scale', '0.5', '--as-of', '2026-02-27', '--out', 'shop'], { cwd });
    const { code, stdout, stderr } = await shopsmart(next, { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('source1_orders_pg/orders_2026-02-28.csv');
    expect(stdout).toContain('source6_payments_api/payments_2026-03-01.json');
    expect(stderr).toContain('Next: npx shopsmart run --landing shop --as-of 2026-03-01');
  });

  it('shows a stack trace only when LOG_LEVEL is debug', async () => {
    const missing = ['run', '--landing', 'nowhere'];
    const { code, stderr } = await shopsmart(missing, { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('code: load.no_landing');
    expect(stderr).not.toContain('    at ');
    expect((await shopsmart(missing, { cwd, env: { LOG_LEVEL: 'debug' } })).stderr).toContain('    at ');
  });

  it('says that a lake without releases has none', async () => {
    expect(await shopsmart(['releases'], { cwd })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No release'),
    });
    expect(await shopsmart(['releases', '--json'], { cwd })).toMatchObject({ code: 0, stdout: '{"data":[]}\n' });
    expect(await shopsmart(['sql', 'SELECT 1'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('publishes the first'),
    });
  });
});
