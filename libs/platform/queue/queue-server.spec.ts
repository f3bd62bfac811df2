import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Job, Queue, Worker } from 'bullmq';
import { LakeError } from '#errors';
import { systemClock } from '../lake/open-lake.js';
import { openLog } from '../log/log.js';
import { RunRecords } from '../records/run-records.js';
import { reenqueueLost } from '../runs/reenqueue.js';
import { testPostgres, testRedis, type TestServer } from '../testing/servers.js';
import { QueueHandle } from './queue-handle.js';
import { QueueServer, type RunJob } from './queue-server.js';
import { forQueue, willRetry } from './retry.js';

const log = openLog('test', 'error');
const silenceMs = 800;

describe.each(['postgres', 'redis'] as const)('queues in %s', (kind) => {
  let postgres: TestServer;
  let server: TestServer;
  let queues: QueueServer;
  let queue: Queue;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    postgres = await testPostgres();
    server = kind === 'redis' ? await testRedis() : postgres;
    queues = await queueServer('worker');
    queue = queues.openQueue('runs', log);
    closing.push(() => queue.close());
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
    await server.remove();
    if (server !== postgres) await postgres.remove();
  });

  function queueServer(as: 'api' | 'worker'): Promise<QueueServer> {
    const redisUrl = kind === 'redis' ? server.url : undefined;
    return QueueServer.open({ databaseUrl: postgres.url, redisUrl, as, silenceMs });
  }

  function work(processor: (job: Job<RunJob>) => Promise<void>): Worker<RunJob> {
    const worker = queues.openWorker<RunJob>('runs', processor, log);
    closing.push(() => worker.close());
    return worker;
  }

  const add = (runId: string) => queue.add('run', { run_id: runId }, { jobId: runId });

  it('hand a job to the worker that comes later, once however often it was added', async () => {
    for (let n = 0; n < 3; n++) await add('early');
    const done: string[] = [];
    const worker = work((job) => Promise.resolve(void done.push(job.data.run_id)));
    await until(() => done.length > 0);
    await add('early');
    await add('late');
    await until(() => done.includes('late'));
    expect(done).toEqual(['early', 'late']);
    await worker.close();
  });

  it('try again after what is unavailable, and after nothing else', async () => {
    const calls = { unavailable: [] as boolean[], invalid: [] as boolean[], bug: [] as boolean[] };
    const errors = {
      unavailable: new LakeError('engine.disk_full', 'unavailable', 'the disk is full'),
      invalid: new LakeError('run.unknown_table', 'invalid', 'no such table'),
      bug: new TypeError('x is undefined'),
    };
    const worker = work((job) => {
      const name = job.data.run_id as keyof typeof calls;
      calls[name].push(willRetry(job, errors[name]));
      if (calls[name].length > 1) return Promise.resolve();
      return Promise.reject(forQueue(errors[name]));
    });
    for (const name of Object.keys(calls)) await add(name);
    await until(async () => (await stateOf('unavailable')) === 'completed');
    expect(calls).toEqual({ unavailable: [true, true], invalid: [false], bug: [false] });
    expect([await stateOf('invalid'), await stateOf('bug')]).toEqual(['failed', 'failed']);
    await worker.close();
  });

  it('give the job of a killed worker process to another one, which ends it once', async () => {
    const child = await workerProcess();
    closing.push(() => Promise.resolve(child.kill('SIGKILL')));
    const taken = once(child, 'message');
    await add('orphan');
    expect((await taken)[0]).toBe('took orphan');
    child.kill('SIGKILL');
    await once(child, 'exit');
    let done = 0;
    const worker = work(() => Promise.resolve(void (done += 1)));
    await until(async () => (await stateOf('orphan')) === 'completed');
    await setTimeout(1.5 * silenceMs);
    expect(done).toBe(1);
    await worker.close();
  });

  it('get back what they lost: recorded runs without a job are queued, those of failed jobs are ended', async () => {
    const records = RunRecords.open({ url: postgres.url, clock: systemClock, log });
    closing.push(() => records.close());
    const [lost, dead, ended] = ['20260217t100000-00000001', '20260217t100000-00000002', '20260217t100000-00000003'];
    for (const runId of [lost, dead, ended]) await records.insert({ runId, request: {}, by: 'local' });
    await records.cancel(ended);
    await add(dead);
    const worker = work(() => Promise.reject(forQueue(new Error('out of luck'))));
    await until(async () => (await stateOf(dead)) === 'failed');
    await worker.close();
    expect(await reenqueueLost(records, queue)).toEqual([lost]);
    expect(await reenqueueLost(records, queue)).toEqual([]);
    expect(await stateOf(lost)).toBe('waiting');
    expect(await records.get(dead)).toMatchObject({
      state: 'failed',
      error: { code: 'run.given_up', message: expect.stringContaining('out of luck') },
    });
    expect(await records.unfinished()).toEqual([lost]);
    await queue.remove(lost);
  });

  it('outlive the server: who waits for an answer hears that it is away, workers go on when it is back', async () => {
    const done: string[] = [];
    let inMidJob = () => {};
    const began = new Promise<void>((resolve) => (inMidJob = resolve));
    work(async (job) => {
      inMidJob();
      await setTimeout(job.data.run_id === 'across' ? 1_000 : 0);
      done.push(job.data.run_id);
    });
    const impatient = await queueServer('api');
    const [used, fresh] = [0, 1].map(() => new QueueHandle(() => Promise.resolve(impatient.openQueue('runs', log))));
    if (used === undefined || fresh === undefined) throw new Error('two handles were made');
    closing.push(() => Promise.all([used.close(), fresh.close()]));
    expect(await used.isReachable()).toBe(true);
    if (kind === 'postgres') {
      await add('across');
      await began;
    }
    await server.kill();
    expect(await Promise.all([used.isReachable(), fresh.isReachable()])).toEqual([false, false]);
    const ready = queues.untilReady(log);
    await setTimeout(100);
    await server.start();
    await ready;
    await until(async () => (await used.isReachable()) && (await fresh.isReachable()));
    await used.use((each) => each.add('run', { run_id: 'after' }, { jobId: 'after' }));
    await until(() => done.includes('after') && (kind === 'redis' || done.includes('across')));
    await until(async () => (await stateOf('after')) === 'completed');
    if (kind === 'postgres') await until(async () => (await stateOf('across')) === 'completed');
  });

  async function stateOf(runId: string): Promise<string | undefined> {
    return (await queue.getJob(runId))?.getState();
  }

  /** A worker of its own, by the build in dist, that takes jobs and never ends them. */
  async function workerProcess(): Promise<ChildProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'worker-'));
    closing.push(() => Promise.resolve(rmSync(folder, { recursive: true })));
    const script = join(folder, 'worker.mjs');
    writeFileSync(
      script,
      `import { openLog, QueueServer, Secret } from ${JSON.stringify(resolve('dist/libs/platform/index.js'))};
      const [databaseUrl, redisUrl] = JSON.parse(process.argv[2]).map((url) => url && new Secret(url));
      const server = await QueueServer.open({ databaseUrl, redisUrl, as: 'worker', silenceMs: ${silenceMs} });
      const never = new Promise(() => undefined);
      const worker = server.openWorker('runs', (job) => (process.send('took ' + job.data.run_id), never), openLog('child', 'error'));
      await worker.waitUntilReady();
      process.send('ready');`,
    );
    const urls = [postgres.url.reveal(), ...(kind === 'redis' ? [server.url.reveal()] : [])];
    const child = fork(script, [JSON.stringify(urls)]);
    await once(child, 'message');
    return child;
  }
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const startMs = Date.now(); !(await holds()); await setTimeout(100))
    if (Date.now() - startMs > 50_000) throw new Error('it did not come to pass within 50 s');
}
