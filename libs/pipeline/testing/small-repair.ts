import type { Row } from '#engine';
import type { Repair } from '../repair.js';
import type { SmallLake } from './small-lake.js';
import type { OrderRecord } from './small-shop.js';

const DEFAULTS = { customer: 'c1', tier: 'basic', placedOn: '2026-01-10', channel: 'web', amount: '10.00' };

/** A repair of quarantined records, by where they stand. */
export async function repairOf(
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
      const id = `orders:${original.load}:${original.row}`;
      const came = { rules: reject['rules'] as string[], superseded_by: null, before: text(reject, 'record') };
      return [{ id, original, ...came, after }];
    }),
  };
}
