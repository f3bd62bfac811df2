-- By order first: an order has one day, one channel and one customer
WITH orders AS (
  SELECT
    order_id,
    min(customer_id) AS customer_id,
    min(channel) AS channel,
    min(utc_date(order_date)) AS order_date,
    min(order_status) AS order_status,
    count(*) AS line_items,
    CAST(sum(quantity) AS DECIMAL(38,0)) AS items,
    CAST(sum(net_line_total) AS DECIMAL(38,2)) AS net
  FROM gold.fact_sales
  GROUP BY order_id
),
bought AS (
  SELECT customer_id, count(DISTINCT product_id) AS unique_products FROM gold.fact_sales GROUP BY customer_id
),
customers AS (
  SELECT
    o.customer_id,
    CAST(count(*) AS INTEGER) AS frequency,
    CAST(sum(CASE WHEN o.order_status = 'CANCELLED' THEN 0.00 ELSE o.net END) AS DECIMAL(38,2)) AS monetary,
    CAST(sum(o.net) AS DECIMAL(38,2)) AS net,
    CAST(sum(o.line_items) AS INTEGER) AS line_items,
    CAST(sum(o.items) AS DECIMAL(38,0)) AS items,
    CAST(count(DISTINCT o.channel) AS INTEGER) AS channels_used,
    CAST(sum(CASE WHEN o.order_status = 'CANCELLED' THEN 1 ELSE 0 END) AS INTEGER) AS cancelled_orders,
    CAST(sum(CASE WHEN o.order_status = 'RETURNED' THEN 1 ELSE 0 END) AS INTEGER) AS returned_orders,
    CAST(sum(CASE WHEN o.order_status = 'DELIVERED' THEN 1 ELSE 0 END) AS INTEGER) AS delivered_orders,
    min(o.order_date) AS first_order_date,
    max(o.order_date) AS last_order_date
  FROM orders o
  GROUP BY o.customer_id
),
measured AS (
  SELECT c.*, datediff(newest.order_date, c.last_order_date) AS recency_days
  FROM customers c
  CROSS JOIN (SELECT max(last_order_date) AS order_date FROM customers) newest
),
scored AS (
  SELECT
    *,
    CAST(6 - ntile(5) OVER (ORDER BY recency_days ASC NULLS FIRST, customer_id ASC NULLS FIRST) AS INTEGER) AS r_score,
    CAST(ntile(5) OVER (ORDER BY frequency ASC NULLS FIRST, customer_id ASC NULLS FIRST) AS INTEGER) AS f_score,
    CAST(ntile(5) OVER (ORDER BY monetary ASC NULLS FIRST, customer_id ASC NULLS FIRST) AS INTEGER) AS m_score
  FROM measured
)
SELECT
  s.customer_id, s.recency_days, s.frequency,
  to_money(s.monetary) AS monetary,
  money_ratio(s.net, s.line_items) AS avg_line_value,
  money_ratio(s.net, s.frequency) AS avg_order_value,
  CASE WHEN s.items <= 2147483647 THEN CAST(s.items AS INTEGER) END AS total_items_bought,
  CAST(b.unique_products AS INTEGER) AS unique_products,
  rate_ratio(s.items, s.frequency) AS avg_items_per_order,
  s.channels_used, s.cancelled_orders, s.returned_orders, s.delivered_orders,
  datediff(s.last_order_date, s.first_order_date) AS customer_lifespan_days,
  s.first_order_date, s.last_order_date,
  rate_pct(s.returned_orders, s.frequency) AS return_rate,
  rate_pct(s.cancelled_orders, s.frequency) AS cancel_rate,
  rate_pct(s.delivered_orders, s.frequency) AS delivery_rate,
  s.r_score, s.f_score, s.m_score,
  s.r_score + s.f_score + s.m_score AS rfm_score,
  CASE
    WHEN s.r_score + s.f_score + s.m_score >= 13 THEN 'Champions'
    WHEN s.r_score + s.f_score + s.m_score >= 10 THEN 'Loyal Customers'
    WHEN s.r_score + s.f_score + s.m_score >= 7 THEN 'Potential Loyalists'
    WHEN s.r_score + s.f_score + s.m_score >= 5 THEN 'At Risk'
    ELSE 'Hibernating'
  END AS rfm_segment
FROM scored s
JOIN bought b ON b.customer_id = s.customer_id
