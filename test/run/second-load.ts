import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Shop } from './shop.js';

/**
 * What a second day brings to the demo shop: an order that was rejected comes with its status (and its lines with it), a
 * changed order, a new one with its line; customers who moved and rose, one twice, and a new one; an event delivered
 * again and a new one; a payment corrected, a new one and one that is refused; a product's price.
 */
export function landSecondLoad(shop: Shop): void {
  const orders = csv(shop, 'source1_orders_pg/orders.csv');
  const late = orders.rows.find((row) => row[3] === '') ?? [];
  const changed = orders.rows.find((row) => row[3] === 'DELIVERED') ?? [];
  const status = (row: readonly string[], value: string) =>
    [...row.slice(0, 3), value, ...row.slice(4, 11), '2026-02-16 08:00:00'].join(',');
  shop.land(
    'source1_orders_pg/orders_3.csv',
    [
      orders.header,
      status(late, 'SHIPPED'),
      status(changed, 'RETURNED'),
      status(['ORD-NEW-1', ...changed.slice(1)], 'PENDING'),
      '',
    ].join('\n'),
  );
  const items = csv(shop, 'source1_orders_pg/order_items.csv');
  const line = items.rows[0] ?? [];
  shop.land(
    'source1_orders_pg/order_items_3.csv',
    `${items.header}\n${['ITEM-NEW-1', 'ORD-NEW-1', ...line.slice(2)].join(',')}\n`,
  );
  const [moved, risen, ...others] = json(shop, 'source2_customers_api/customers.json');
  shop.land(
    'source2_customers_api/customers_3.json',
    JSON.stringify([
      { ...moved, address: { ...(moved?.['address'] as object), street: '1 New Road' } },
      { ...risen, loyalty_tier: 'bronze' },
      { ...risen, loyalty_tier: 'platinum' },
      // the same again: no new version
      others[0],
      { ...others[1], customer_id: 'CUST-NEW-1' },
    ]),
  );
  const events = readFileSync(join(shop.landing, 'source4_clickstream_eventhub/clickstream.json'), 'utf8').split('\n');
  const event = JSON.parse(events[1] ?? '') as object;
  shop.land(
    'source4_clickstream_eventhub/clickstream_3.ndjson',
    [
      JSON.stringify({ ...(JSON.parse(events[0] ?? '') as object), event_type: 'checkout' }),
      JSON.stringify({ ...event, event_id: 'EVT-NEW-1', event_timestamp: '2026-02-16T12:00:00Z' }),
      '',
    ].join('\n'),
  );
  const payment = json(shop, 'source6_payments_api/payments.json', true)[0];
  shop.land(
    'source6_payments_api/payments_3.json',
    JSON.stringify([
      { ...payment, amount: 9999.99 },
      { ...payment, transaction_id: 'TXN-NEW-1' },
      { ...payment, transaction_id: 'TXN-NEW-2', amount: -1 },
    ]),
  );
  shop.land(
    'source3_products_mongo/products_3.json',
    JSON.stringify([
      { ...json(shop, 'source3_products_mongo/products.json')[0], price: 260, updated_at: '2026-02-16' },
    ]),
  );
}

function csv(shop: Shop, path: string) {
  const [header = '', ...lines] = readFileSync(join(shop.landing, path), 'utf8').trimEnd().split(/\r?\n/);
  return { header, rows: lines.map((text) => text.split(',')) };
}

function json(shop: Shop, path: string, isLines = false): readonly Record<string, unknown>[] {
  const text = readFileSync(join(shop.landing, path), 'utf8');
  return (
    isLines
      ? text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown)
      : JSON.parse(text)
  ) as Record<string, unknown>[];
}
