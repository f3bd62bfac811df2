import { flag, integer, money, rate, required, requires, silverTable, text, timestamp, warnIfEmpty } from '#contracts';

export const orderItems = silverTable('silver/order_items', {
  describes: 'Lines of orders: typed, priced, the latest valid record of each.',
  source: 'order_items',
  key: ['item_id'],
  sortBy: ['order_id', 'item_id'],
  columns: {
    item_id: required(text('Line of an order')),
    order_id: required(text('Order that the line belongs to')),
    product_id: required(text('Product sold')),
    quantity: required(integer('Pieces sold', 'pieces')),
    unit_price: required(money('Price of a piece')),
    discount_percent: required(rate('Discount on the line; 0 if none is given')),
    item_status: text('Status of the line, lower case'),
    created_at: timestamp('When the source made the record'),
    line_total: required(money('quantity · unit_price')),
    discount_amount: required(money('quantity · unit_price · discount_percent / 100, rounded on its own')),
    net_line_total: required(money('quantity · unit_price · (1 − discount_percent / 100), rounded on its own')),
    has_discount: flag('discount_percent is above 0'),
  },
  rules: [
    requires('item_id'),
    requires('order_id'),
    requires('product_id'),
    requires('quantity'),
    requires('unit_price'),
    { name: 'quantity_not_positive', description: 'quantity is 0 or below', broken: 'quantity <= 0' },
    { name: 'unit_price_not_positive', description: 'unit_price is 0 or below', broken: 'unit_price <= 0' },
    {
      name: 'discount_percent_out_of_range',
      description: 'discount_percent is outside 0 to 100',
      broken: 'discount_percent < 0 OR discount_percent > 100',
    },
  ],
  checks: [
    warnIfEmpty('silver/order_items'),
    {
      name: 'orders_known',
      severity: 'warn',
      description: 'At least nine of ten lines belong to an order in silver.',
      failing: `SELECT orphans, total FROM (
        SELECT count(*) AS total, count(*) - count(o.order_id) AS orphans
        FROM silver.order_items i LEFT JOIN silver.orders o ON o.order_id = i.order_id) c WHERE orphans * 10 > total`,
    },
  ],
  recompute: { by: ['item_id'], from: [{ input: 'bronze.order_items', by: ['item_id'] }], asOf: false },
});
