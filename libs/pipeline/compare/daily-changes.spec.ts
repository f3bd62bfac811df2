import fc from 'fast-check';
import type { Row } from '#engine';
import type { Release } from '#releases';
import { repairOf } from '../testing/small-repair.js';
import { smallShop, type OrderRecord } from '../testing/small-shop.js';
import { AS_OF, Workshop, type SmallLake } from '../testing/small-lake.js';
import type { Cause } from './cause.js';
import { dailyChanges, type DailyChanges } from './daily-changes.js';

const workshop = new Workshop();
afterAll(() => workshop.close());

const record: fc.Arbitrary<OrderRecord> = fc.record({
  order: fc.constantFrom('a', 'b', 'c', 'd', 'e', ''),
  customer: fc.constantFrom('c1', 'c2'),
  placedOn: fc.constantFrom('2026-01-10', '2026-02-10', '2026-02-16', '2026-02-20', 'soon'),
  channel: fc.constantFrom('web', 'app', ''),
  amount: fc.constantFrom('10.00', '12.50', '-1'),
  updatedAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
});

type Step =
  | { readonly kind: 'load'; readonly records: readonly OrderRecord[] }
  | { readonly kind: 'repair' | 'withdraw' | 'restore' | 'as_of' | 'rule' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('load' as const),
      records: fc.array(record, { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('repair', 'withdraw', 'restore', 'as_of', 'rule') }),
  },
);

/** What a step alone may be the cause of. */
const causesOf: Readonly<Record<Step['kind'], readonly Cause[]>> = {
  load: ['new', 'late'],
  repair: ['repair'],
  withdraw: ['withdrawn', 'repair'],
  restore: ['withdrawn', 'repair'],
  as_of: ['as_of'],
  rule: ['rule'],
};

/** A lake that went through the steps; what was published, and by which kind of step. */
async function history(steps: readonly Step[]) {
  const lake = workshop.lake();
  const kinds = new Map<number, Step['kind']>();
  let [asOf, surcharge] = [AS_OF, 0];
  for (const [n, current] of [{ kind: 'load', records: FIRST } as const, ...steps].entries()) {
    const options = await optionsOf(lake, current, n);
    if (current.kind === 'as_of') asOf = asOf === AS_OF ? '2026-02-25' : AS_OF;
    if (current.kind === 'rule') surcharge = surcharge === 0 ? 5 : 0;
    const { outcome } = await lake.run({ asOf, catalogue: smallShop({ surcharge }), ...options });
    if (outcome === 'published') kinds.set((await lake.latest()).number, current.kind);
  }
  return { lake, kinds, releases: await lake.releases() };
}

const FIRST: readonly OrderRecord[] = [
  { order: 'a', placedOn: '2026-02-10' },
  { order: '', placedOn: '2026-02-10' },
  { order: 'b', placedOn: '2026-02-20' },
];

async function optionsOf(lake: SmallLake, current: Step, n: number) {
  if (current.kind === 'load') {
    lake.land(`shop/orders_${n}.csv`, current.records);
    return {};
  }
  if (current.kind === 'as_of' || current.kind === 'rule') return {};
  const { withdrawn, loads } = await lake.latest();
  const newest = [{ source: 'orders', load: loads['orders'] ?? 1 }];
  if (current.kind === 'withdraw') return { withdraw: newest };
  if (current.kind === 'restore') return { restore: withdrawn };
  const repair = await repairOf(lake, `r${n}`, ({ row }) => ({ order: `r${row}`, placedOn: '2026-02-10' }));
  return { repairs: repair.records.length === 0 ? [] : [repair] };
}

async function compare(lake: SmallLake, from: Release, to: Release): Promise<DailyChanges> {
  const engine = await workshop.pool.open();
  try {
    const parts = { engine, lake: lake.lake, catalogue: smallShop() };
    const changes = await dailyChanges(parts, from, to, { limit: 1000 });
    if (changes === undefined) throw new Error('the small shop has daily figures');
    return changes;
  } finally {
    await engine.close();
  }
}

type Cents = Readonly<Record<'revenue' | 'orders', bigint>>;

const centsOf = (row: Readonly<Record<string, Row[string]>> | null): Cents => ({
  revenue: BigInt(String(row?.['revenue'] ?? '0').replace('.', '')),
  orders: BigInt(String(row?.['orders'] ?? 0)),
});
const sum = (all: readonly Cents[], sign = 1n): Cents => ({
  revenue: all.reduce((total, { revenue }) => total + sign * revenue, 0n),
  orders: all.reduce((total, { orders }) => total + sign * orders, 0n),
});

