SELECT
  order_id, customer_id, order_date, order_status, total_amount, discount_amount, shipping_amount,
  payment_method, channel, shipping_address_id, created_at, updated_at,
  to_money(net_exact) AS net_amount,
  to_money(gross_exact) AS gross_with_shipping,
  discount_pct,
  discount_amount > 0 AS has_discount,
  shipping_amount = 0 AS has_free_shipping,
  utc_year(order_date) AS order_year,
  utc_month(order_date) AS order_month,
  utc_day(order_date) AS order_day,
  utc_hour(order_date) AS order_hour,
  day_of_week(on_date) AS order_day_of_week,
  day_name(on_date) AS day_name,
  coalesce(day_of_week(on_date) IN (1, 7), FALSE) AS is_weekend,
  coalesce(order_status = 'CANCELLED', FALSE) AS is_cancelled,
  coalesce(order_status = 'RETURNED', FALSE) AS is_returned,
  _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread,
  NOT fits_money(net_exact) OR NOT fits_money(gross_exact)
    OR (discount_pct IS NULL AND total_amount IS NOT NULL) AS _overflow
FROM (
  SELECT
    *,
    utc_date(order_date) AS on_date,
    CAST(total_amount AS DECIMAL(38,2)) - discount_amount AS net_exact,
    CAST(total_amount AS DECIMAL(38,2)) + shipping_amount AS gross_exact,
    CASE WHEN total_amount IS NULL THEN NULL WHEN discount_amount = 0 THEN 0.00
      ELSE rate_pct(discount_amount, total_amount) END AS discount_pct
  FROM (
    SELECT
      order_id, customer_id, order_date,
      upper(order_status) AS order_status,
      total_amount,
      coalesce(discount_amount, 0.00) AS discount_amount,
      coalesce(shipping_amount, 0.00) AS shipping_amount,
      lower(payment_method) AS payment_method,
      lower(channel) AS channel,
      shipping_address_id, created_at, updated_at,
      _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread
    FROM parsed.orders
  ) cleaned
) derived
