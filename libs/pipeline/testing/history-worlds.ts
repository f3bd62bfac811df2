import fc from 'fast-check';
import { eventShop } from './event-shop.js';
import type { World } from './history.js';
import { salesShop } from './sales-shop.js';
import { smallShop } from './small-shop.js';

const one = (...values: readonly string[]) => fc.constantFrom(...values);
const days = ['2026-01-15', '2026-02-17', '2026-03-15'];

/** A keyed silver table, and gold that follows from winners and from every valid record. */
export const shopWorld: World = {
  versions: [
    { catalogue: smallShop() },
    { catalogue: smallShop({ salesFrom: 11 }) },
    { catalogue: smallShop({ withGreatest: true }) },
  ],
  days,
  records: {
    orders: fc.record({
      order_id: one('a', 'b', 'c', 'd', ''),
      customer_id: one('c1', 'c2', ''),
      tier: one('basic', 'gold', ''),
      placed_on: one('2026-01-10', '2026-01-31', '2026-02-10', '2026-02-20', '2026-03-01', 'soon'),
      channel: one('web', 'app', ''),
      amount: one('10.00', '12.50', '0', '-1', 'much', ''),
      updated_at: one('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z', ''),
    }),
  },
};

/** Three sources, a history dimension, a fact table with orphans, an aggregate of it and a global table. */
export const salesWorld: World = {
  versions: [
    { catalogue: salesShop() },
    { catalogue: salesShop('without_returns') },
    { catalogue: salesShop('counts_orders') },
    { catalogue: salesShop('strict') },
  ],
  days,
  records: {
    orders: fc.record({
      order_id: one('a', 'a', 'b', 'b', 'c', 'd', ''),
      customer_id: one('c1', 'c2', 'c3', ''),
      placed_on: one('2026-01-10', '2026-01-12', '2026-01-20', '2026-02-17', '2026-03-01', 'soon'),
      channel: one('web', 'app', ''),
      status: one('sold', 'returned'),
      changed: one('1', '2', ''),
    }),
    lines: fc.record({
      line_id: one('i1', 'i2', 'i3', 'i4', 'i5', ''),
      order_id: one('a', 'b', 'c', 'd', 'e'),
      quantity: one('1', '2', '3', '4', '5', '0', 'x'),
    }),
    customers: fc.record({
      customer_id: one('c1', 'c2', 'c3', ''),
      tier: one('basic', 'silver', 'gold', ''),
      since: one('2026-01-01', '', 'never'),
    }),
  },
};

/** Events of which the first of an id wins, and sums of them. */
export const eventWorld: World = {
  versions: [{ catalogue: eventShop() }, { catalogue: eventShop('without_searches') }],
  days,
  records: {
    events: fc.record({
      event_id: one('e1', 'e2', 'e3', 'e4', 'e5', ''),
      visit_id: one('v1', 'v2', 'v3'),
      what: one('search', 'view', ''),
      seen_on: one('2026-01-10', '2026-02-16', '2026-03-01', 'then'),
    }),
  },
};
