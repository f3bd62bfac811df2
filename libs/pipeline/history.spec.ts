import fc from 'fast-check';
import type { Conservation, RunReport } from './report.js';
import { type OrderRecord } from './testing/small-shop.js';
import { AS_OF, Workshop } from './testing/small-lake.js';
import { shopModel, shopOf, type LoadedFile } from './testing/shop-model.js';

const long = process.env['SHOPSMART_LONG'] !== undefined;
const TIMEOUT_MS = long ? 3_600_000 : 300_000;

const workshop = new Workshop();
afterAll(() => workshop.close());

/** Few ids, days and times, so that records meet; some that break a rule, some that cannot be read. */
const record: fc.Arbitrary<OrderRecord> = fc.record({
  order: fc.constantFrom('a', 'b', 'c', 'd', ''),
  customer: fc.constantFrom('c1', 'c2', ''),
  tier: fc.constantFrom('basic', 'gold', ''),
  placedOn: fc.constantFrom('2026-01-10', '2026-01-31', '2026-02-10', '2026-02-20', '2026-03-01', 'soon'),
  channel: fc.constantFrom('web', 'app', ''),
  amount: fc.constantFrom('10.00', '12.50', '0', '-1', 'much', ''),
  updatedAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z', ''),
});

/** What happens to a lake between two moments at which it is looked at. */
type Step =
  | { readonly kind: 'load'; readonly files: readonly (readonly OrderRecord[])[]; readonly asOf: string }
  | { readonly kind: 'nothing' | 'rehash' | 'full' | 'repeat' };

const asOf = fc.constantFrom('2026-01-15', AS_OF, '2026-03-15');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('load' as const),
      // No file, and as_of alone moves.
      files: fc.array(fc.array(record, { maxLength: 6 }), { maxLength: 3 }),
      asOf,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('nothing', 'rehash', 'full', 'repeat') }) },
);
const history = fc.array(step, { minLength: 1, maxLength: 4 });

function conserves({ rows_in, rows_out, duplicates, quarantined }: Conservation): boolean {
  return rows_in === rows_out + duplicates + quarantined;
}

/** Both equations of the silver table, where the run computed it. */
function expectConserved({ tables }: RunReport): void {
  for (const { layer, table, rows_in, rows_out, duplicates, quarantined, cumulative } of tables) {
    if (layer !== 'silver' || cumulative === null) continue;
    expect([table, conserves(cumulative)]).toEqual([table, true]);
    const run = {
      rows_in: rows_in ?? 0,
      rows_out: rows_out ?? 0,
      duplicates: duplicates ?? 0,
      quarantined: quarantined ?? 0,
    };
    expect([table, run, conserves(run)]).toEqual([table, run, true]);
  }
}

describe('any history of loads', () => {
  it(
    'leads to what the records say, told by another program',
    async () => {
      await fc.assert(
        fc.asyncProperty(history, async (steps) => {
          const lake = workshop.lake();
          const files: LoadedFile[] = [];
          const seen = new Set<string>();
          let load = 0;
          let today = AS_OF;
          for (const [n, next] of steps.entries()) {
            if (next.kind === 'load') {
              today = next.asOf;
              const landed = next.files.map((records, m) => ({ path: `shop/orders_${n}_${m}.csv`, records }));
              for (const { path, records } of landed) lake.land(path, records);
              const news = landed.filter(({ records }) => {
                const bytes = JSON.stringify(records);
                return !seen.has(bytes) && seen.add(bytes);
              });
              if (news.length > 0) load += 1;
              files.push(...news.map((file) => ({ ...file, load })));
            }
            if (next.kind === 'repeat') {
              const [first] = files;
              if (first !== undefined) lake.land(`shop/orders_again_${n}.csv`, first.records);
            }
            const full = next.kind === 'full';
            const { report } = await lake.run({ asOf: today, full, rehash: next.kind === 'rehash' });
            expectConserved(report);
          }
          const releases = await lake.releases();
          const last = releases.at(-1);
          if (last === undefined) return;
          expect(shopOf(await lake.content(last))).toEqual(shopModel(files, today));
        }),
        { numRuns: long ? 300 : 12 },
      );
    },
    TIMEOUT_MS,
  );
});
