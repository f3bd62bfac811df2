import fc from 'fast-check';
import { MemoryStore } from '#storage';
import { HandClock, intercepted, jittery } from './lake-fixture.js';
import { acquireLease, releaseLease, renewLease, type Lease } from './lease.js';

describe('the publishing lease', () => {
  it('goes to one of many at a time, and to each in the end', async () => {
    const takers = fc.integer({ min: 2, max: 5 });
    const pauses = fc.array(fc.nat(9), { minLength: 3, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(takers, pauses, async (count, jitter) => {
        const store = jittery(new MemoryStore(), jitter);
        const clock = new HandClock();
        const fences: number[] = [];
        let holders = 0;
        await Promise.all(
          Array.from({ length: count }, async (_, n) => {
            const lease = await acquireLease(store, clock, `run-${n}`);
            holders += 1;
            expect(holders).toBe(1);
            await renewLease(store, clock, lease);
            fences.push(lease.fence);
            holders -= 1;
            await releaseLease(store, lease);
          }),
        );
        expect(new Set(fences).size).toBe(count);
      }),
      { numRuns: 200 },
    );
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

  it('is not taken by number once that number has been held, given back and cleared', async () => {
    const store = new MemoryStore();
    const clock = new HandClock();
    let later: Lease | undefined;
    const slow = intercepted(store, async (path) => {
      if (later !== undefined || !path.startsWith('_runs/publish.lease/')) return;
      later = { holder: '', fence: 0 };
      await releaseLease(store, await acquireLease(store, clock, 'quick'));
      later = await acquireLease(store, clock, 'later');
    });
    const startMs = clock.nowMs();
    const lease = await acquireLease(slow, clock, 'slow');
    expect(clock.nowMs() - startMs).toBe(60_000);
    expect(lease.fence).toBe((later?.fence ?? 0) + 1);
    const kept: string[] = [];
    for await (const { path } of store.list('_runs/')) kept.push(path);
    expect(kept).toHaveLength(1);
  });
});
