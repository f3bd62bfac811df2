SELECT
  'order_items' AS source,
  CAST(to_json(struct_pack(
    item_id := b.item_id, order_id := b.order_id, product_id := b.product_id, quantity := b.quantity,
    unit_price := b.unit_price, discount_percent := b.discount_percent, item_status := b.item_status,
    created_at := b.created_at)) AS VARCHAR) AS record,
  ['order_missing'] AS rules,
  CAST(NULL AS VARCHAR) AS superseded_by,
  b._source_file, b._source_row, b._source_line, b._batch_id, b._loaded_at, b._as_of,
  l.run_id AS _run_id
FROM (
  SELECT i._batch_id, i._source_file, i._source_row
  FROM silver.order_items i
  WHERE NOT EXISTS (SELECT 1 FROM silver.orders o WHERE o.order_id = i.order_id)
) orphan
JOIN bronze.order_items b
  ON b._batch_id = orphan._batch_id AND b._source_file = orphan._source_file AND b._source_row = orphan._source_row
JOIN bronze.loads l
  ON l.source = 'order_items' AND l.load = orphan._batch_id AND l.path = orphan._source_file
