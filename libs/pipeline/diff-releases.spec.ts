import fc from 'fast-check';
import type { Row } from '#engine';
import type { Release } from '#releases';
import { diffReleases } from './diff-releases.js';
import { Workshop, type SmallLake } from './testing/small-lake.js';
import { smallShop, type OrderRecord } from './testing/small-shop.js';

const workshop = new Workshop();
afterAll(() => workshop.close());

const record: fc.Arbitrary<OrderRecord> = fc.record({
  order: fc.constantFrom('a', 'b', 'c', 'd', ''),
  customer: fc.constantFrom('c1', 'c2'),
  tier: fc.constantFrom('basic', 'gold'),
  placedOn: fc.constantFrom('2026-01-10', '2026-02-10', 'soon'),
  channel: fc.constantFrom('web', 'app', ''),
  amount: fc.constantFrom('10.00', '12.50', '-1'),
  updatedAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
});
const loads = fc.array(fc.array(record, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 4 });

/** The same from the whole tables, row by row. */
async function compared(lake: SmallLake, before: Release, after: Release) {
  const [from, to] = [await lake.content(before), await lake.content(after)];
  return smallShop()
    .contracts.map((contract) => {
      const keyOf = (row: Row) => JSON.stringify(contract.key.map((name) => row[name]));
      const byKey = (rows: readonly Row[] = []) => new Map(rows.map((row) => [keyOf(row), JSON.stringify(row)]));
      const [old, now] = [byKey(from[contract.name]), byKey(to[contract.name])];
      const added = [...now.keys()].filter((key) => !old.has(key)).length;
      const removed = [...old.keys()].filter((key) => !now.has(key)).length;
      const changed = [...now].filter(([key, row]) => old.has(key) && old.get(key) !== row).length;
      return { table: contract.name, rows_before: old.size, rows_after: now.size, added, removed, changed };
    })
    .filter(({ added, removed, changed }) => added + removed + changed > 0);
}

async function diff(lake: SmallLake, before: Release, after: Release) {
  const engine = await workshop.pool.open();
  try {
    return await diffReleases({ engine, lake: lake.lake, catalogue: smallShop() }, before, after);
  } finally {
    await engine.close();
  }
}

it('counts the rows that any two releases of a history do not share, either way round', async () => {
  await fc.assert(
    fc.asyncProperty(loads, fc.nat(), fc.nat(), async (files, one, other) => {
      const lake = workshop.lake();
      for (const [n, records] of files.entries()) {
        lake.land(`shop/orders_${n}.csv`, records);
        await lake.run();
      }
      const releases = await lake.releases();
      const [before, after] = [one, other].map((n) => releases[n % releases.length]) as [Release, Release];
      const found = await diff(lake, before, after);
      const expected = await compared(lake, before, after);
      expect(
        found.map(({ columns_added, columns_removed, ...counts }) => [counts, columns_added, columns_removed]),
      ).toEqual(expected.map((counts) => [counts, [], []]));
    }),
    { numRuns: 8 },
  );
}, 300_000);

it('takes a table that a release lacks for an empty one', async () => {
  const lake = workshop.lake();
  lake.land('shop/orders.csv', [
    {
      order: 'a',
      customer: 'c1',
      tier: 'gold',
      placedOn: '2026-01-10',
      channel: 'web',
      amount: '10.00',
      updatedAt: '',
    },
  ]);
  await lake.run();
  const after = await lake.latest();
  const table = Object.keys(after.tables).find((candidate) => candidate.startsWith('gold/')) ?? '';
  const before: Release = {
    ...after,
    tables: Object.fromEntries(Object.entries(after.tables).filter(([candidate]) => candidate !== table)),
  };
  expect(await diff(lake, before, after)).toMatchObject([
    { table, rows_before: 0, added: 1, removed: 0, columns_added: [] },
  ]);
  expect(await diff(lake, after, before)).toMatchObject([{ table, rows_after: 0, added: 0, removed: 1 }]);
});
