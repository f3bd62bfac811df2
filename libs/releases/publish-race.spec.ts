import fc from 'fast-check';
import { MemoryStore } from '#storage';
import { aLake, CLICKS, contentOfRelease, HandClock, jittery, ORDERS, run, runId, SALES } from './lake-fixture.js';
import { changedTables } from './release.js';
import { ReleaseReader } from './release-reader.js';

describe('publishers at once', () => {
  it('give every number to one of them and lose nothing, and each release is as if they had come one by one', async () => {
    const publishers = fc.array(fc.constantFrom(ORDERS, CLICKS), { minLength: 2, maxLength: 5 });
    const pauses = fc.array(fc.nat(12), { minLength: 3, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(publishers, pauses, async (tables, jitter) => {
        const lake = aLake(jittery(new MemoryStore(), jitter));
        const clock = new HandClock();
        const published = await Promise.all(
          tables.map((table, n) =>
            run(lake, clock, {
              runId: runId(n + 1),
              nonce: `n${n}`,
              appends: { [table]: `row${n}` },
              owner: table === CLICKS ? 'stream' : 'batch',
              asOf: '2026-02-17',
            }),
          ),
        );
        const numbers = published.map(({ number }) => number).sort((a, b) => a - b);
        expect(numbers).toEqual(tables.map((_, n) => n + 1));

        const releases = await new ReleaseReader(lake.store).after(0);
        expect(releases.map(({ run_id }) => run_id).sort()).toEqual(tables.map((_, n) => runId(n + 1)));
        const seen: Record<string, string[]> = { [ORDERS]: [], [CLICKS]: [] };
        for (const release of releases) {
          const n = Number.parseInt(release.run_id.slice(-8), 16) - 1;
          const table = tables[n] ?? '';
          expect(changedTables(release)).toContain(table);
          seen[table]?.push(`row${n}`);
          const content = await contentOfRelease(lake, release);
          expect(content[ORDERS] ?? []).toEqual([...(seen[ORDERS] ?? [])].sort());
          expect(content[CLICKS] ?? []).toEqual([...(seen[CLICKS] ?? [])].sort());
          expect(content[SALES] ?? []).toEqual(seen[ORDERS]?.length ? [[...seen[ORDERS]].sort().join('+')] : []);
        }
      }),
      { numRuns: process.env['SHOPSMART_LONG'] ? 2000 : 40 },
    );
  });
});
