import fc from 'fast-check';
import { MemoryStore, type Fault } from '#storage';
import { planVacuum, ReleaseReader, vacuum, type Release, type WithdrawnLoad } from '#releases';
import { shopModel, shopOf, type LoadedFile } from './testing/shop-model.js';
import { AS_OF, Workshop, type Content, type SmallLake } from './testing/small-lake.js';
import { smallShop, type OrderRecord } from './testing/small-shop.js';

const long = process.env['SHOPSMART_LONG'] !== undefined;
const HOUR_MS = 3_600_000;
const FEW = { newest: 3, youngMs: 24 * HOUR_MS };

const workshop = new Workshop();
afterAll(() => workshop.close());

/** The tables that a rollback restores. */
function computed(content: Content): Content {
  const isBronze = (table: string) => table.startsWith('bronze/') && !table.startsWith('bronze/quarantine/');
  return Object.fromEntries(Object.entries(content).filter(([table]) => !isBronze(table)));
}

function bronze(content: Content): Content {
  return Object.fromEntries(Object.entries(content).filter(([table]) => !(table in computed(content))));
}

/** Three releases, a load each. */
async function threeLoads(lake = workshop.lake()): Promise<SmallLake> {
  lake.land('shop/orders_1.csv', [{ order: 'a' }, { order: 'b', amount: 'much' }]);
  await lake.run({ asOf: '2026-02-15' });
  lake.land('shop/orders_2.csv', [{ order: 'a', amount: '20.00', updatedAt: '2026-01-12T00:00:00Z' }]);
  await lake.run({ asOf: '2026-02-16' });
  lake.land('shop/orders_3.csv', [{ order: 'c', placedOn: '2026-02-10' }, { order: '' }]);
  await lake.run();
  return lake;
}

async function contentAt(lake: SmallLake, number: number): Promise<Content> {
  return lake.content(await new ReleaseReader(lake.store).existing(number));
}

const load = (n: number): WithdrawnLoad => ({ source: 'orders', load: n });

