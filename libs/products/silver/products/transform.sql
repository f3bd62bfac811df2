SELECT
  product_id, product_name, category, sub_category, brand, price, cost_price, weight_kg, supplier_id,
  rating, review_count, is_active,
  parse_text(colors) AS attr_colors,
  parse_text(battery_life) AS attr_battery_life,
  parse_text(connectivity) AS attr_connectivity,
  created_at, updated_at,
  to_money(margin_exact) AS profit_margin,
  margin_pct,
  CASE
    WHEN price IS NULL THEN NULL
    WHEN price < 50 THEN 'Budget'
    WHEN price < 200 THEN 'Mid-Range'
    WHEN price < 500 THEN 'Premium'
    ELSE 'Luxury'
  END AS price_tier,
  CASE
    WHEN rating IS NULL THEN NULL
    WHEN rating >= 4.5 THEN 'Excellent'
    WHEN rating >= 4.0 THEN 'Very Good'
    WHEN rating >= 3.0 THEN 'Good'
    WHEN rating >= 2.0 THEN 'Average'
    ELSE 'Poor'
  END AS rating_category,
  datediff(:as_of, utc_date(created_at)) AS product_age_days,
  _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread,
  NOT fits_money(margin_exact) OR (margin_pct IS NULL AND margin_exact IS NOT NULL) AS _overflow
FROM (
  SELECT *, rate_pct(margin_exact, price) AS margin_pct
  FROM (
    SELECT
      product_id, product_name,
      initcap(category) AS category,
      initcap(sub_category) AS sub_category,
      initcap(brand) AS brand,
      price, cost_price, weight_kg, supplier_id, rating, review_count, is_active,
      json_list_text(attributes, '$.color') AS colors,
      json_list_text(attributes, '$.battery_life') AS battery_life,
      json_list_text(attributes, '$.connectivity') AS connectivity,
      created_at, updated_at,
      CAST(price AS DECIMAL(38,2)) - cost_price AS margin_exact,
      _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread
    FROM parsed.products
  ) cleaned
) derived
