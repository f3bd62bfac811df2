import type { DailyFigures } from '#contracts';

/** Sales by day and channel, and the lines they add up. */
export const dailySales: DailyFigures = {
  table: 'gold/agg_daily_sales',
  day: 'order_date',
  by: ['channel'],
  figures: [
    { name: 'net_revenue' },
    { name: 'gross_revenue' },
    { name: 'total_discount' },
    { name: 'total_shipping' },
    { name: 'total_line_items' },
    { name: 'total_orders' },
  ],
};
