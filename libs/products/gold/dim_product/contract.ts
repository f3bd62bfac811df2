import { count, decimal, integer, long, maybe, money, rate, required, table, text, timestamp } from '#contracts';

export const dimProduct = table('gold/dim_product', {
  describes: 'Products as they are now.',
  key: ['product_sk'],
  sortBy: ['product_id'],
  columns: {
    product_sk: required(long("Position of the product's first valid record; stable")),
    product_id: required(text('Product')),
    product_name: text('Name as it came'),
    category: text('Category'),
    sub_category: text('Category within the category'),
    brand: text('Brand'),
    supplier_id: text('Supplier'),
    current_price: required(money('Price of a piece')),
    cost_price: money('Cost of a piece'),
    profit_margin: money('price − cost_price'),
    margin_pct: rate('profit_margin / price'),
    price_tier: required(text('Budget below 50, Mid-Range below 200, Premium below 500, else Luxury')),
    weight_kg: decimal(9, 3, 'Weight of a piece', 'kg'),
    rating: rate('Mean rating of customers', 'stars'),
    review_count: count('Reviews'),
    rating_category: text('Excellent from 4.5, Very Good from 4.0, Good from 3.0, Average from 2.0, else Poor'),
    is_active: maybe('Whether it is on sale'),
    attr_colors: text('Colours, comma-joined as they came'),
    attr_battery_life: text('Battery life as it came'),
    attr_connectivity: text('Connectivity as it came'),
    product_created_at: timestamp('When the product was made'),
    product_updated_at: timestamp('When the source last changed the record'),
    product_age_days: integer('Days from product_created_at to the as_of date', 'days'),
  },
  checks: [
    {
      name: 'products_complete',
      severity: 'error',
      description: 'The products are those of silver, each once.',
      failing: `SELECT s.n FROM (SELECT count(*) AS n FROM silver.products) s
        CROSS JOIN (SELECT count(DISTINCT product_id) AS n, count(*) AS total FROM gold.dim_product) d
        WHERE s.n <> d.n OR d.n <> d.total`,
    },
  ],
  recompute: {
    by: ['product_id'],
    from: [
      { input: 'silver.products', by: ['product_id'] },
      { input: 'valid.products', by: ['product_id'] },
    ],
    asOf: true,
  },
  explained: { each: 'silver.products', key: 'product_id', named: ['product_id'], together: ['product_sk'] },
});
