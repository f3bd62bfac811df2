import type { Content } from './small-lake.js';
import type { OrderRecord } from './small-shop.js';

/** A file whose bytes had not been loaded before, and the load that brought it; in the order of loading. */
export interface LoadedFile {
  readonly path: string;
  readonly records: readonly OrderRecord[];
  readonly load: number;
}

/** A record with its defaults gone: an empty field is missing. */
interface Placed {
  readonly order: string | null;
  readonly customer: string | null;
  readonly tier: string | null;
  readonly placedOn: string | null;
  readonly channel: string | null;
  readonly amount: string | null;
  readonly updatedAt: string;
  readonly file: string;
  readonly row: string;
  readonly load: number;
}

/** What the small shop's tables hold, worked out record by record without SQL: the other side of a comparison. */
export function shopModel(files: readonly LoadedFile[], asOf: string) {
  const placed = files.flatMap(({ path, records, load }) =>
    records.map((record, n): Placed => ({ ...fieldsOf(record), file: path, row: String(n + 1), load })),
  );
  const verdicts = placed.map((record) => ({ record, rules: rulesBroken(record, asOf) }));
  const valid = verdicts.filter(({ rules }) => rules.length === 0).map(({ record }) => record);
  const winners = new Map<string | null, Placed>();
  for (const record of valid) {
    const best = winners.get(record.order);
    if (best === undefined || record.updatedAt >= best.updatedAt) winners.set(record.order, record);
  }
  const orders = [...winners.values()];
  const sales = new Map<string, { day: string | null; channel: string | null; orders: number; cents: number }>();
  for (const { placedOn, channel, amount } of orders) {
    const group = JSON.stringify([placedOn, channel]);
    const sum = sales.get(group) ?? { day: placedOn, channel, orders: 0, cents: 0 };
    sales.set(group, { ...sum, orders: sum.orders + 1, cents: sum.cents + cents(amount) });
  }
  const tiers = new Map<string, readonly [string | null, string | null, string]>();
  for (const { customer, tier, load } of valid) {
    const version = JSON.stringify([customer, tier]);
    if (!tiers.has(version)) tiers.set(version, [customer, tier, String(load)]);
  }
  return {
    orders: texts(
      orders.map((o) => [o.order, o.customer, o.tier, o.placedOn, o.channel, money(cents(o.amount)), o.file, o.row]),
    ),
    rejects: texts(
      verdicts.filter(({ rules }) => rules.length > 0).map(({ record, rules }) => [record.file, record.row, rules]),
    ),
    sales: texts([...sales.values()].map((s) => [s.day, s.channel, s.orders, money(s.cents)])),
    tiers: texts([...tiers.values()]),
  };
}

/** The parts of the lake that the model speaks of. */
export function shopOf(content: Content) {
  const pick = (table: string, ...columns: string[]) =>
    (content[table] ?? []).map((row) => JSON.stringify(columns.map((column) => row[column]))).sort();
  return {
    orders: pick(
      'silver/orders',
      'order_id',
      'customer_id',
      'tier',
      'placed_on',
      'channel',
      'amount',
      '_source_file',
      '_source_row',
    ),
    rejects: pick('bronze/quarantine/orders', '_source_file', '_source_row', 'rules'),
    sales: pick('gold/daily_sales', 'placed_on', 'channel', 'orders', 'revenue'),
    tiers: pick('gold/customer_tiers', 'customer_id', 'tier', 'first_load'),
  };
}

function fieldsOf(record: OrderRecord) {
  const field = (value: string | undefined) => (value === undefined || value === '' ? null : value);
  return {
    order: field(record.order),
    customer: field(record.customer),
    tier: field(record.tier),
    placedOn: field(record.placedOn),
    channel: field(record.channel),
    amount: field(record.amount),
    // Missing is older than any time.
    updatedAt: record.updatedAt ?? '',
  };
}

/** In the order in which a reject names them: what could not be read, then the rules. */
function rulesBroken({ order, customer, placedOn, amount }: Placed, asOf: string): readonly string[] {
  const readable = amount === null || /^-?\d/.test(amount);
  const dated = placedOn === null || /^\d/.test(placedOn);
  const broken: readonly (readonly [string, boolean])[] = [
    ['cast_placed_on', !dated],
    ['cast_amount', !readable],
    ['required_order_id', order === null],
    ['required_customer_id', customer === null],
    ['required_placed_on', placedOn === null],
    ['required_amount', amount === null],
    ['negative_amount', readable && amount !== null && cents(amount) < 0],
    ['placed_in_future', dated && placedOn !== null && placedOn > asOf],
  ];
  return broken.filter(([, is]) => is).map(([name]) => name);
}

function cents(amount: string | null): number {
  return Math.round(Number(amount) * 100);
}

function money(sum: number): string {
  return (sum / 100).toFixed(2);
}

function texts(rows: readonly (readonly unknown[])[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
