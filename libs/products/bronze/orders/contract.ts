import { source } from '#contracts';
import { amount, id, instant } from '../../field.js';

export const orders = source('orders', {
  format: 'csv',
  folder: 'source1_orders_pg',
  describes: 'Orders of the shop database, as exported or as change capture sent them.',
  fields: {
    order_id: id,
    customer_id: id,
    order_date: instant,
    order_status: id,
    total_amount: amount,
    discount_amount: amount,
    shipping_amount: amount,
    payment_method: id,
    channel: id,
    shipping_address_id: id,
    created_at: instant,
    updated_at: instant,
  },
});
