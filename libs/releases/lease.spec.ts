import { MemoryStore } from '#storage';
import { HandClock } from './lake-fixture.js';
import { acquireLease, releaseLease, renewLease } from './lease.js';

describe('the publishing lease', () => {
  it('goes to one of many at a time, and to each in the end', async () => {
    const store = new MemoryStore();
    const clock = new HandClock();
    const order: string[] = [];
    await Promise.all(
      Array.from({ length: 6 }, async (_, n) => {
        const lease = await acquireLease(store, clock, `run-${n}`);
        order.push(`+${n}`);
        await clock.sleep(10);
        order.push(`-${n}`);
        await releaseLease(store, lease);
      }),
    );
    expect(order).toHaveLength(12);
    for (let i = 0; i < order.length; i += 2) expect(order[i + 1]).toBe(order[i]?.replace('+', '-'));
  });

  it('passes on from a holder that died, once it expires', async () => {
    const store = new MemoryStore();
    const clock = new HandClock();
    const dead = await acquireLease(store, clock, 'dead');
    const startMs = clock.nowMs();
    const next = await acquireLease(store, clock, 'next');
    expect(next.fence).toBeGreaterThan(dead.fence);
    expect(clock.nowMs() - startMs).toBe(60_000);
  });

  it('stays with a holder that renews', async () => {
    const store = new MemoryStore();
    const clock = new HandClock();
    const lease = await acquireLease(store, clock, 'holder');
    clock.advance(30_000);
    expect(await renewLease(store, clock, lease)).toBe(true);
    const startMs = clock.nowMs();
    await acquireLease(store, clock, 'next');
    expect(clock.nowMs() - startMs).toBe(60_000);
  });

  it('cannot be renewed or given back by a holder that was fenced off', async () => {
    const store = new MemoryStore();
    const clock = new HandClock();
    const stalled = await acquireLease(store, clock, 'stalled');
    clock.advance(60_000);
    const next = await acquireLease(store, clock, 'next');
    expect(await renewLease(store, clock, stalled)).toBe(false);
    await releaseLease(store, stalled);
    expect(await renewLease(store, clock, next)).toBe(true);
  });
});
