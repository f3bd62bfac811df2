SELECT
  f.product_sk,
  p.product_id, p.product_name, p.category, p.sub_category, p.brand, p.supplier_id,
  p.price AS current_price,
  p.cost_price, p.profit_margin, p.margin_pct, p.price_tier, p.weight_kg, p.rating, p.review_count, p.rating_category,
  p.is_active, p.attr_colors, p.attr_battery_life, p.attr_connectivity,
  p.created_at AS product_created_at,
  p.updated_at AS product_updated_at,
  p.product_age_days
FROM silver.products p
JOIN (SELECT product_id, min(_position) AS product_sk FROM valid.products GROUP BY product_id) f
  ON f.product_id = p.product_id
