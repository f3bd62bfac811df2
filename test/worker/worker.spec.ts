import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { writeDemo } from '#demo';
import { openLog, newRunId, openLake, runShop, type RunView } from '#platform';
import { testPostgres, testRedis, type TestServer } from '../../libs/platform/testing/servers.js';
import { shopsmart } from '../cli/shopsmart.js';
import { eventually, killed, WorkerShop, type Servers } from './worker-shop.js';

const AS_OF = '2026-02-17';
const STAGES = ['load', 'silver', 'gold', 'ml', 'checks', 'publish'];

const landing = mkdtempSync(join(tmpdir(), 'worker-landing-'));
const shops: WorkerShop[] = [];
let postgres: TestServer;
let redis: TestServer;
let undisturbed: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  const signal = new AbortController().signal;
  await writeDemo({ outDir: landing, scale: 0.5, asOf: AS_OF, onProgress: () => undefined, signal });
  [postgres, redis] = await Promise.all([testPostgres(), testRedis()]);
  const shop = await aShop('postgres');
  const open = await openLake(shop.settings);
  await runShop(shop.settings, open, { runId: newRunId(), asOf: AS_OF, onProgress: () => undefined, signal });
  await open.close();
  undisturbed = await shop.content();
});

afterAll(async () => {
  for (const shop of shops) await shop.remove();
  await Promise.all([postgres.remove(), redis.remove()]);
  rmSync(landing, { recursive: true });
});

/** With records, a queue and a lake of its own. */
async function aShop(queue: string): Promise<WorkerShop> {
  const name = `shop_${shops.length}`;
  const url = new URL(postgres.url.reveal());
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  url.pathname = name;
  const servers: Servers =
    queue === 'redis'
      ? { databaseUrl: url.href, redisUrl: `${redis.url.reveal()}/${shops.length}` }
      : { databaseUrl: url.href };
  const shop = new WorkerShop(landing, servers);
  shops.push(shop);
  return shop;
}

describe.each(['postgres', 'redis'])('with the queue in %s', (queue) => {
  it('a worker says what a run would do, or why it cannot be done, and nothing comes into the lake', async () => {
    const shop = await aShop(queue);
    const impossible = await shop.plans.request({ tables: ['gold/none'] }, 0);
    expect(impossible).toMatchObject({ state: 'waiting', plan: null });
    await shop.work();
    const { plan_id, state, plan } = await shop.plans.request({ as_of: AS_OF }, 240_000);
    expect(state).toBe('planned');
    expect(JSON.parse(plan ?? '')).toMatchObject({ outcome: 'publish', release: null, as_of: AS_OF });
    expect(await shop.plans.get(plan_id)).toMatchObject({ state: 'planned', plan });
    const error = { code: 'run.unknown_table' };
    expect(await shop.plans.get(impossible.plan_id)).toMatchObject({ state: 'failed', error });
    expect(existsSync(shop.settings.lake)).toBe(false);
  }, 300_000);

  it('a run whose workers die during load, during gold and after it published is finished by the next, and published once', async () => {
    const shop = await aShop(queue);
    const { run_id } = await shop.request({ as_of: AS_OF });
    expect(await shop.desk.get(run_id)).toMatchObject({ state: 'queued', attempts: 0 });
    const has = (layer: string) => eventually(() => shop.steps().find((step) => step.startsWith(layer)), 2);
    // There is always another one that has nothing to do yet.
    let [worker, spare] = [await shop.work(), shop.work()];
    const next = async () => {
      [worker, spare] = [await spare, shop.work()];
    };
    await has('bronze/');
    await killed(worker);
    await next();

    await has('silver/');
    // One that is asked to end hands the run on: nobody has to wait until it is held to be dead.
    worker.kill('SIGTERM');
    expect(await once(worker, 'exit')).toEqual([0, null]);
    await next();

    await has('gold/');
    await killed(worker);
    await next();

    await eventually(() => shop.hasRelease(1) || undefined, 2);
    await killed(worker);
    await spare;

    // A worker takes the journal away once the run has ended in its record.
    await eventually(() => shop.steps().length === 0 || undefined);
    const run = await shop.desk.get(run_id);
    expect(run).toMatchObject({ state: 'published', release: 1, origin: 'queue', as_of: AS_OF });
    // How many of the deaths came before the run went on to its next stage is up to the machine.
    expect(run?.attempts).toBeGreaterThan(1);
    expect((await shop.releases()).map((release) => release.run_id)).toEqual([run_id]);
    expect(await shop.content()).toEqual(undisturbed);
    expect(await shop.desk.report(run_id)).toMatchObject({ run_id, release: 1, parent: null });
  }, 120_000);
});

