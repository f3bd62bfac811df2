import fc from 'fast-check';
import { MemoryStore } from '#storage';
import { Workshop, type Content, type SmallLake } from './testing/small-lake.js';
import { repairOf } from './testing/small-repair.js';
import { csvOf, type OrderRecord } from './testing/small-shop.js';

const workshop = new Workshop();
afterAll(() => workshop.close());

/** Each breaks a rule or two, or is no record at all; `good` is what it should have been. */
const broken: fc.Arbitrary<{ readonly bad: OrderRecord; readonly good: OrderRecord }> = fc
  .record({
    order: fc.constantFrom('a', 'b', 'c', 'd'),
    customer: fc.constantFrom('c1', 'c2'),
    tier: fc.constantFrom('basic', 'gold'),
    placedOn: fc.constantFrom('2026-01-10', '2026-01-31', '2026-02-10'),
    amount: fc.constantFrom('10.00', '12.50'),
    updatedAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', ''),
  })
  .chain((good) =>
    fc
      .constantFrom<Partial<OrderRecord>>(
        {},
        { order: '' },
        { customer: '', amount: 'much' },
        { placedOn: 'soon' },
        { placedOn: '2026-02-20' },
        { amount: '-1' },
        { amount: '1,2,3' },
      )
      .map((wrong) => ({ good, bad: { ...good, ...wrong } })),
  );
const files = fc.array(fc.array(broken, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 });

function computed(content: Content): Content {
  return Object.fromEntries(
    Object.entries(content).filter(([table]) => !/^bronze\/(orders|loads|repairs)$/.test(table)),
  );
}

async function content(lake: SmallLake): Promise<Content> {
  return computed(await lake.content(await lake.latest()));
}

describe('repairs of any broken records', () => {
  it('give what the records would have given had they come so, and undone what was before; a second replay does nothing', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.infiniteStream(fc.boolean()), async (loads, chosen) => {
        const lake = workshop.lake();
        const twin = workshop.lake();
        for (const [n, records] of loads.entries()) {
          lake.land(`shop/orders_${n}.csv`, csvOf(records.map(({ bad }) => bad)));
          await lake.run();
        }
        const before = await content(lake);
        const repaired = new Set<string>();
        const repair = await repairOf(lake, 'r1', ({ file, row }) => {
          if (chosen.next().value !== true) return undefined;
          repaired.add(`${file}:${row}`);
          return loads[Number(/\d+/.exec(file)?.[0])]?.[row - 1]?.good;
        });
        if (repair.records.length === 0) return;

        const options = { repairs: [repair], skipLanding: true };
        expect(await lake.run(options)).toMatchObject({ outcome: 'published' });
        for (const [n, records] of loads.entries()) {
          const path = `shop/orders_${n}.csv`;
          twin.land(path, csvOf(records.map(({ bad, good }, at) => (repaired.has(`${path}:${at + 1}`) ? good : bad))));
          await twin.run();
        }
        const after = await content(lake);
        expect(after).toEqual(await content(twin));
        expect((await lake.run(options)).outcome).toBe('nothing_new');
        expect((await lake.run({ full: true })).outcome).toBe('nothing_new');

        const { _batch_id: load } =
          (await lake.rows(await lake.latest(), 'SELECT _batch_id FROM bronze.repairs'))[0] ?? {};
        const withdrawn = [{ source: 'orders', load: Number(load) }];
        expect((await lake.run({ withdraw: withdrawn })).outcome).toBe('published');
        expect(await content(lake)).toEqual(before);
        expect((await lake.run({ full: true })).outcome).toBe('nothing_new');
        expect((await lake.latest()).withdrawn).toEqual(withdrawn);
        expect((await lake.run({ restore: withdrawn })).outcome).toBe('published');
        expect(await content(lake)).toEqual(after);
        expect((await lake.latest()).withdrawn).toEqual([]);
      }),
      { numRuns: 6 },
    );
  }, 300_000);
});

describe('a replay that is killed', () => {
  it('at any of its writes, and started again, brings the repair in exactly once', async () => {
    const objects = new Map<string, { bytes: Uint8Array; modifiedMs: number }>();
    const store = new MemoryStore(objects);
    const lake = workshop.lake(workshop.folder('landing'), store);
    lake.land('shop/orders.csv', [{ order: 'a' }, { order: 'b', amount: 'much' }]);
    await lake.run();
    const repairs = [await repairOf(lake, 'r1', () => ({ order: 'b', amount: '5.00' }))];
    const before = new Map(objects);
    const options = { repairs, skipLanding: true };
    const undisturbed = new MemoryStore(new Map(before));
    await lake.reopened(undisturbed).run(options);
    const expected = await content(lake.reopened(undisturbed));

    for (let atCall = 1; atCall <= undisturbed.calls; atCall++) {
      const faulty = new MemoryStore(new Map(before), { atCall, kind: 'stop' });
      await lake
        .reopened(faulty)
        .run(options)
        .catch(() => undefined);
      const survivor = lake.reopened(faulty.reopen());
      await survivor.run(options);
      expect([atCall, (await survivor.releases()).length]).toEqual([atCall, 2]);
      expect([atCall, await content(survivor)]).toEqual([atCall, expected]);
      const links = await survivor.rows(await survivor.latest(), 'SELECT repair FROM bronze.repairs');
      expect([atCall, links]).toEqual([atCall, [{ repair: 'r1' }]]);
    }
  }, 300_000);
});
