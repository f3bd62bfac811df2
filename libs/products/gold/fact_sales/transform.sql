-- Versions that hold on some day; the first of them also holds for everything older
WITH versions AS (
  SELECT
    v.customer_id, v.customer_sk,
    CASE WHEN v.effective_start_date = f.first_start THEN DATE '0001-01-01' ELSE v.effective_start_date END AS holds_from,
    -- The last day: plain comparisons alone let the engine join by hash
    CASE WHEN v.is_current THEN v.effective_end_date ELSE v.effective_end_date - 1 END AS holds_to
  FROM gold.dim_customer v
  JOIN (
    SELECT customer_id, min(effective_start_date) AS first_start
    FROM gold.dim_customer
    WHERE effective_start_date < effective_end_date
    GROUP BY customer_id
  ) f ON f.customer_id = v.customer_id
  WHERE v.effective_start_date < v.effective_end_date
),
-- Cents of shipping, line and order, for orders that have shipping to share
weights AS (
  SELECT
    i.order_id, i.item_id,
    cents(o.shipping_amount) AS shipping,
    cents(i.line_total) AS line,
    sum(cents(i.line_total)) OVER (PARTITION BY i.order_id) AS whole
  FROM silver.order_items i
  JOIN silver.orders o ON o.order_id = i.order_id
  WHERE o.shipping_amount <> 0
),
floors AS (
  SELECT
    order_id, item_id, shipping, line, whole,
    CASE WHEN shipping >= 0 THEN int_div(shipping * line, whole) ELSE - int_div(whole - 1 - shipping * line, whole) END AS share
  FROM weights
),
shares AS (
  SELECT
    item_id, share,
    shipping - sum(share) OVER (PARTITION BY order_id) AS left_over,
    row_number() OVER (PARTITION BY order_id ORDER BY shipping * line - share * whole DESC NULLS LAST, item_id ASC NULLS FIRST) AS place
  FROM floors
),
allocated AS (
  SELECT item_id, to_money(CAST(share + CASE WHEN place <= left_over THEN 1 ELSE 0 END AS DECIMAL(34,0)) * 0.01) AS shipping_allocated
  FROM shares
),
dated AS (
  SELECT o.*, utc_date(o.order_date) AS on_date FROM silver.orders o
),
sold AS (
  SELECT o.*, v.customer_sk
  FROM dated o
  LEFT JOIN versions v
    ON v.customer_id = o.customer_id AND o.on_date >= v.holds_from AND o.on_date <= v.holds_to
)
SELECT
  i.item_id AS sales_key,
  make_date_key(o.on_date) AS order_date_key,
  o.customer_sk,
  p.product_sk,
  o.customer_id,
  i.product_id,
  i.order_id,
  i.item_id,
  i.quantity, i.unit_price, i.line_total, i.discount_percent, i.discount_amount, i.net_line_total,
  o.shipping_amount,
  coalesce(a.shipping_allocated, 0.00) AS shipping_allocated,
  o.order_date, o.order_status, o.payment_method, o.channel,
  i.item_status,
  o.is_cancelled, o.is_returned,
  i.has_discount,
  o.is_weekend, o.has_free_shipping, o.order_year, o.order_month, o.order_day, o.order_hour, o.day_name
FROM silver.order_items i
JOIN sold o ON o.order_id = i.order_id
LEFT JOIN gold.dim_product p ON p.product_id = i.product_id
LEFT JOIN allocated a ON a.item_id = i.item_id
