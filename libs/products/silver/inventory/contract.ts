import { date, flag, integer, money, required, requires, silverTable, text, warnIfEmpty } from '#contracts';

export const inventory = silverTable('silver/inventory', {
  describes: 'Stock of a product in a warehouse on a day.',
  source: 'inventory',
  key: ['product_id', 'warehouse_id', 'snapshot_date'],
  sortBy: ['snapshot_date', 'product_id', 'warehouse_id'],
  columns: {
    product_id: required(text('Product')),
    warehouse_id: required(text('Warehouse')),
    snapshot_date: required(date('Day of the count')),
    quantity_on_hand: integer('Pieces in stock; a negative count is 0', 'pieces'),
    quantity_reserved: integer('Pieces reserved; where unknown it counts as 0', 'pieces'),
    reorder_point: integer('Stock at which to order again', 'pieces'),
    reorder_quantity: integer('Pieces to order then', 'pieces'),
    last_restock_date: date('Last delivery'),
    had_negative_stock: flag('The count came negative'),
    quantity_available: integer('on hand − reserved, at least 0', 'pieces'),
    stock_status: text(
      'Out of Stock (0), Low Stock (up to the reorder point), Medium Stock (up to twice that), else In Stock',
    ),
    needs_reorder: flag('on hand is at the reorder point or below'),
    days_since_restock: integer('Days from the last delivery to the as_of date', 'days'),
    stock_value: money('on hand · cost_price of the product; NULL where that is unknown'),
  },
  rules: [requires('product_id'), requires('warehouse_id'), requires('snapshot_date')],
  checks: [
    warnIfEmpty('silver/inventory'),
    {
      name: 'products_known',
      severity: 'warn',
      description: 'At least nine of ten rows name a product in silver.',
      failing: `SELECT orphans, total FROM (
        SELECT count(*) AS total, count(*) - count(p.product_id) AS orphans
        FROM silver.inventory i LEFT JOIN silver.products p ON p.product_id = i.product_id) c
        WHERE orphans * 10 > total`,
    },
  ],
  // By product: a cost price shows in all its rows
  recompute: {
    by: ['product_id'],
    from: [
      { input: 'bronze.inventory', by: ['product_id'] },
      { input: 'silver.products', by: ['product_id'], reads: ['product_id', 'cost_price'] },
    ],
    asOf: true,
  },
});
