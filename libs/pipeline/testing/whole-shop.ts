import fc from 'fast-check';
import { catalogue, type Catalogue } from '#contracts';
import { shopCatalogue } from '#products';
import type { World } from './history.js';

const one = (...values: readonly (string | null)[]) => fc.constantFrom(...values);
const ids = (letter: string, n: number) => one(...Array.from({ length: n }, (_, at) => `${letter}${at}`));
const customer = ids('c', 4);
const product = ids('p', 3);
const order = ids('o', 5);
const moment = one('2026-04-30', '2026-05-01T23:59:59Z', '2026-05-02T10:00:00Z', '2026-05-03', '2026-06-20');

/** The catalogue of the product with one query changed, as a later release of it may do. */
function changed(table: string, from: string, to: string): Catalogue {
  const { sources, tables } = shopCatalogue();
  return catalogue({
    sources,
    tables: tables.map((one) => {
      if (one.contract.name !== table) return one;
      if (!one.sql.includes(from)) throw new Error(`the query of ${table} has no ${from}`);
      return { ...one, sql: one.sql.replace(from, to) };
    }),
  });
}

/** Every table of the product, over a handful of records. */
export const wholeShop: World = {
  versions: [
    { catalogue: shopCatalogue() },
    { catalogue: changed('silver/products', 'initcap(category)', 'lower(category)') },
    { catalogue: changed('gold/agg_daily_sales', 'FROM gold.fact_sales', 'FROM gold.fact_sales WHERE quantity > 1') },
    // another setting of the range of dim_date
    { catalogue: shopCatalogue(), dateFrom: '2025-01-01' },
  ],
  days: ['2026-05-01', '2026-05-02', '2026-05-20', '2026-06-25'],
  records: {
    orders: fc.record({
      order_id: order,
      customer_id: customer,
      order_date: moment,
      order_status: one('delivered', 'delivered', 'cancelled', 'returned', ''),
      total_amount: one('10', '20', '0', 'x'),
      shipping_amount: one('0', '0.05', '10.01', '7.77'),
      channel: one('web', 'app', ''),
      updated_at: moment,
    }),
    order_items: fc.record({
      item_id: ids('i', 9),
      order_id: order,
      product_id: product,
      quantity: one('1', '3', '0'),
      unit_price: one('1', '9.99', '3.33'),
      discount_percent: one('0', '15'),
    }),
    customers: fc.record({
      customer_id: customer,
      loyalty_tier: one('a', 'b'),
      date_of_birth: one('2000-05-02', '1990-01-01', '2026-05-10'),
      registration_date: one(null, '2026-05-02', '2026-04-01'),
    }),
    products: fc.record({
      product_id: product,
      price: one('0', '5', '7'),
      cost_price: one('2', '3'),
      category: one('toys', 'books'),
      updated_at: moment,
    }),
    inventory: fc.record({
      product_id: product,
      warehouse_id: one('w1', 'w2'),
      snapshot_date: one('2026-05-01', '2026-05-02'),
      quantity_on_hand: one('-1', '4', 'x'),
      last_restock_date: one('2026-04-01', ''),
    }),
    payments: fc.record({
      transaction_id: ids('t', 5),
      order_id: order,
      amount: one('1', '5', '100', '0'),
      payment_method: one('card', null),
      transaction_timestamp: moment,
    }),
    clickstream: fc.record({
      event_id: ids('e', 9),
      session_id: ids('s', 3),
      customer_id: one('c1', null),
      event_type: one('checkout', 'search', null),
      event_timestamp: moment,
      referrer: one('a', 'b', null),
    }),
  },
};
