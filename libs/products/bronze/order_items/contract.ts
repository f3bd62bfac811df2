import { source } from '#contracts';
import { amount, id, instant, ratio, whole } from '../../field.js';

export const orderItems = source('order_items', {
  format: 'csv',
  folder: 'source1_orders_pg',
  describes: 'Lines of orders of the shop database.',
  fields: {
    item_id: id,
    order_id: id,
    product_id: id,
    quantity: whole,
    unit_price: amount,
    discount_percent: ratio,
    item_status: id,
    created_at: instant,
  },
});
