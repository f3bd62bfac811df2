SELECT
  product_id, warehouse_id, snapshot_date, quantity_on_hand, quantity_reserved, reorder_point, reorder_quantity,
  last_restock_date,
  had_negative_stock,
  CASE WHEN available <= 2147483647 THEN CAST(available AS INTEGER) END AS quantity_available,
  CASE
    WHEN available IS NULL THEN NULL
    WHEN available = 0 THEN 'Out of Stock'
    WHEN reorder_point IS NULL THEN NULL
    WHEN available <= reorder_point THEN 'Low Stock'
    WHEN available <= 2 * CAST(reorder_point AS BIGINT) THEN 'Medium Stock'
    ELSE 'In Stock'
  END AS stock_status,
  coalesce(quantity_on_hand <= reorder_point, FALSE) AS needs_reorder,
  datediff(:as_of, last_restock_date) AS days_since_restock,
  to_money(value_exact) AS stock_value,
  _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread,
  coalesce(available > 2147483647, FALSE) OR NOT fits_money(value_exact) AS _overflow
FROM (
  SELECT
    counted.*,
    -- greatest() alone would make an unknown stock 0
    CASE WHEN quantity_on_hand IS NOT NULL
      THEN greatest(CAST(quantity_on_hand AS BIGINT) - coalesce(quantity_reserved, 0), 0) END AS available,
    CAST(products.cost_price AS DECIMAL(28,2)) * CAST(quantity_on_hand AS DECIMAL(10,0)) AS value_exact
  FROM (
    SELECT
      product_id, warehouse_id, snapshot_date,
      CASE WHEN quantity_on_hand < 0 THEN 0 ELSE quantity_on_hand END AS quantity_on_hand,
      coalesce(quantity_on_hand < 0, FALSE) AS had_negative_stock,
      quantity_reserved, reorder_point, reorder_quantity, last_restock_date,
      _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread
    FROM parsed.inventory
  ) counted
  LEFT JOIN (SELECT product_id AS priced_id, cost_price FROM silver.products) products
    ON products.priced_id = counted.product_id
) derived
