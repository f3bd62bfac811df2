import fc from 'fast-check';
import { histories, liveThrough, type World } from './testing/history.js';
import { eventWorld, salesWorld, shopWorld } from './testing/history-worlds.js';
import { Workshop } from './testing/small-lake.js';
import { wholeShop } from './testing/whole-shop.js';

const long = process.env['SHOPSMART_LONG'] !== undefined;
/** A failure prints both; given again, the same history comes again. */
const seed = Number(process.env['SHOPSMART_SEED'] ?? Date.now() % 1_000_000_000);
const path = process.env['SHOPSMART_PATH'];
/** Also how long a failure is looked at for a smaller one. */
const TIME_LIMIT_MS = long ? 3_600_000 : 400_000;

const workshop = new Workshop();
afterAll(() => workshop.close());

const cases: readonly (readonly [string, World, number])[] = [
  ['of the small shop', shopWorld, 60],
  ['of sales', salesWorld, 50],
  ['of events', eventWorld, 90],
  ['of all tables of the product', wholeShop, 20],
];

describe(`random histories (SHOPSMART_SEED=${seed})`, () => {
  it.each(cases)(
    '%s leave what a rebuild gives, table by table, keys included',
    async (_name, world, numRuns) => {
      await fc.assert(
        fc.asyncProperty(histories(world, long ? 6 : 2, 4), (steps) => liveThrough(workshop, world, steps)),
        {
          seed,
          ...(path === undefined ? {} : { path }),
          numRuns: long ? numRuns * 10 : numRuns,
          interruptAfterTimeLimit: TIME_LIMIT_MS,
          markInterruptAsFailure: true,
        },
      );
    },
    TIME_LIMIT_MS + 60_000,
  );
});
