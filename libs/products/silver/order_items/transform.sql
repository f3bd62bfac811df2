SELECT
  item_id, order_id, product_id, quantity, unit_price, discount_percent, item_status, created_at,
  to_money(line_exact) AS line_total,
  to_money(discount_exact) AS discount_amount,
  to_money(net_exact) AS net_line_total,
  discount_percent > 0 AS has_discount,
  _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread,
  NOT fits_money(line_exact) OR NOT fits_money(discount_exact) OR NOT fits_money(net_exact) AS _overflow
FROM (
  SELECT
    *,
    -- Exact: each amount is rounded once, on its own
    line_exact * share AS discount_exact,
    line_exact * (1.0000 - share) AS net_exact
  FROM (
    SELECT
      *,
      CAST(unit_price AS DECIMAL(28,2)) * CAST(quantity AS DECIMAL(10,0)) AS line_exact,
      CAST(CASE WHEN discount_percent BETWEEN 0 AND 100 THEN discount_percent ELSE 0.00 END * 0.01 AS DECIMAL(5,4)) AS share
    FROM (
      SELECT
        item_id, order_id, product_id, quantity, unit_price,
        coalesce(discount_percent, 0.00) AS discount_percent,
        lower(item_status) AS item_status,
        created_at,
        _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread
      FROM parsed.order_items
    ) cleaned
  ) priced
) derived
