import { count, date, flag, integer, money, rate, required, table, text } from '#contracts';

export const aggDailySales = table('gold/agg_daily_sales', {
  describes: 'Sales of one day in one channel. Every order counts, cancelled ones too.',
  key: ['order_date', 'channel'],
  columns: {
    order_date: required(date('Day of the orders in UTC')),
    channel: text('Channel, lower case; NULL where orders have none'),
    order_year: required(integer('Year of order_date', 'year')),
    order_month: required(integer('Month of order_date, 1 to 12', 'month')),
    order_day: required(integer('Day of the month of order_date', 'day')),
    total_orders: required(count('Distinct orders')),
    total_customers: required(count('Distinct customers')),
    total_line_items: required(count('Lines')),
    total_items_sold: integer('Σ quantity', 'pieces'),
    gross_revenue: money('Σ line_total'),
    total_discount: money('Σ discount_amount'),
    net_revenue: money('Σ net_line_total'),
    total_shipping: money('Σ shipping_allocated'),
    avg_item_value: money('Mean net_line_total'),
    avg_quantity_per_item: rate('Mean quantity of a line', 'pieces'),
    cancelled_orders: required(count('Distinct cancelled orders')),
    returned_orders: required(count('Distinct returned orders')),
    delivered_orders: required(count('Distinct delivered orders')),
    orders_with_discount: required(count('Distinct orders with a discounted line')),
    is_weekend: flag('Saturday or Sunday'),
    day_name: required(text('English name of the day')),
    avg_order_value: money('net_revenue / total_orders'),
    cancel_rate_pct: rate('cancelled_orders / total_orders'),
    return_rate_pct: rate('returned_orders / total_orders'),
    discount_rate_pct: rate('orders_with_discount / total_orders'),
  },
  checks: [
    {
      name: 'totals_equal_sales',
      severity: 'error',
      description: 'Lines, revenue, discount and shipping of a day and channel are those of its sales.',
      failing: `SELECT a.order_year FROM gold.agg_daily_sales a
        FULL JOIN (
          SELECT order_year, order_month, order_day, channel,
            count(*) AS lines, to_money(sum(line_total)) AS gross, to_money(sum(net_line_total)) AS net,
            to_money(sum(discount_amount)) AS discount, to_money(sum(shipping_allocated)) AS shipping
          FROM gold.fact_sales
          GROUP BY order_year, order_month, order_day, channel) f
        ON f.order_year = a.order_year AND f.order_month = a.order_month AND f.order_day = a.order_day
          AND f.channel IS NOT DISTINCT FROM a.channel
        WHERE a.total_line_items IS DISTINCT FROM f.lines OR a.gross_revenue IS DISTINCT FROM f.gross
          OR a.net_revenue IS DISTINCT FROM f.net OR a.total_discount IS DISTINCT FROM f.discount
          OR a.total_shipping IS DISTINCT FROM f.shipping`,
      units: {
        'gold.agg_daily_sales': ['order_year', 'order_month', 'order_day', 'channel'],
        'gold.fact_sales': ['order_year', 'order_month', 'order_day', 'channel'],
      },
    },
  ],
  recompute: {
    by: ['order_year', 'order_month', 'order_day', 'channel'],
    from: [{ input: 'gold.fact_sales', by: ['order_year', 'order_month', 'order_day', 'channel'] }],
    asOf: false,
  },
  explained: {
    adds: 'gold.fact_sales',
    sums: {
      total_line_items: {},
      total_items_sold: { of: 'quantity' },
      gross_revenue: { of: 'line_total' },
      total_discount: { of: 'discount_amount' },
      net_revenue: { of: 'net_line_total' },
      total_shipping: { of: 'shipping_allocated' },
    },
  },
});
