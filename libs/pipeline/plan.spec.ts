import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { smallShop, TOO_MUCH, type OrderRecord } from './testing/small-shop.js';
import { AS_OF, Workshop, type SmallLake } from './testing/small-lake.js';
import { MemoryStore } from '#storage';

const workshop = new Workshop();
afterAll(() => workshop.close());

const record: fc.Arbitrary<OrderRecord> = fc.record({
  order: fc.constantFrom('a', 'b', 'c', 'd', ''),
  placedOn: fc.constantFrom('2026-01-10', '2026-02-10', '2026-02-20', 'soon'),
  channel: fc.constantFrom('web', 'app', ''),
  amount: fc.constantFrom('10.00', '12.50', '-1', String(TOO_MUCH + 1)),
  updatedAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
});
const step = fc.record({
  records: fc.array(record, { maxLength: 5 }),
  asOf: fc.constantFrom(AS_OF, '2026-02-25'),
  full: fc.boolean(),
  salesFrom: fc.constantFrom(0, 0, 11),
});

/** Every object of the lake with its bytes. */
async function everything(lake: SmallLake): Promise<ReadonlyMap<string, string>> {
  const objects = new Map<string, string>();
  for (const path of await lake.paths()) objects.set(path, Buffer.from(await lake.store.get(path)).toString('base64'));
  return objects;
}

it('says what the run that follows reports, and changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
      const lake = workshop.lake();
      for (const [n, { records, salesFrom, ...options }] of steps.entries()) {
        if (records.length > 0) lake.land(`shop/orders_${n}.csv`, records);
        const choices = { ...options, catalogue: smallShop({ salesFrom }) };
        const before = await everything(lake);
        const plan = await lake.plan(choices);
        expect(await everything(lake)).toEqual(before);
        const { outcome, report } = await lake.run(choices);
        expect(plan.outcome).toBe(outcome === 'published' ? 'publish' : outcome);
        expect(plan.release).toBe(report.parent);
        expect(plan.mode).toBe(report.mode);
        expect(plan.files).toEqual(report.files);
        expect(plan.checks).toEqual(report.checks);
        expect(plan.tables).toMatchObject(report.tables.map((table) => ({ ...table, seconds: expect.any(Number) })));
        if (outcome === 'published') await figuresAreThose(lake, plan.figures?.moved ?? []);
      }
    }),
    { numRuns: 5 },
  );
}, 300_000);

async function figuresAreThose(
  lake: SmallLake,
  moved: NonNullable<Awaited<ReturnType<SmallLake['plan']>>['figures']>['moved'],
) {
  const figures = async (number: number) => {
    const release = (await lake.releases()).find((candidate) => candidate.number === number);
    const rows = release === undefined ? [] : await lake.rows(release, 'SELECT * FROM gold.daily_sales');
    return new Map(
      rows.map(({ placed_on, channel, revenue, orders }) => [
        JSON.stringify([placed_on, channel]),
        { revenue, orders },
      ]),
    );
  };
  const { number, parent } = await lake.latest();
  const [before, after] = [await figures(parent ?? 0), await figures(number)];
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const expected = keys
    .map((key) => ({ key, before: before.get(key) ?? null, after: after.get(key) ?? null }))
    .filter((row) => JSON.stringify(row.before) !== JSON.stringify(row.after));
  const found = moved.map((row) => ({ ...row, key: JSON.stringify([row.key['placed_on'], row.key['channel']]) }));
  const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
  expect([...found].sort(byKey)).toEqual(expected.sort(byKey));
}

it('stands on a release whose logs nobody has rolled forward, and leaves no file behind', async () => {
  const lake = workshop.lake();
  lake.land('shop/orders_1.csv', [{ order: 'a' }]);
  await lake.run();
  lake.land('shop/orders_2.csv', [{ order: 'b' }]);
  await lake.run();
  const store = new MemoryStore();
  // the second release as its run left it when it died right after publishing
  for (const path of await lake.paths()) {
    if (!/_delta_log\/0*1\.json$/.test(path)) await store.put(path, await lake.store.get(path));
  }
  const torn = lake.reopened(store);
  lake.land('shop/orders_3.csv', [{ order: 'c' }]);
  const workDir = workshop.folder('work');
  const plan = await torn.plan({ workDir });
  expect(plan).toMatchObject({ outcome: 'publish', release: 2 });
  expect(plan.tables).toContainEqual(
    expect.objectContaining({
      table: 'orders',
      layer: 'silver',
      inserted: 1,
      total_rows: 3,
      sample_keys: [{ order_id: 'c' }],
    }),
  );
  expect(plan).toEqual(await lake.plan());
  expect(readdirSync(workDir)).toEqual([]);
});