describe('a worker', () => {
  let shop: WorkerShop;
  beforeAll(async () => {
    shop = await aShop('redis');
    await shop.work();
  });

  it('tells of each stage', async () => {
    const { run_id } = await shop.request({ as_of: AS_OF });
    // The release is seen before the worker has told of it.
    const published = await shop.until(run_id, ({ stages }) => stages.at(-1)?.state === 'done');
    expect(published).toMatchObject({ state: 'published', release: 1, attempts: 1 });
    expect(published.stages.map(({ stage }) => stage)).toEqual(STAGES);
    for (const { state, done, total, started_at, finished_at } of published.stages) {
      expect({ state, done: total > 0 && done === total }).toEqual({ state: 'done', done: true });
      expect(Date.parse(finished_at ?? '')).toBeGreaterThanOrEqual(Date.parse(started_at ?? ''));
    }
    const idle = await shop.ended((await shop.request({ as_of: AS_OF, tables: ['gold/fact_sales'] })).run_id);
    expect(idle).toMatchObject({ state: 'nothing_new', release: null, error: null });
    expect(idle.stages.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done', 'waiting', 'waiting']);
  });

  it('tries again what was unavailable, and nothing else', async () => {
    const wrong = await shop.ended((await shop.request({ tables: ['gold/sales'] })).run_id);
    expect(wrong).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'run.unknown_table' } });

    const runs = join(shop.settings.lake, '_runs');
    renameSync(runs, `${runs}_`);
    writeFileSync(runs, 'in the way');
    const { run_id } = await shop.request({ as_of: '2026-02-18' });
    const waits = await shop.until(run_id, ({ attempts, state }) => attempts >= 2 && state === 'queued');
    expect(waits.error).toMatchObject({ code: 'storage.failed' });
    rmSync(runs);
    renameSync(`${runs}_`, runs);
    expect(await shop.ended(run_id)).toMatchObject({ state: 'published', release: 2, error: null });
  });

  it('stops a run that is cancelled, and leaves nothing of it', async () => {
    const { run_id } = await shop.request({ as_of: '2026-02-19', full: true });
    await shop.until(run_id, ({ state }) => state === 'running');
    await shop.desk.cancel(run_id);
    const run = await shop.ended(run_id);
    expect(run).toMatchObject({ state: 'cancelled', release: null });
    expect(await shop.releases()).toHaveLength(2);
    await eventually(() => shop.steps().length === 0 || undefined);
  });

  it('lists the runs of the command line beside its own', async () => {
    const { lake, data } = shop.settings;
    const env = { SHOPSMART_LAKE: lake, SHOPSMART_DATA: data, SHOPSMART_LANDING: landing };
    const { code, stdout } = await shopsmart(['run', '--as-of', '2026-02-20', '--json'], { cwd: shop.folder, env });
    expect(code).toBe(0);
    const { run_id, release } = JSON.parse(stdout) as { run_id: string; release: number };
    const { runs } = await shop.desk.list({ limit: 10 });
    const told = runs.map(({ origin, state }) => ({ origin, state }));
    expect(runs[0]).toMatchObject({
      run_id,
      origin: 'command',
      state: 'published',
      release,
    } satisfies Partial<RunView>);
    expect(told.slice(1).every(({ origin }) => origin === 'queue')).toBe(true);
  });

  it('exports tables, removes what nobody needs, and does so daily', async () => {
    const queue = (await shop.server).openQueue('maintenance', openLog('test', 'error'));
    const done = async (name: string, data: object) => {
      const { id } = await queue.add(name, data);
      return eventually(async () => {
        const job = await queue.getJob(id ?? '');
        return job?.finishedOn === undefined ? undefined : job;
      });
    };
    const { returnvalue } = await done('export', { table: 'gold/dim_product', format: 'ndjson' });
    const { file, release } = returnvalue as { file: string; release: number };
    expect(file).toBe(join(shop.settings.data, 'exports', `gold.dim_product-release-${release}.ndjson`));
    expect(JSON.parse(readFileSync(file, 'utf8').split('\n')[0] ?? '')).toHaveProperty('product_id');
    const refused = await done('export', { table: 'nothing', format: 'csv' });
    expect(refused).toMatchObject({
      attemptsMade: 1,
      failedReason: expect.stringContaining("no table 'nothing'") as string,
    });
    expect((await done('vacuum', {})).returnvalue).toEqual({ releases: 0, files: 0, bytes: 0 });
    expect(await queue.getJobSchedulers()).toMatchObject([{ name: 'vacuum', pattern: '30 3 * * *' }]);
    await queue.close();
    expect(existsSync(file)).toBe(true);
  });

  it('ends with 2 when settings are wrong, and says which', async () => {
    const child = shop.spawn('main.js', {});
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    expect(await once(child, 'exit')).toEqual([2, null]);
    expect(said).toContain('DATABASE_URL');
  });
});
