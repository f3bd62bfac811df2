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
      description:
        'Lines, revenue, discount and shipping add up to those of fact_sales, but for sums too large for money.',
      failing: `SELECT a.lines FROM (
          SELECT coalesce(sum(total_line_items), 0) AS lines, coalesce(sum(gross_revenue), 0) AS gross,
            coalesce(sum(net_revenue), 0) AS net, coalesce(sum(total_discount), 0) AS discount,
            coalesce(sum(total_shipping), 0) AS shipping
          FROM gold.agg_daily_sales) a
        CROSS JOIN (
          SELECT coalesce(sum(lines), 0) AS lines, coalesce(sum(to_money(gross)), 0) AS gross,
            coalesce(sum(to_money(net)), 0) AS net, coalesce(sum(to_money(discount)), 0) AS discount,
            coalesce(sum(to_money(shipping)), 0) AS shipping
          FROM (
            SELECT count(*) AS lines, sum(line_total) AS gross, sum(net_line_total) AS net,
              sum(discount_amount) AS discount, sum(shipping_allocated) AS shipping
            FROM gold.fact_sales
            GROUP BY order_year, order_month, order_day, channel) days) f
        WHERE a.lines <> f.lines OR a.gross <> f.gross OR a.net <> f.net OR a.discount <> f.discount
          OR a.shipping <> f.shipping`,
    },
  ],
  recompute: {
    by: ['order_year', 'order_month', 'order_day', 'channel'],
    from: [{ input: 'gold.fact_sales', by: ['order_year', 'order_month', 'order_day', 'channel'] }],
    asOf: false,
  },
});
