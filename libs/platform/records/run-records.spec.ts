import { systemClock } from '../lake/open-lake.js';
import { openLog } from '../log/log.js';
import { testPostgres, type TestServer } from '../testing/servers.js';
import { RunRecords } from './run-records.js';

const log = openLog('test', 'error');
const worker = { worker: 'here:1', today: '2026-02-17' };
let postgres: TestServer;
let nowMs = Date.parse('2026-02-17T10:00:00Z');
const clock = { ...systemClock, nowMs: () => nowMs };
const opened: RunRecords[] = [];
let made = 0;

beforeAll(async () => {
  postgres = await testPostgres();
});
afterAll(async () => {
  await Promise.all(opened.map((records) => records.close()));
  await postgres.remove();
});

function open(): RunRecords {
  const records = RunRecords.open({ url: postgres.url, clock, log });
  opened.push(records);
  return records;
}

function newRunId(): string {
  return `20260217t100000-${(made++).toString(16).padStart(8, '0')}`;
}

async function aRun(records: RunRecords, request = {}): Promise<string> {
  const runId = newRunId();
  await records.insert({ runId, request, by: 'local' });
  return runId;
}

describe('records of runs', () => {
  let records: RunRecords;

  it('are made once although several processes start at the same moment', async () => {
    const several = [open(), open(), open(), open()];
    await Promise.all(several.map((each) => each.list({ limit: 1 })));
    records = several[0] ?? open();
  });

  it('follow a run from its request to its end', async () => {
    const runId = newRunId();
    const request = { tables: ['gold/fact_sales'], reason: 'a wrong price' };
    expect(await records.insert({ runId, request, by: 'local' })).toMatchObject({
      run_id: runId,
      state: 'queued',
      origin: 'queue',
      request,
      created_at: '2026-02-17T10:00:00.000Z',
      attempts: 0,
    });
    expect(await records.unfinished()).toContain(runId);
    const begun = await records.begin(runId, worker);
    expect(begun).toEqual({ runId, attempt: 1, by: 'local', request, asOf: '2026-02-17' });
    const stage = {
      stage: 'load',
      state: 'running',
      done: 3,
      total: 6,
      started_at: '2026-02-17T10:00:01.000Z',
    } as const;
    await records.stage({ runId, attempt: 1 }, { ...stage, done: 1, finished_at: null });
    await records.stage({ runId, attempt: 1 }, { ...stage, finished_at: null });
    const running = await records.get(runId);
    expect(running).toMatchObject({ state: 'running', attempts: 1, as_of: '2026-02-17' });
    expect(running?.stages.map(({ stage, state, done }) => [stage, state, done])).toEqual([
      ['load', 'running', 3],
      ...['silver', 'gold', 'ml', 'checks', 'publish'].map((name) => [name, 'waiting', 0]),
    ]);
    expect(await records.end({ runId, attempt: 1 }, { state: 'published', release: 7 })).toBe(true);
    expect(await records.get(runId)).toMatchObject({ state: 'published', release: 7, finished_at: expect.any(String) });
    expect(await records.begin(runId, worker)).toBeUndefined();
    expect(await records.unfinished()).not.toContain(runId);
  });

  it('keep the as-of date of the first attempt, and do not hear an attempt that was replaced', async () => {
    const runId = await aRun(records);
    await records.begin(runId, worker);
    expect(await records.begin(runId, { ...worker, today: '2026-02-18' })).toMatchObject({
      attempt: 2,
      asOf: '2026-02-17',
    });
    await records.stage(
      { runId, attempt: 1 },
      { stage: 'gold', state: 'done', done: 1, total: 1, started_at: null, finished_at: null },
    );
    expect((await records.get(runId))?.stages.every(({ state }) => state === 'waiting')).toBe(true);
    const error = { code: 'engine.disk_full', message: 'full' };
    expect(await records.end({ runId, attempt: 1 }, { state: 'failed', error })).toBe(false);
    expect(await records.end({ runId, attempt: 2 }, { state: 'failed', error })).toBe(true);
    expect(await records.get(runId)).toMatchObject({ state: 'failed', error });
    expect(await records.end({ runId, attempt: 1 }, { state: 'published', release: 8 })).toBe(true);
  });

  it('cancel a queued run at once, ask a running one to stop, and leave one that ended', async () => {
    const [queued, running, crashed] = [await aRun(records), await aRun(records), await aRun(records)];
    await records.begin(running, worker);
    await records.begin(crashed, worker);
    expect(await records.cancel(queued)).toBe('cancelled');
    expect(await records.begin(queued, worker)).toBeUndefined();
    expect(await records.cancel(running)).toBe('requested');
    expect(await records.isCancelRequested(running)).toBe(true);
    await records.end({ runId: running, attempt: 1 }, { state: 'cancelled' });
    expect(await records.cancel(running)).toBe('ended');
    expect(await records.cancel(newRunId())).toBe('unknown');
    // Its worker died before it could stop: whoever takes it up stops it.
    await records.cancel(crashed);
    expect(await records.begin(crashed, worker)).toBeUndefined();
    expect(await records.get(crashed)).toMatchObject({ state: 'cancelled' });
  });

  it('give the run of the first time for an idempotency key, to many who ask at once, for 24 hours', async () => {
    const ask = (request: object, by = 'local', key = 'k1') =>
      (opened[made % 4] ?? records).insert({ runId: newRunId(), request, by, idempotencyKey: key });
    const runs = await Promise.all(Array.from({ length: 8 }, () => ask({ full: true, reason: 'x' })));
    expect(new Set(runs.map(({ run_id }) => run_id)).size).toBe(1);
    expect((await ask({ reason: 'x', full: true })).run_id).toBe(runs[0]?.run_id);
    await expect(ask({ full: false, reason: 'x' })).rejects.toMatchObject({ code: 'run.idempotency_mismatch' });
    expect((await ask({}, 'somebody else')).run_id).not.toBe(runs[0]?.run_id);
    nowMs += 24 * 3_600_000;
    expect((await ask({ full: false })).run_id).not.toBe(runs[0]?.run_id);
    expect((await records.list({ limit: 100 })).filter(({ request }) => request.reason === 'x')).toHaveLength(1);
  });

  it('take whatever text a request or a key has', async () => {
    const reason = 'NUL \u0000, half a pair \ud800, \' and "';
    const run = await records.insert({
      runId: newRunId(),
      request: { reason },
      by: 'local',
      idempotencyKey: 'é\0'.repeat(5_000),
    });
    expect((await records.get(run.run_id))?.request).toEqual({ reason });
  });

  it('say that PostgreSQL is away, and work again when it is back', async () => {
    const runId = await aRun(records);
    await postgres.kill();
    const away = open();
    for (const each of [records, away])
      await expect(each.get(runId)).rejects.toMatchObject({ code: 'records.unavailable', kind: 'unavailable' });
    expect(await records.isReachable()).toBe(false);
    await postgres.start();
    for (const each of [records, away]) expect(await each.get(runId)).toMatchObject({ state: 'queued' });
  });
});
