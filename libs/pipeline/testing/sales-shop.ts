import {
  catalogue,
  count,
  date,
  flag,
  integer,
  long,
  required,
  requires,
  silverTable,
  source,
  table,
  text,
  type Catalogue,
} from '#contracts';

/** What a later version of the sales shop does otherwise. */
export type SalesVariant = 'first' | 'without_returns' | 'counts_orders' | 'strict';

const orders = source('orders', {
  format: 'csv',
  folder: 'orders',
  fields: {
    order_id: { kind: 'id' },
    customer_id: { kind: 'id' },
    placed_on: { kind: 'date' },
    channel: { kind: 'text' },
    status: { kind: 'text' },
    changed: { kind: 'integer' },
  },
});

const lines = source('lines', {
  format: 'csv',
  folder: 'lines',
  fields: { line_id: { kind: 'id' }, order_id: { kind: 'id' }, quantity: { kind: 'integer' } },
});

const customers = source('customers', {
  format: 'csv',
  folder: 'customers',
  fields: { customer_id: { kind: 'id' }, tier: { kind: 'text' }, since: { kind: 'date' } },
});

const PLACE =
  '_source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread, FALSE AS _overflow';

/** The latest by a time of its own; a rule that follows from as_of; partitioned by what may change. */
const silverOrders = (variant: SalesVariant) => ({
  contract: silverTable('silver/orders', {
    describes: 'Orders.',
    source: 'orders',
    winner: { keep: 'latest', by: 'changed' },
    key: ['order_id'],
    partitionBy: ['order_month'],
    columns: {
      order_id: required(text('Order')),
      customer_id: text('Customer'),
      placed_on: required(date('Day of the order')),
      channel: text('Channel'),
      status: text('Status'),
      changed: integer('When the source last changed it'),
      order_month: required(integer('Month of placed_on', 'month')),
    },
    rules: [
      requires('order_id'),
      requires('placed_on'),
      { name: 'placed_in_future', description: 'placed_on is after as_of', broken: 'placed_on > :as_of' },
      ...(variant === 'strict'
        ? [{ name: 'without_channel', description: 'channel is missing', broken: 'channel IS NULL' }]
        : []),
    ],
    recompute: { by: ['order_id'], from: [{ input: 'bronze.orders', by: ['order_id'] }], asOf: true },
  }),
  sql: `SELECT order_id, customer_id, placed_on, channel, status, changed,
    CAST(month(placed_on) AS INTEGER) AS order_month, ${PLACE} FROM parsed.orders`,
});

/** The latest loaded; not partitioned. */
const silverLines = {
  contract: silverTable('silver/lines', {
    describes: 'Lines of orders.',
    source: 'lines',
    key: ['line_id'],
    columns: {
      line_id: required(text('Line')),
      order_id: required(text('Order')),
      quantity: required(integer('Pieces', 'pieces')),
    },
    rules: [
      requires('line_id'),
      requires('order_id'),
      requires('quantity'),
      { name: 'no_pieces', description: 'quantity is below 1', broken: 'quantity < 1' },
    ],
    recompute: { by: ['line_id'], from: [{ input: 'bronze.lines', by: ['line_id'] }], asOf: false },
  }),
  sql: `SELECT line_id, order_id, quantity, ${PLACE} FROM parsed.lines`,
};

/** A column that follows from as_of. */
const silverCustomers = {
  contract: silverTable('silver/customers', {
    describes: 'Customers.',
    source: 'customers',
    key: ['customer_id'],
    columns: {
      customer_id: required(text('Customer')),
      tier: text('Tier'),
      since: date('First day'),
      tenure_days: integer('Days since then', 'days'),
    },
    rules: [requires('customer_id')],
    recompute: { by: ['customer_id'], from: [{ input: 'bronze.customers', by: ['customer_id'] }], asOf: true },
  }),
  sql: `SELECT customer_id, tier, since, datediff(:as_of, since) AS tenure_days, ${PLACE} FROM parsed.customers`,
};

/** Versions: a row for each state that a customer's tier had, from every valid record, losers too. */
const dimCustomer = {
  contract: table('gold/dim_customer', {
    describes: 'Customers over time.',
    key: ['customer_sk'],
    columns: {
      customer_sk: required(long('Position of the record that opened the version')),
      customer_id: required(text('Customer')),
      tier: text('Tier'),
      tenure_days: integer('Days since the first day, in every version', 'days'),
      starts: required(date('First day of the version; the first one holds for all before too')),
      ends: date('First day of the next one'),
      is_current: flag('The latest version'),
    },
    recompute: { by: ['customer_id'], from: [{ input: 'valid.customers', by: ['customer_id'] }], asOf: true },
  }),
  sql: `WITH told AS (
      SELECT customer_id, tier, _loaded_as_of, _position,
        lag(_position) OVER in_order AS earlier, lag(tier) OVER in_order AS earlier_tier,
        last_value(tenure_days) OVER (PARTITION BY customer_id ORDER BY _position
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS tenure_days
      FROM valid.customers WINDOW in_order AS (PARTITION BY customer_id ORDER BY _position)),
    started AS (
      SELECT *, max(CASE WHEN earlier IS NULL THEN DATE '2000-01-01' ELSE _loaded_as_of END) OVER (PARTITION BY customer_id ORDER BY _position
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS starts
      FROM told WHERE earlier IS NULL OR tier IS DISTINCT FROM earlier_tier)
    SELECT _position AS customer_sk, customer_id, tier, tenure_days, starts,
      lead(starts) OVER (PARTITION BY customer_id ORDER BY _position) AS ends,
      lead(starts) OVER (PARTITION BY customer_id ORDER BY _position) IS NULL AS is_current
    FROM started`,
};

