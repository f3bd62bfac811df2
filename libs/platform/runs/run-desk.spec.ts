import type { Queue } from 'bullmq';
import { endRun, registerRun, reportPath, runIdFrom } from '#releases';
import { MemoryStore } from '#storage';
import { openLog } from '../log/log.js';
import { QueueServer } from '../queue/queue-server.js';
import { RunRecords } from '../records/run-records.js';
import { testPostgres, testRedis, type TestServer } from '../testing/servers.js';
import { openRunDesk } from './open-run-desk.js';
import type { RunDesk } from './run-desk.js';

const log = openLog('test', 'silent' as never);
const MINUTE_MS = 60_000;
let nowMs = Date.parse('2026-02-17T10:00:00Z');
const clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() };
let made = 0;

describe('the desk of runs', () => {
  let postgres: TestServer;
  let redis: TestServer;
  let records: RunRecords;
  let queue: Queue;
  let store: MemoryStore;
  let desk: RunDesk;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([testPostgres(), testRedis()]);
    records = RunRecords.open({ url: postgres.url, clock, log });
    const where = { databaseUrl: postgres.url, redisUrl: redis.url };
    queue = (await QueueServer.open({ ...where, as: 'worker' })).openQueue('runs', log);
    closing.push(
      () => records.close(),
      () => queue.close(),
    );
  });
  beforeEach(() => {
    nowMs += 24 * 60 * MINUTE_MS;
    store = new MemoryStore();
    desk = openDesk();
  });
  afterAll(async () => {
    for (const close of closing) await close();
    await Promise.all([postgres.remove(), redis.remove()]);
  });

  function openDesk(): RunDesk {
    const opened = openRunDesk({ databaseUrl: postgres.url, redisUrl: redis.url, store, clock, log });
    closing.push(() => opened.close());
    return opened;
  }

  /** The id of a run that is made a minute later than the last one. */
  function laterId(): string {
    nowMs += MINUTE_MS;
    return runIdFrom(nowMs, (made++).toString(16).padStart(8, '0'));
  }

  async function publishes(number: number, runId: string): Promise<void> {
    const release = {
      ...{ format: 1, number, parent: number > 1 ? number - 1 : null, run_id: runId, nonce: `n${number}` },
      ...{ published_at: new Date((nowMs += MINUTE_MS)).toISOString(), as_of: '2026-02-17', mode: 'full', tables: {} },
      ...{ loads: {}, withdrawn: [], offsets: {}, checks: [], counts: {}, complete_until: {}, report: null },
    };
    const path = `_releases/${String(number).padStart(20, '0')}.json`;
    await store.put(path, Buffer.from(JSON.stringify(release)));
  }

  async function fromCommandLine(): Promise<string> {
    const runId = laterId();
    await registerRun(store, clock, { runId, owner: 'batch', parent: null });
    return runId;
  }

  async function requested(): Promise<string> {
    nowMs += MINUTE_MS;
    return (await desk.request({ reason: 'a test' }, 'local')).run_id;
  }

  it('records and queues what is asked, and shows it', async () => {
    const run = await desk.request({ as_of: '2026-02-01', tables: ['gold/fact_sales'] }, 'local');
    expect(run).toMatchObject({ state: 'queued', origin: 'queue', requested_by: 'local', as_of: '2026-02-01' });
    expect((await queue.getJob(run.run_id))?.data).toEqual({ run_id: run.run_id });
    expect(await desk.get(run.run_id)).toEqual(run);
    expect(await desk.get('20260217t101112-ffffffff')).toBeUndefined();
    expect(await desk.get('../../etc/passwd')).toBeUndefined();
    await expect(desk.list({ limit: 1, before: '\0' })).rejects.toMatchObject({ code: 'cursor-mismatch' });
  });

  it('gives every run once, newest first, whoever started it and however it ended', async () => {
    const published = await fromCommandLine();
    await publishes(1, published);
    await endRun(store, clock, published, 'published');
    const failed = await fromCommandLine();
    await endRun(store, clock, failed, 'unpublished');
    const refused = await fromCommandLine();
    const checks = [{ table: 'gold/fact_sales', name: 'key', severity: 'error', passed: false, failing_rows: 1 }];
    await store.put(reportPath(refused), Buffer.from(JSON.stringify({ checks })));
    await endRun(store, clock, refused, 'unpublished');
    // Its worker published and died before it could say so.
    const queued = await requested();
    await records.begin(queued, { worker: 'w', today: '2026-02-17' });
    await registerRun(store, clock, { runId: queued, owner: 'batch', parent: 1 });
    await publishes(2, queued);
    const lost = await fromCommandLine();
    nowMs += 10 * MINUTE_MS;
    const waiting = await requested();
    const working = await fromCommandLine();
    const { runs, next } = await desk.list({ limit: 7 });
    const found = runs.map(({ run_id, state, origin, release }) => [run_id, state, origin, release]);
    expect(found).toEqual([
      [working, 'running', 'command', null],
      [waiting, 'queued', 'queue', null],
      [lost, 'lost', 'command', null],
      [queued, 'published', 'queue', 2],
      [refused, 'check_failed', 'command', null],
      [failed, 'failed', 'command', null],
      [published, 'published', 'command', 1],
    ]);
    expect(next).not.toBeNull();
    for (const run of runs) expect(await desk.get(run.run_id)).toEqual(run);
    expect(await desk.report(refused)).toEqual({ checks });
    expect(await desk.report(failed)).toBeUndefined();
  });

  it('pages through all of them without losing or repeating one, also when slow runs publish late', async () => {
    const all: string[] = [];
    const slowOnes: string[] = [];
    let release = 0;
    for (let n = 0; n < 4; n++) {
      const slow = await fromCommandLine();
      slowOnes.push(slow);
      all.push(slow, await requested());
      const quick = laterId();
      await publishes(++release, quick);
      all.push(quick, await fromCommandLine());
    }
    for (const slow of slowOnes) await publishes(++release, slow);
    for (const limit of [1, 3, 5]) {
      const seen: string[] = [];
      for (let before: string | null = runIdFrom(nowMs + MINUTE_MS, 'ffffffff'); before !== null && seen.length < 16;) {
        const page = await desk.list({ limit, before });
        seen.push(...page.runs.map(({ run_id }) => run_id));
        before = page.next;
      }
      expect(seen.slice(0, 16)).toEqual([...all].reverse());
    }
  });

  it('reads no more of the lake than a page needs', async () => {
    for (let n = 1; n <= 60; n++) await publishes(n, await fromCommandLine());
    const read: string[] = [];
    const get = store.get.bind(store);
    store.get = (path, range) => {
      read.push(path);
      return get(path, range);
    };
    const { next } = await desk.list({ limit: 5 });
    expect(read.length).toBeLessThan(10);
    await desk.list({ limit: 5, before: next ?? '' });
    await desk.list({ limit: 5 });
    expect(read.length).toBeLessThan(20);
  });

  it('gives the same run for the same idempotency key, at several desks at once', async () => {
    const desks = [desk, openDesk(), openDesk()];
    const runs = await Promise.all(desks.map((each) => each.request({ full: true }, 'local', 'once')));
    expect(new Set(runs.map(({ run_id }) => run_id)).size).toBe(1);
    await expect(desk.request({}, 'local', 'once')).rejects.toMatchObject({ code: 'run.idempotency_mismatch' });
  });

  it('cancels: a queued run is gone from the queue, others are asked to stop or cannot be', async () => {
    const queued = await requested();
    expect(await desk.cancel(queued)).toMatchObject({ state: 'cancelled' });
    expect(await queue.getJob(queued)).toBeUndefined();
    await expect(desk.cancel(queued)).rejects.toMatchObject({ code: 'run.ended' });
    const running = await requested();
    await records.begin(running, { worker: 'w', today: '2026-02-17' });
    expect(await desk.cancel(running)).toMatchObject({ state: 'running' });
    expect(await records.isCancelRequested(running)).toBe(true);
    await expect(desk.cancel(laterId())).rejects.toMatchObject({ code: 'run.not_found' });
    await expect(desk.cancel(await fromCommandLine())).rejects.toMatchObject({ code: 'run.of_command_line' });
  });

  it('takes a run although Redis is away, and says which of its servers answer', async () => {
    expect(await desk.health()).toEqual({ records: true, queue: true });
    await redis.kill();
    const run = await desk.request({}, 'local');
    expect(await records.unfinished()).toContain(run.run_id);
    expect(await desk.health()).toEqual({ records: true, queue: false });
    await postgres.kill();
    await expect(desk.request({}, 'local')).rejects.toMatchObject({ code: 'records.unavailable' });
    expect(await desk.health()).toEqual({ records: false, queue: false });
    await Promise.all([redis.start(), postgres.start()]);
    expect((await desk.request({}, 'local')).state).toBe('queued');
  });
});
