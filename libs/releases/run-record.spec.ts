import { MemoryStore } from '#storage';
import { HandClock, runId, START_MS } from './lake-fixture.js';
import { endRun, listRuns, registerRun, renewRun, runIdFrom, runOfFile } from './run-record.js';

async function aRun(): Promise<{ readonly store: MemoryStore; readonly clock: HandClock }> {
  const store = new MemoryStore();
  const clock = new HandClock();
  await registerRun(store, clock, { runId: runId(1), owner: 'batch', parent: null });
  return { store, clock };
}

describe('a run record', () => {
  it('stands from registration until the run has published', async () => {
    const { store, clock } = await aRun();
    expect(await listRuns(store)).toEqual([
      expect.objectContaining({ run_id: runId(1), owner: 'batch', renewed_at: '2026-02-17T10:00:00.000Z' }),
    ]);
    clock.advance(30_000);
    await renewRun(store, clock, runId(1));
    expect((await listRuns(store))[0]?.renewed_at).toBe('2026-02-17T10:00:30.000Z');
    await endRun(store, clock, runId(1), 'published');
    expect(await listRuns(store)).toEqual([]);
  });

  it('stays beside the report of a run that did not publish', async () => {
    const { store, clock } = await aRun();
    await endRun(store, clock, runId(1), 'unpublished');
    expect((await listRuns(store))[0]?.ended_at).toBe('2026-02-17T10:00:00.000Z');
  });

  it('is not renewed back to life after an hour', async () => {
    const { store, clock } = await aRun();
    clock.advance(3_600_000);
    await expect(renewRun(store, clock, runId(1))).rejects.toMatchObject({ code: 'release.run_expired' });
  });

  it('says when it is damaged', async () => {
    const { store } = await aRun();
    await store.put(`_runs/${runId(1)}.json`, Buffer.from('{'));
    await expect(listRuns(store)).rejects.toMatchObject({ code: 'release.corrupt' });
  });

  it('has an id that the names of its files begin with', () => {
    const id = runIdFrom(START_MS, '0a1b2c3d');
    expect(id).toBe('20260217t100000-0a1b2c3d');
    expect(runOfFile(`gold/sales/day=2026-02-17/${id}-0-abc.parquet`)).toBe(id);
    expect(runOfFile('gold/sales/part-00000-0a1b2c3d.snappy.parquet')).toBeUndefined();
    expect(() => runIdFrom(START_MS, 'nothex')).toThrow(/is no run id/);
  });

  it('refuses an id that could name another path', async () => {
    const { store, clock } = await aRun();
    await expect(registerRun(store, clock, { runId: '../x', owner: 'batch', parent: null })).rejects.toMatchObject({
      code: 'release.run_id',
    });
  });
});