describe('a rollback', () => {
  it('publishes the state of an earlier release again; bronze stays, and the loads made since are withdrawn', async () => {
    const lake = await threeLoads();
    const [first, third] = [await contentAt(lake, 1), await contentAt(lake, 3)];
    const report = await lake.rollBack(1);
    expect(report).toMatchObject({ mode: 'rollback', release: 4, parent: 3, rollback_to: 1, as_of: '2026-02-15' });
    expect(report.withdrawn.map(({ source, load, files, records }) => [source, load, files, records])).toEqual([
      ['orders', 3, 1, 2],
      ['orders', 2, 1, 1],
    ]);
    const release = await lake.latest();
    expect(release).toMatchObject({
      number: 4,
      mode: 'rollback',
      rollback_to: 1,
      as_of: '2026-02-15',
      loads: { orders: 3 },
      withdrawn: [load(2), load(3)],
    });
    const content = await lake.content(release);
    expect(computed(content)).toEqual(computed(first));
    expect(bronze(content)).toEqual(bronze(third));
    expect(await contentAt(lake, 3)).toEqual(third);
    // Its report can be had as that of any run.
    expect(JSON.parse(Buffer.from(await lake.store.get(release.report ?? '')).toString())).toMatchObject({
      release: 4,
    });
    expect((await lake.prove()).verdict).toBe('ok');
  });

  it('is where the next run goes on, which reports a withdrawn file and does not load it again', async () => {
    const lake = await threeLoads();
    await lake.rollBack(1);
    lake.land('shop/orders_3_again.csv', [{ order: 'c', placedOn: '2026-02-10' }, { order: '' }]);
    lake.land('shop/orders_4.csv', [{ order: 'd' }]);
    const { report } = await lake.run({ asOf: '2026-02-15' });
    const repeats = report.files.filter(({ outcome }) => outcome === 'repeat');
    expect(repeats.map(({ path }) => path).sort()).toEqual([
      'shop/orders_2.csv',
      'shop/orders_3.csv',
      'shop/orders_3_again.csv',
    ]);
    expect(report.files.find(({ path }) => path === 'shop/orders_3_again.csv')).toMatchObject({
      outcome: 'repeat',
      note: expect.stringMatching(/load orders\/3, which is withdrawn.*loads restore orders\/3/) as string,
    });
    const release = await lake.latest();
    expect(release).toMatchObject({ withdrawn: [load(2), load(3)], loads: { orders: 4 } });
    const orders = await lake.rows(release, 'SELECT order_id, amount FROM silver.orders ORDER BY ALL');
    expect(orders).toEqual([
      { order_id: 'a', amount: '10.00' },
      { order_id: 'd', amount: '10.00' },
    ]);
    expect((await lake.prove()).verdict).toBe('ok');
  });

  it('publishes nothing where the newest release has that state already', async () => {
    const lake = await threeLoads();
    expect(await lake.rollBack(3)).toMatchObject({ mode: 'none', release: 3, withdrawn: [], tables: [] });
    await lake.rollBack(2);
    for (const to of [2, 4]) expect(await lake.rollBack(to)).toMatchObject({ mode: 'none', release: 4 });
    expect((await lake.latest()).number).toBe(4);
    expect(await lake.paths('_runs/2')).toEqual(await reportsOf(lake));
  });

  it('says which release it cannot find: one that never was, one that was removed', async () => {
    const lake = await threeLoads();
    await expect(lake.rollBack(9)).rejects.toMatchObject({ code: 'release.not_found' });
    expect(await lake.paths('_runs/2')).toEqual(await reportsOf(lake));
    lake.clock.advance(48 * HOUR_MS);
    await vacuum(lake.lake, lake.clock, await planVacuum(lake.lake, lake.clock, { ...FEW, newest: 1 }));
    await expect(lake.rollBack(1)).rejects.toMatchObject({ code: 'release-gone' });
    expect((await lake.latest()).number).toBe(3);
  });

  it('counts exactly the loads that counted then, whatever was withdrawn or restored since', async () => {
    const lake = await threeLoads();
    await lake.run({ withdraw: [load(2)] });
    const fourth = await contentAt(lake, 4);
    await lake.run({ restore: [load(2)] });
    await lake.run({ withdraw: [load(1)] });
    const report = await lake.rollBack(4);
    expect([report.withdrawn, report.restored].map((loads) => loads.map((one) => one.load))).toEqual([[2], [1]]);
    const release = await lake.latest();
    expect(release.withdrawn).toEqual([load(2)]);
    expect(computed(await lake.content(release))).toEqual(computed(fourth));
  });

  it('empties a table that the release did not have, and the next run computes it', async () => {
    const lake = workshop.lake();
    lake.land('shop/orders_1.csv', [{ order: 'a' }]);
    await lake.run({ catalogue: smallShop({ withoutTiers: true }) });
    lake.land('shop/orders_2.csv', [{ order: 'b', customer: 'c2' }]);
    await lake.run();
    const report = await lake.rollBack(1);
    expect(report.tables).toContainEqual(
      expect.objectContaining({ table: 'customer_tiers', emptied: true, total_rows: 0 }),
    );
    expect((await lake.content(await lake.latest()))['gold/customer_tiers']).toEqual([]);
    expect((await lake.run()).outcome).toBe('published');
    expect(await lake.rows(await lake.latest(), 'SELECT customer_id FROM gold.customer_tiers')).toEqual([
      { customer_id: 'c1' },
    ]);
  });

  it('brings back the schema and the rules that the tables had', async () => {
    const lake = workshop.lake();
    lake.land('shop/orders_1.csv', [{ order: 'a' }]);
    await lake.run();
    await lake.run({ catalogue: smallShop({ withGreatest: true }) });
    await lake.rollBack(1);
    const [first, last] = [await contentAt(lake, 1), await lake.content(await lake.latest())];
    expect(last['gold/daily_sales']).toEqual(first['gold/daily_sales']);
    expect((await lake.run()).outcome).toBe('nothing_new');
  });

  it.each<Fault['kind']>(['lose', 'stop'])(
    'comes to the same release when any one of its writes goes wrong by %s and it is called again',
    async (kind) => {
      const objects: ConstructorParameters<typeof MemoryStore>[0] = new Map();
      const lake = await threeLoads(workshop.lake(undefined, new MemoryStore(objects)));
      const first = computed(await contentAt(lake, 1));
      for (let atCall = 1; ; atCall++) {
        const copy = lake.reopened(new MemoryStore(new Map(objects)));
        const store = (copy.store as MemoryStore).reopen({ atCall, kind });
        await copy
          .reopened(store)
          .rollBack(1)
          .catch(() => undefined);
        if (store.calls < atCall) break;
        await copy.rollBack(1);
        const release = await copy.latest();
        expect([release.number, release.withdrawn]).toEqual([4, [load(2), load(3)]]);
        expect(computed(await copy.content(release))).toEqual(first);
      }
    },
    60_000,
  );

  it('is won by one of two that run at once with a load, and nothing is lost', async () => {
    const lake = await threeLoads();
    lake.land('shop/orders_4.csv', [{ order: 'd' }]);
    await Promise.all([lake.rollBack(1), lake.run({ asOf: '2026-02-15' })]);
    const release = await lake.latest();
    expect(release.number).toBe(5);
    // Whoever came second saw what the first had done.
    const withdrawn = release.mode === 'rollback' ? [load(2), load(3), load(4)] : [load(2), load(3)];
    expect(release.withdrawn).toEqual(withdrawn);
    expect((await lake.prove()).verdict).toBe('ok');
  });
});

