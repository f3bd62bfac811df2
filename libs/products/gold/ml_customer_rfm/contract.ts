import { count, date, integer, money, rate, required, table, text } from '#contracts';

export const mlCustomerRfm = table('gold/ml_customer_rfm', {
  describes: 'Customers with a sale, scored by recency, frequency and money.',
  key: ['customer_id'],
  columns: {
    customer_id: required(text('Customer')),
    recency_days: required(integer("From the customer's last order to the latest order of all", 'days')),
    frequency: required(count('Distinct orders')),
    monetary: money('Σ net_line_total without cancelled orders'),
    avg_line_value: money('Mean net_line_total'),
    avg_order_value: money('Σ net_line_total / frequency'),
    total_items_bought: integer('Σ quantity', 'pieces'),
    unique_products: required(count('Distinct products')),
    avg_items_per_order: rate('total_items_bought / frequency', 'pieces'),
    channels_used: required(count('Distinct channels')),
    cancelled_orders: required(count('Distinct cancelled orders')),
    returned_orders: required(count('Distinct returned orders')),
    delivered_orders: required(count('Distinct delivered orders')),
    customer_lifespan_days: required(integer('From first to last order', 'days')),
    first_order_date: required(date('Day of the first order in UTC')),
    last_order_date: required(date('Day of the last order in UTC')),
    return_rate: rate('returned_orders / frequency'),
    cancel_rate: rate('cancelled_orders / frequency'),
    delivery_rate: rate('delivered_orders / frequency'),
    r_score: required(integer('5 = the most recent fifth', 'score')),
    f_score: required(integer('5 = the most frequent fifth', 'score')),
    m_score: required(integer('5 = the fifth with the most money', 'score')),
    rfm_score: required(integer('r_score + f_score + m_score', 'score')),
    rfm_segment: required(
      text('Champions from 13, Loyal Customers from 10, Potential Loyalists from 7, At Risk from 5, else Hibernating'),
    ),
  },
  checks: [
    {
      name: 'customers_complete',
      severity: 'error',
      description: 'The customers are those with a sale, each with as many orders.',
      failing: `SELECT f.customer_id FROM gold.ml_customer_rfm r
        FULL JOIN (
          SELECT customer_id, count(DISTINCT order_id) AS orders FROM gold.fact_sales GROUP BY customer_id) f
        ON f.customer_id = r.customer_id
        WHERE r.frequency IS DISTINCT FROM f.orders`,
      units: { 'gold.ml_customer_rfm': ['customer_id'], 'gold.fact_sales': ['customer_id'] },
    },
    {
      name: 'scores_in_range',
      severity: 'error',
      description: 'Scores lie between 1 and 5.',
      failing: `SELECT customer_id FROM gold.ml_customer_rfm WHERE r_score NOT BETWEEN 1 AND 5
        OR f_score NOT BETWEEN 1 AND 5 OR m_score NOT BETWEEN 1 AND 5`,
      units: { 'gold.ml_customer_rfm': ['customer_id'] },
    },
  ],
  recompute: {
    by: [],
    measures: {
      by: ['customer_id'],
      columns: [
        'frequency',
        'monetary',
        'avg_line_value',
        'avg_order_value',
        'total_items_bought',
        'unique_products',
        'avg_items_per_order',
        'channels_used',
        'cancelled_orders',
        'returned_orders',
        'delivered_orders',
        'customer_lifespan_days',
        'first_order_date',
        'last_order_date',
        'return_rate',
        'cancel_rate',
        'delivery_rate',
      ],
    },
    from: [
      {
        input: 'gold.fact_sales',
        by: 'all',
        own: { customer_id: 'customer_id' },
        reads: [
          'sales_key',
          'order_id',
          'customer_id',
          'product_id',
          'channel',
          'order_date',
          'order_status',
          'quantity',
          'net_line_total',
        ],
        others: 'fifths of all customers, and the latest order of all',
      },
    ],
    asOf: false,
  },
  explained: {
    adds: 'gold.fact_sales',
    sums: {
      monetary: {
        of: 'net_line_total',
        unless: { reason: 'cancelled', when: "order_status = 'CANCELLED'" },
      },
      total_items_bought: { of: 'quantity' },
    },
  },
});