/** What the tables themselves say: the figures of each day that differ. */
async function moved(lake: SmallLake, from: Release, to: Release): Promise<ReadonlyMap<string, Cents>> {
  const sides = [];
  for (const release of [from, to]) {
    const rows = await lake.rows(release, 'SELECT * FROM gold.daily_sales');
    sides.push(new Map(rows.map((row) => [JSON.stringify([row['placed_on'], row['channel']]), centsOf(row)])));
  }
  const [before = new Map<string, Cents>(), after = new Map<string, Cents>()] = sides;
  const none = centsOf(null);
  return new Map(
    [...new Set([...before.keys(), ...after.keys()])]
      .map((key) => [key, sum([after.get(key) ?? none, sum([before.get(key) ?? none], -1n)])] as const)
      .filter(([, change]) => change.revenue !== 0n || change.orders !== 0n),
  );
}

const keyOf = ({ key }: DailyChanges['days'][number]) => JSON.stringify([key['placed_on'], key['channel']]);

it('explains every change of every day exactly, between any two releases of a history, either way round', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), fc.nat(), fc.nat(), async (steps, one, other) => {
      const { lake, kinds, releases } = await history(steps);
      const pick = (n: number) => releases[n % releases.length] as Release;
      const pairs = [...releases.slice(1).map((release, n) => [releases[n], release]), [pick(one), pick(other)]];
      for (const [from, to] of pairs as [Release, Release][]) {
        const found = await compare(lake, from, to);
        const expected = await moved(lake, from, to);
        const changed = found.days.filter(({ change }) => Object.values(centsOf(change)).some((value) => value !== 0n));
        expect(new Map(changed.map((day) => [keyOf(day), centsOf(day.change)]))).toEqual(expected);
        for (const { change, causes } of found.days) {
          expect(sum(causes.map((cause) => centsOf(cause.change)))).toEqual(centsOf(change));
        }
        expect(sum(found.causes.map(({ change }) => centsOf(change)))).toEqual(sum([...expected.values()]));

        const back = await compare(lake, to, from);
        const turned = (changes: DailyChanges, sign: bigint) =>
          changes.days.map((day) => [
            keyOf(day),
            day.causes.map(({ cause, change }) => [cause, sum([centsOf(change)], sign)]),
          ]);
        expect(turned(back, -1n)).toEqual(turned(found, 1n));

        if (to.parent === from.number) {
          const allowed = causesOf[kinds.get(to.number) ?? 'load'];
          expect(found.causes.map(({ cause }) => cause).filter((cause) => !allowed.includes(cause))).toEqual([]);
        }
      }
    }),
    { numRuns: 6 },
  );
}, 300_000);

it('tells new from late, and names a repair, a withdrawn load, another as_of and another rule', async () => {
  const lake = workshop.lake();
  const steps: readonly (() => Promise<unknown>)[] = [
    () => {
      const later = { order: 'later', placedOn: '2026-02-20' };
      lake.land('shop/orders_1.csv', [
        { order: 'a', placedOn: '2026-02-10' },
        { order: '', placedOn: '2026-02-12' },
        later,
      ]);
      return lake.run();
    },
    () => {
      const again = { order: 'a', placedOn: '2026-02-10', amount: '12.50', updatedAt: '2026-02-11T00:00:00Z' };
      lake.land('shop/orders_2.csv', [
        { order: 'b', placedOn: '2026-02-10' },
        { order: 'c', placedOn: '2026-02-09' },
        again,
      ]);
      return lake.run();
    },
    async () =>
      lake.run({
        repairs: [
          await repairOf(lake, 'r', ({ row }) => (row === 2 ? { order: 'd', placedOn: '2026-02-12' } : undefined)),
        ],
      }),
    () => lake.run({ withdraw: [{ source: 'orders', load: 2 }] }),
    () => lake.run({ asOf: '2026-02-25' }),
    () => lake.run({ asOf: '2026-02-25', catalogue: smallShop({ surcharge: 5 }) }),
  ];
  for (const next of steps) await next();
  const releases = await lake.releases();
  const explained = [];
  for (const [n, to] of releases.slice(1).entries()) {
    const { days } = await compare(lake, releases[n] as Release, to);
    explained.push(
      days.map(({ key, causes }) => [
        String(key['placed_on']),
        ...causes.map(({ cause, change }) => `${cause} ${String(change['revenue'])} ${String(change['orders'])}`),
      ]),
    );
  }
  expect(explained).toEqual([
    [
      ['2026-02-10', 'new 12.50 1'],
      ['2026-02-09', 'late 10.00 1'],
    ],
    [['2026-02-12', 'repair 10.00 1']],
    [
      ['2026-02-10', 'withdrawn -12.50 -1'],
      ['2026-02-09', 'withdrawn -10.00 -1'],
    ],
    [['2026-02-20', 'as_of 10.00 1']],
    [
      ['2026-02-10', 'rule 5.00 0'],
      ['2026-02-12', 'rule 5.00 0'],
      ['2026-02-20', 'rule 5.00 0'],
    ],
  ]);
});
