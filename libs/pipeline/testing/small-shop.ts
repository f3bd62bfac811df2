import {
  catalogue,
  count,
  date,
  integer,
  long,
  money,
  pii,
  required,
  requires,
  silverTable,
  source,
  table,
  text,
  timestamp,
  type Catalogue,
} from '#contracts';

/** What a test may change of the small shop, as a later version of it would. */
export interface ShopVariant {
  /** Orders of the gold tables count only from this amount on: other logic, same columns. */
  readonly salesFrom?: number;
  /** Every order is worth so much more: other logic of the silver table. */
  readonly surcharge?: number;
  /** `gold/daily_sales` has the column `greatest_order`. */
  readonly withGreatest?: boolean;
  /** Before there was `gold/customer_tiers`. */
  readonly withoutTiers?: boolean;
}

const orders = source('orders', {
  format: 'csv',
  folder: 'shop',
  fields: {
    order_id: { kind: 'id' },
    customer_id: { kind: 'id' },
    tier: { kind: 'text' },
    placed_on: { kind: 'date' },
    channel: { kind: 'text' },
    amount: { kind: 'decimal', precision: 18, scale: 2 },
    updated_at: { kind: 'timestamp' },
  },
});

/** An order above this amount is a failed `error` check; above the half of it, a failed `warn` check. */
export const TOO_MUCH = 1000;

const silverOrders = silverTable('silver/orders', {
  describes: 'Orders: the latest valid record of each.',
  source: 'orders',
  winner: { keep: 'latest', by: 'updated_at' },
  key: ['order_id'],
  partitionBy: ['order_month'],
  columns: {
    order_id: required(text('Order')),
    customer_id: required(pii(text('Customer'))),
    tier: text('Tier of the customer as the order says'),
    placed_on: required(date('Day of the order')),
    channel: text('Channel'),
    amount: required(money('Value of the order')),
    updated_at: timestamp('When the source last changed the record'),
    order_month: required(integer('Month of placed_on', 'month')),
  },
  rules: [
    requires('order_id'),
    requires('customer_id'),
    requires('placed_on'),
    requires('amount'),
    { name: 'negative_amount', description: 'amount is below 0', broken: 'amount < 0' },
    { name: 'placed_in_future', description: 'placed_on is after as_of', broken: 'placed_on > :as_of' },
  ],
  checks: [
    {
      name: 'amount_possible',
      severity: 'error',
      description: `No order is worth more than ${TOO_MUCH}.`,
      failing: `SELECT order_id FROM silver.orders WHERE amount > ${TOO_MUCH}`,
      units: { 'silver.orders': ['order_id'] },
    },
    {
      name: 'amount_usual',
      severity: 'warn',
      description: `Few orders are worth more than ${TOO_MUCH / 2}.`,
      failing: `SELECT order_id FROM silver.orders WHERE amount > ${TOO_MUCH / 2}`,
    },
  ],
  recompute: { by: ['order_id'], from: [{ input: 'bronze.orders', by: ['order_id'] }], asOf: 'rejects' },
});

const ordersSql = ({ surcharge = 0 }: ShopVariant) => `SELECT order_id, customer_id, tier, placed_on, channel,
  ${surcharge === 0 ? 'amount' : `to_money(amount + ${surcharge}) AS amount`}, updated_at,
  CAST(month(placed_on) AS INTEGER) AS order_month,
  _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread, FALSE AS _overflow
FROM parsed.orders`;

/** One partitioned table that follows from winners alone. */
function dailySales({ salesFrom = 0, withGreatest = false }: ShopVariant) {
  const contract = table('gold/daily_sales', {
    describes: 'Sales of one day in one channel.',
    key: ['placed_on', 'channel'],
    partitionBy: ['order_month'],
    columns: {
      placed_on: required(date('Day')),
      channel: text('Channel'),
      order_month: required(integer('Month of the day', 'month')),
      orders: required(count('Orders')),
      revenue: money('Σ amount'),
      ...(withGreatest ? { greatest_order: money('Greatest amount') } : {}),
    },
    recompute: {
      by: ['placed_on', 'channel'],
      from: [{ input: 'silver.orders', by: ['placed_on', 'channel'] }],
      asOf: false,
    },
  });
  const sql = `SELECT placed_on, channel, min(order_month) AS order_month, CAST(count(*) AS INTEGER) AS orders,
    to_money(sum(amount)) AS revenue${withGreatest ? ', max(amount) AS greatest_order' : ''}
  FROM silver.orders WHERE amount >= ${salesFrom} GROUP BY placed_on, channel`;
  return { contract, sql };
}

/** One that follows from every valid record, as versions of a dimension do: losers matter too. */
const customerTiers = {
  contract: table('gold/customer_tiers', {
    describes: 'Tiers that a customer has had, and the load that said so first.',
    key: ['customer_id', 'tier'],
    columns: {
      customer_id: required(text('Customer')),
      tier: text('Tier'),
      first_load: required(long('Load that said so first')),
    },
    recompute: {
      by: ['customer_id'],
      from: [{ input: 'valid.orders', by: ['customer_id'] }],
      asOf: false,
    },
  }),
  sql: 'SELECT customer_id, tier, min(_batch_id) AS first_load FROM valid.orders GROUP BY customer_id, tier',
};

/** One source, one silver table with rules that depend on as_of, two gold tables. */
export function smallShop(variant: ShopVariant = {}): Catalogue {
  return catalogue({
    sources: [orders],
    tables: [
      { contract: silverOrders, sql: ordersSql(variant) },
      dailySales(variant),
      ...(variant.withoutTiers ? [] : [customerTiers]),
    ],
    daily: {
      table: 'gold/daily_sales',
      day: 'placed_on',
      by: ['channel'],
      figures: [
        { name: 'revenue', kind: 'sum', of: 'amount' },
        { name: 'orders', kind: 'distinct', of: 'order_id' },
      ],
      lines: {
        table: 'silver/orders',
        day: 'placed_on',
        columns: ['placed_on', 'channel', 'amount'],
        records: [{ table: 'silver/orders', on: { order_id: 'order_id' }, distance: 0 }],
      },
    },
  });
}

/** A record of the source; text as a file has it, so that it may be wrong. */
export interface OrderRecord {
  readonly order: string;
  readonly customer?: string;
  readonly tier?: string;
  readonly placedOn?: string;
  readonly channel?: string;
  readonly amount?: string;
  readonly updatedAt?: string;
}

/** A landing file of the source. */
export function csvOf(records: readonly OrderRecord[]): string {
  const lines = records.map(
    ({
      order,
      customer = 'c1',
      tier = 'basic',
      placedOn = '2026-01-10',
      channel = 'web',
      amount = '10.00',
      updatedAt = '2026-01-11T00:00:00Z',
    }) => [order, customer, tier, placedOn, channel, amount, updatedAt].join(','),
  );
  return ['order_id,customer_id,tier,placed_on,channel,amount,updated_at', ...lines]
    .map((line) => `${line}\n`)
    .join('');
}
