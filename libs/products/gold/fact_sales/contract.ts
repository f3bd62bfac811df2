import {
  flag,
  integer,
  long,
  money,
  rate,
  referenceCheck,
  required,
  table,
  text,
  timestamp,
  warnIfEmpty,
} from '#contracts';

const relations = [
  { name: 'customer', to: 'gold/dim_customer', columns: ['customer_sk'], references: ['customer_sk'] },
  { name: 'product', to: 'gold/dim_product', columns: ['product_sk'], references: ['product_sk'] },
  { name: 'date', to: 'gold/dim_date', columns: ['order_date_key'], references: ['date_key'] },
];

export const factSales = table('gold/fact_sales', {
  describes: 'Sales: one row for every line of an order.',
  key: ['sales_key'],
  partitionBy: ['order_year', 'order_month'],
  sortBy: ['order_date', 'sales_key'],
  columns: {
    sales_key: required(text('The line: its item_id')),
    order_date_key: required(integer('Day of the order, yyyymmdd')),
    customer_sk: long("Version of the customer on the order's day; NULL while the customer is unknown"),
    product_sk: long('Product; NULL while it is unknown'),
    customer_id: required(text('Customer who ordered')),
    product_id: required(text('Product sold')),
    order_id: required(text('Order')),
    item_id: required(text('Line of the order')),
    quantity: required(integer('Pieces sold', 'pieces')),
    unit_price: required(money('Price of a piece')),
    line_total: required(money('quantity · unit_price')),
    discount_percent: required(rate('Discount on the line')),
    discount_amount: required(money('Discount on the line')),
    net_line_total: required(money('Value of the line after discount')),
    shipping_amount: required(money('Shipping of the whole order: do not add it up over lines')),
    shipping_allocated: required(money("The line's part of it, by line_total; adds up exactly")),
    order_date: required(timestamp('When the order was placed')),
    order_status: required(text('Status of the order, upper case')),
    payment_method: text('Payment method, lower case'),
    channel: text('Channel of the order, lower case'),
    item_status: text('Status of the line, lower case'),
    is_cancelled: flag('The order is cancelled'),
    is_returned: flag('The order is returned'),
    has_discount: flag('The line has a discount'),
    is_weekend: flag('Placed on a Saturday or Sunday'),
    has_free_shipping: flag('The order has no shipping'),
    order_year: required(integer('Year of order_date', 'year')),
    order_month: required(integer('Month of order_date, 1 to 12', 'month')),
    order_day: required(integer('Day of the month of order_date', 'day')),
    order_hour: required(integer('Hour of order_date, 0 to 23', 'hour')),
    day_name: required(text('English name of the day')),
  },
  relations,
  checks: [
    warnIfEmpty('gold/fact_sales'),
    ...relations.map((relation) => referenceCheck('gold/fact_sales', relation)),
    {
      name: 'shipping_adds_up',
      severity: 'error',
      description: "The lines of an order share exactly the order's shipping.",
      failing: `SELECT order_id FROM gold.fact_sales GROUP BY order_id
        HAVING sum(shipping_allocated) <> max(shipping_amount)`,
    },
    {
      name: 'items_conserved',
      severity: 'error',
      description: 'Silver items are lines or orphans.',
      failing: `SELECT i.n FROM (SELECT count(*) AS n FROM silver.order_items) i
        CROSS JOIN (SELECT count(*) AS n FROM gold.fact_sales) f
        CROSS JOIN (SELECT count(*) AS n FROM quarantine.fact_sales) q WHERE i.n <> f.n + q.n`,
    },
  ],
  recompute: {
    by: ['order_id'],
    from: [
      {
        input: 'silver.order_items',
        by: ['order_id'],
        own: { item_id: 'item_id' },
        others: 'the lines of an order share its shipping by their value',
      },
      { input: 'silver.orders', by: ['order_id'] },
      {
        input: 'gold.dim_customer',
        by: 'all',
        own: { customer_sk: 'customer_sk' },
        via: 'SELECT o.order_id FROM silver.orders o JOIN changed c ON c.customer_id = o.customer_id',
      },
      {
        input: 'gold.dim_product',
        by: 'all',
        own: { product_sk: 'product_sk' },
        via: 'SELECT i.order_id FROM silver.order_items i JOIN changed c ON c.product_id = i.product_id',
      },
    ],
    asOf: false,
  },
});
