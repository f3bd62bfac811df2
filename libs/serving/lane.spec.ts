import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine } from '#engine';
import { Lane } from './lane.js';

const endless = 'SELECT sum(a.n * b.n) AS s FROM range(1000000) a(n), range(1000000) b(n)';
const quick = 'SELECT 1 AS one';
let dir: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lane-'));
  engine = await DuckDbEngine.open({ workDir: dir, memoryLimit: '100MB', threads: 1, connections: 1 });
});

afterAll(async () => {
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

async function firstBatch(lane: Lane, sql: string, signal?: AbortSignal): Promise<unknown> {
  for await (const rows of lane.stream(sql, [], signal)) return rows;
  return undefined;
}

describe('Lane', () => {
  it('ends a statement that takes too long, waiting or running, and goes on with the next', async () => {
    const lane = new Lane(engine, { atOnce: 1, waiting: 5, timeoutMs: 150 });
    const late = { code: 'serving.timeout', kind: 'unavailable' };
    await Promise.all([
      expect(lane.query(endless)).rejects.toMatchObject(late),
      expect(lane.query(quick)).rejects.toMatchObject(late),
    ]);
    await expect(firstBatch(lane, endless)).rejects.toMatchObject(late);
    expect(await lane.query(quick)).toEqual([{ one: 1 }]);
    expect(await firstBatch(lane, quick)).toEqual([{ one: 1 }]);
  });

  it('gives the connection of a cancelled statement to the next, and takes one that waits out of the queue', async () => {
    const lane = new Lane(engine, { atOnce: 1, waiting: 1, timeoutMs: 20_000 });
    const cancelled = { code: 'engine.cancelled' };
    for (const run of [
      (signal: AbortSignal) => lane.query(endless, [], { signal }),
      (signal: AbortSignal) => firstBatch(lane, endless, signal),
    ]) {
      const [running, waiting] = [new AbortController(), new AbortController()];
      const first = run(running.signal);
      const second = run(waiting.signal);
      setTimeout(() => waiting.abort(), 30);
      await expect(second).rejects.toMatchObject(cancelled);
      const third = lane.query(quick);
      setTimeout(() => running.abort(), 30);
      await expect(first).rejects.toMatchObject(cancelled);
      expect(await third).toEqual([{ one: 1 }]);
    }
    await expect(lane.query(quick, [], { signal: AbortSignal.abort() })).rejects.toMatchObject(cancelled);
    expect(await lane.query(quick)).toEqual([{ one: 1 }]);
  });

  it('refuses at once what would wait behind too many', async () => {
    const lane = new Lane(engine, { atOnce: 1, waiting: 1, timeoutMs: 20_000 });
    const stop = new AbortController();
    const waiting = [
      lane.query(endless, [], { signal: stop.signal }),
      lane.query(endless, [], { signal: stop.signal }),
    ];
    await expect(lane.query(quick)).rejects.toMatchObject({ code: 'serving.busy', kind: 'unavailable' });
    stop.abort();
    await Promise.allSettled(waiting);
    expect(await lane.query(quick)).toEqual([{ one: 1 }]);
  });

  it('frees its place when a stream is left before its end', async () => {
    const lane = new Lane(engine, { atOnce: 1, waiting: 1, timeoutMs: 20_000 });
    for (let n = 0; n < 3; n++) expect(await firstBatch(lane, 'SELECT * FROM range(100000)')).toHaveLength(2048);
  });
});