async function reportsOf(lake: SmallLake): Promise<readonly string[]> {
  return (await lake.releases()).flatMap(({ report }) => (report === null ? [] : [report])).sort();
}

type Step =
  | { readonly kind: 'load'; readonly records: readonly OrderRecord[]; readonly asOf: string }
  | { readonly kind: 'rollback' | 'restore' | 'withdraw'; readonly at: number }
  | { readonly kind: 'vacuum'; readonly hours: number };

const record: fc.Arbitrary<OrderRecord> = fc.record({
  order: fc.constantFrom('a', 'b', 'c', ''),
  customer: fc.constantFrom('c1', 'c2'),
  channel: fc.constant('web'),
  tier: fc.constantFrom('basic', 'gold'),
  placedOn: fc.constantFrom('2026-01-10', '2026-02-10', '2026-02-16'),
  amount: fc.constantFrom('10.00', '12.50', 'much'),
  updatedAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('load' as const),
      records: fc.array(record, { minLength: 1, maxLength: 4 }),
      asOf: fc.constantFrom('2026-02-15', AS_OF),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('rollback', 'restore', 'withdraw'), at: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('vacuum' as const), hours: fc.constantFrom(1, 30, 60) }) },
);

/** A lake beside what it should be: every release as it was published, the files that were loaded. */
class Told {
  readonly lake = workshop.lake();
  readonly remembered = new Map<number, { readonly release: Release; readonly content: Content }>();
  readonly files: LoadedFile[] = [];
  asOf = AS_OF;

  async take(next: Step, n: number): Promise<void> {
    const { lake, files } = this;
    const latest = [...this.remembered.values()].at(-1)?.release;
    switch (next.kind) {
      case 'load': {
        const path = `shop/orders_${n}.csv`;
        // Bytes that are like no other file's.
        const [first] = next.records;
        const records = [...next.records, { ...first, order: `only ${n}` }];
        lake.land(path, records);
        files.push({ path, records, load: files.length + 1 });
        this.asOf = next.asOf;
        await lake.run({ asOf: next.asOf });
        break;
      }
      case 'rollback': {
        const kept = await new ReleaseReader(lake.store).numbers();
        const to = kept[next.at % kept.length];
        if (to === undefined) return;
        await lake.rollBack(to);
        this.asOf = (await lake.latest()).as_of;
        expect(computed(await lake.content(await lake.latest()))).toEqual(
          computed(this.remembered.get(to)?.content ?? {}),
        );
        break;
      }
      case 'restore':
      case 'withdraw': {
        const out = new Set(latest?.withdrawn.map(({ load }) => load));
        const loads = files.map(({ load }) => load).filter((one) => out.has(one) === (next.kind === 'restore'));
        const chosen = loads[next.at % loads.length];
        if (chosen !== undefined) await lake.run({ asOf: this.asOf, [next.kind]: [load(chosen)] });
        break;
      }
      case 'vacuum':
        lake.clock.advance(next.hours * HOUR_MS);
        await vacuum(lake.lake, lake.clock, await planVacuum(lake.lake, lake.clock, FEW));
    }
    const release = await new ReleaseReader(lake.store).latest();
    if (release !== undefined && !this.remembered.has(release.number))
      this.remembered.set(release.number, { release, content: await lake.content(release) });
  }
}

describe('any history of loads, rollbacks, restored and withdrawn loads, and vacuums', () => {
  it(
    'leaves every kept release as it was published, and the newest as the loads that count say',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 10 }), async (steps) => {
          const told = new Told();
          for (const [n, next] of steps.entries()) await told.take(next, n);
          const { lake, remembered, files, asOf } = told;
          const reader = new ReleaseReader(lake.store);
          for (const [number, { content }] of remembered) {
            const release = await reader.existing(number).catch((error: unknown) => error);
            if (release instanceof Error) expect(release).toMatchObject({ code: 'release-gone' });
            else expect([number, await lake.content(release as Release)]).toEqual([number, content]);
          }
          const newest = [...remembered.values()].at(-1);
          if (newest === undefined) return;
          const out = new Set(newest.release.withdrawn.map(({ load }) => load));
          const counting = files.filter((file) => !out.has(file.load));
          expect(shopOf(newest.content)).toEqual(shopModel(counting, asOf));
          expect((await lake.run({ asOf, full: true })).outcome).toBe('nothing_new');
        }),
        { numRuns: long ? 100 : 6, endOnFailure: !long },
      );
    },
    long ? 3_600_000 : 120_000,
  );
});
