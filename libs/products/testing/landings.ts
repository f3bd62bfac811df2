import fc from 'fast-check';
import type { Fields } from './small-lake.js';

const oneOf = (...values: readonly (string | null)[]) => fc.constantFrom(...values);
const ids = (letter: string, n: number) => oneOf(...Array.from({ length: n }, (_, at) => `${letter}${at}`));
const records = (model: Readonly<Record<string, fc.Arbitrary<string | null>>>) =>
  fc.array(fc.record(model), { minLength: 20, maxLength: 40 }) as fc.Arbitrary<Fields[]>;
const customerId = ids('c', 6);
const productId = ids('p', 5);
const orderId = ids('o', 9);
const moment = oneOf('2025-05-01', '2025-05-01T23:59:59Z', '2025-05-02T10:00:00Z', '2025-05-03');

/** Records of every source: few keys, so that much meets, late, twice or not at all. */
export const landings = fc.record({
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
