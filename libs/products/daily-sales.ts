import type { DailyFigures } from '#contracts';

/** Sales by day and channel, and the lines they add up. */
export const dailySales: DailyFigures = {
  table: 'gold/agg_daily_sales',
  day: 'order_date',
  by: ['channel'],
  figures: [
    { name: 'net_revenue', kind: 'sum', of: 'net_line_total' },
    { name: 'gross_revenue', kind: 'sum', of: 'line_total' },
    { name: 'total_discount', kind: 'sum', of: 'discount_amount' },
    { name: 'total_shipping', kind: 'sum', of: 'shipping_allocated' },
    { name: 'total_line_items', kind: 'rows' },
    { name: 'total_items_sold', kind: 'sum', of: 'quantity' },
    { name: 'total_orders', kind: 'distinct', of: 'order_id' },
    { name: 'total_customers', kind: 'distinct', of: 'customer_id' },
    { name: 'cancelled_orders', kind: 'distinct', of: 'order_id', where: "order_status = 'CANCELLED'" },
    { name: 'returned_orders', kind: 'distinct', of: 'order_id', where: "order_status = 'RETURNED'" },
  ],
  lines: {
    table: 'gold/fact_sales',
    day: 'utc_date(order_date)',
    columns: [
      'order_date',
      'channel',
      'order_id',
      'customer_id',
      'order_status',
      'quantity',
      'line_total',
      'discount_amount',
      'net_line_total',
      'shipping_allocated',
    ],
    records: [
      { table: 'silver/order_items', on: { item_id: 'item_id' }, distance: 0 },
      { table: 'silver/orders', on: { order_id: 'order_id' }, distance: 0 },
      // the lines of an order share its shipping
      { table: 'silver/order_items', on: { order_id: 'order_id' }, distance: 1, columns: ['shipping_allocated'] },
      { table: 'silver/customers', on: { customer_id: 'customer_id' }, distance: 2, columns: ['customer_sk'] },
      { table: 'silver/products', on: { product_id: 'product_id' }, distance: 2, columns: ['product_sk'] },
    ],
  },
};
