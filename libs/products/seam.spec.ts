import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { DuckDbEngine } from '#engine';
import { SmallLake, type Fields } from './testing/small-lake.js';

let workDir: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'seam-'));
  engine = await DuckDbEngine.open({ workDir, threads: 1, memoryLimit: '500MB' });
});
afterAll(async () => {
  await engine.close();
  await rm(workDir, { recursive: true, force: true });
});

const oneOf = (...values: readonly (string | null)[]) => fc.constantFrom(...values);
const ids = (letter: string, n: number) => oneOf(...Array.from({ length: n }, (_, at) => `${letter}${at}`));
const records = (model: Readonly<Record<string, fc.Arbitrary<string | null>>>) =>
  fc.array(fc.record(model), { minLength: 20, maxLength: 40 }) as fc.Arbitrary<Fields[]>;
const customerId = ids('c', 6);
const productId = ids('p', 5);
const orderId = ids('o', 9);
const moment = oneOf('2025-05-01', '2025-05-01T23:59:59Z', '2025-05-02T10:00:00Z', '2025-05-03');

const landings = fc.record({
  orders: records({
    order_id: orderId,
    customer_id: customerId,
    order_date: moment,
    order_status: oneOf('delivered', 'delivered', 'cancelled', 'returned', ''),
    total_amount: oneOf('10', '20', '30', '0', 'x'),
    shipping_amount: oneOf('0', '0.05', '10.01', '7.77'),
    channel: oneOf('web', 'app', null),
    updated_at: moment,
  }),
  order_items: records({
    item_id: ids('i', 30),
    order_id: orderId,
    product_id: productId,
    quantity: oneOf('1', '3'),
    unit_price: oneOf('1', '9.99', '3.33'),
    discount_percent: oneOf('0', '15'),
  }),
  customers: records({
    customer_id: customerId,
    loyalty_tier: oneOf('a', 'b'),
    registration_date: oneOf(null, '2025-05-02'),
  }),
  products: records({
    product_id: productId,
    price: oneOf('0', '5', '7'),
    cost_price: oneOf('2', '3'),
    updated_at: moment,
  }),
  inventory: records({
    product_id: productId,
    warehouse_id: oneOf('w1', 'w2'),
    snapshot_date: oneOf('2025-05-01', '2025-05-02'),
    quantity_on_hand: oneOf('-1', '4'),
  }),
  payments: records({
    transaction_id: oneOf('t1', 't2', 't3', 't4'),
    order_id: orderId,
    amount: oneOf('1', '5', '100'),
    payment_method: oneOf('card', null),
    transaction_timestamp: moment,
  }),
  clickstream: records({
    event_id: ids('e', 20),
    session_id: ids('s', 5),
    customer_id: oneOf('c1', null),
    event_type: oneOf('checkout', 'search'),
    event_timestamp: moment,
    referrer: oneOf('a', 'b', null),
  }),
});

describe('recomputing only what a change touches', () => {
  it('gives, for any units, the full result restricted to them', async () => {
    await fc.assert(
      fc.asyncProperty(landings, landings, fc.integer({ min: 0, max: 1000 }), async (first, second, salt) => {
        const lake = new SmallLake(engine, '2025-06-15');
        for (const [name, rows] of Object.entries(first)) lake.load(name, rows, '2025-05-02');
        for (const [name, rows] of Object.entries(second)) lake.load(name, rows, '2025-05-03');
        await lake.compute(...lake.catalogue.tables.map(({ contract }) => contract.name));
        for (const { contract } of lake.catalogue.tables) {
          const { by, from } = contract.recompute;
          if (by.length === 0) continue;
          await engine.stage('work.whole', lake.query(contract.name));
          const units = `SELECT DISTINCT ${by.join(', ')} FROM work.whole WHERE hash(${by.join(', ')}, ${salt}) % 2 = 0`;
          await engine.stage('work.units', units);
          const inputs: Record<string, string> = {};
          for (const { input, by: path } of from) {
            if (path === 'all') continue;
            const relation = input.replace(/^bronze\./, 'parsed.');
            const other = `work.some_of_${relation.replace('.', '_')}`;
            await engine.stage(other, `SELECT * FROM ${relation} x WHERE ${touched('x', path, by)}`);
            inputs[relation] = other;
          }
          await engine.stage('work.part', lake.query(contract.name, inputs));
          const expected = `SELECT * FROM work.whole w WHERE ${touched('w', by, by)}`;
          const differing = await engine.query(
            `(${expected} EXCEPT ALL SELECT * FROM work.part) UNION ALL (SELECT * FROM work.part EXCEPT ALL ${expected})`,
          );
          expect({ table: contract.name, differing }).toEqual({ table: contract.name, differing: [] });
        }
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });
});

function touched(alias: string, columns: readonly string[], units: readonly string[]): string {
  const same = columns.map((column, n) => `u.${units[n] ?? column} IS NOT DISTINCT FROM ${alias}.${column}`);
  return `EXISTS (SELECT 1 FROM work.units u WHERE ${same.join(' AND ')})`;
}
