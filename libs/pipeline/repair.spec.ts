import fc from 'fast-check';
import type { Row } from '#engine';
import type { Repair } from './repair.js';
import { Workshop, type Content, type SmallLake } from './testing/small-lake.js';
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

const DEFAULTS = { customer: 'c1', tier: 'basic', placedOn: '2026-01-10', channel: 'web', amount: '10.00' };

/** A repair of quarantined records, by where they stand. */
async function repairOf(
  lake: SmallLake,
  id: string,
  good: (reject: { readonly file: string; readonly row: number }) => OrderRecord | undefined,
): Promise<Repair> {
  const rejects = await lake.rows(await lake.latest(), 'SELECT * FROM quarantine.orders');
  const text = (row: Row, name: string) => String(row[name]);
  return {
    format: 1,
    id,
    source: 'orders',
    table: 'silver/orders',
    by: 'local',
    at: '2026-02-17T11:00:00.000Z',
    reason: null,
    records: rejects.flatMap((reject) => {
      const original = {
        load: Number(reject['_batch_id']),
        file: text(reject, '_source_file'),
        row: Number(reject['_source_row']),
        line: reject['_source_line'] === null ? null : Number(reject['_source_line']),
        loaded_at: text(reject, '_loaded_at'),
        as_of: text(reject, '_as_of'),
      };
      const record = good(original);
      if (record === undefined) return [];
      const { order, customer, tier, placedOn, channel, amount, updatedAt } = { ...DEFAULTS, ...record };
      const values = { order_id: order, customer_id: customer, tier, placed_on: placedOn, channel, amount };
      const fields = { ...values, updated_at: updatedAt ?? '2026-01-11T00:00:00Z' };
      const after = { fields, rescued: null, record: null };
      return [{ original, rules: reject['rules'] as string[], before: text(reject, 'record'), after }];
    }),
  };
}

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