/** Lines with what their order says, a share of the whole order and the version of the customer; lines may wait for their order. */
const factSales = {
  contract: table('gold/fact_sales', {
    describes: 'Lines of orders that are there.',
    key: ['line_id'],
    partitionBy: ['order_month'],
    columns: {
      line_id: required(text('Line')),
      order_id: required(text('Order')),
      customer_sk: long('Version of the customer on the day'),
      current_tier: text('Tier of the customer now'),
      placed_on: required(date('Day of the order')),
      channel: text('Channel'),
      status: text('Status of the order'),
      quantity: required(integer('Pieces', 'pieces')),
      place: required(integer('Place in its order, most pieces first', '1')),
      order_month: required(integer('Month of placed_on', 'month')),
    },
    recompute: {
      by: ['order_id'],
      from: [
        { input: 'silver.lines', by: ['order_id'] },
        { input: 'silver.orders', by: ['order_id'] },
        {
          input: 'gold.dim_customer',
          by: 'all',
          via: 'SELECT o.order_id FROM silver.orders o JOIN changed c ON c.customer_id = o.customer_id',
        },
      ],
      asOf: false,
    },
  }),
  sql: `SELECT i.line_id, i.order_id, v.customer_sk, w.tier AS current_tier, o.placed_on, o.channel, o.status, i.quantity,
      CAST(row_number() OVER (PARTITION BY i.order_id ORDER BY i.quantity DESC, i.line_id) AS INTEGER) AS place,
      o.order_month
    FROM silver.lines i
    JOIN silver.orders o ON o.order_id = i.order_id
    LEFT JOIN gold.dim_customer v ON v.customer_id = o.customer_id AND o.placed_on >= v.starts
      AND (v.ends IS NULL OR o.placed_on < v.ends)
    LEFT JOIN gold.dim_customer w ON w.customer_id = o.customer_id AND w.is_current`,
  orphansSql: `SELECT 'lines' AS source, b.line_id AS record, ['order_missing'] AS rules,
      CAST(NULL AS VARCHAR) AS superseded_by,
      b._source_file, b._source_row, b._source_line, b._batch_id, b._loaded_at, b._as_of, l.run_id AS _run_id
    FROM (SELECT i._batch_id, i._source_file, i._source_row FROM silver.lines i
      WHERE NOT EXISTS (SELECT 1 FROM silver.orders o WHERE o.order_id = i.order_id)) orphan
    JOIN bronze.lines b ON b._batch_id = orphan._batch_id AND b._source_file = orphan._source_file
      AND b._source_row = orphan._source_row
    JOIN bronze.loads l ON l.source = 'lines' AND l.load = orphan._batch_id AND l.path = orphan._source_file`,
};

/** An aggregate of the fact table. */
const dailySales = (variant: SalesVariant) => ({
  contract: table('gold/daily_sales', {
    describes: 'Sales of a day in a channel.',
    key: ['placed_on', 'channel'],
    partitionBy: ['order_month'],
    columns: {
      placed_on: required(date('Day')),
      channel: text('Channel'),
      order_month: required(integer('Month of the day', 'month')),
      lines: required(count('Lines')),
      pieces: required(integer('Σ quantity', 'pieces')),
      ...(variant === 'counts_orders' ? { orders: required(count('Orders')) } : {}),
    },
    recompute: {
      by: ['placed_on', 'channel'],
      from: [{ input: 'gold.fact_sales', by: ['placed_on', 'channel'] }],
      asOf: false,
    },
  }),
  sql: `SELECT placed_on, channel, min(order_month) AS order_month, CAST(count(*) AS INTEGER) AS lines,
      CAST(sum(quantity) AS INTEGER) AS pieces
      ${variant === 'counts_orders' ? ', CAST(count(DISTINCT order_id) AS INTEGER) AS orders' : ''}
    FROM gold.fact_sales ${variant === 'without_returns' ? "WHERE status IS DISTINCT FROM 'returned'" : ''}
    GROUP BY placed_on, channel`,
});

/** Global: each row follows from all. */
const ranking = {
  contract: table('gold/ranking', {
    describes: 'Orders by their pieces.',
    key: ['order_id'],
    columns: {
      order_id: required(text('Order')),
      pieces: required(integer('Σ quantity', 'pieces')),
      third: required(integer('Third by pieces, 1 to 3', '1')),
    },
    recompute: { by: [], from: [{ input: 'gold.fact_sales', by: 'all' }], asOf: false },
  }),
  sql: `SELECT order_id, pieces, CAST(ntile(3) OVER (ORDER BY pieces, order_id) AS INTEGER) AS third FROM (
      SELECT order_id, CAST(sum(quantity) AS INTEGER) AS pieces FROM gold.fact_sales GROUP BY order_id) summed`,
};

/** Three sources, a history dimension, a fact table with orphans, an aggregate of it and a global table. */
export function salesShop(variant: SalesVariant = 'first'): Catalogue {
  return catalogue({
    sources: [orders, lines, customers],
    tables: [silverOrders(variant), silverLines, silverCustomers, dimCustomer, factSales, dailySales(variant), ranking],
  });
}
