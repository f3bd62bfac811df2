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
)
SELECT
  c.customer_id, c.frequency,
  to_money(c.monetary) AS monetary,
  money_ratio(c.net, c.line_items) AS avg_line_value,
  money_ratio(c.net, c.frequency) AS avg_order_value,
  CASE WHEN c.items <= 2147483647 THEN CAST(c.items AS INTEGER) END AS total_items_bought,
  CAST(b.unique_products AS INTEGER) AS unique_products,
  rate_ratio(c.items, c.frequency) AS avg_items_per_order,
  c.channels_used, c.cancelled_orders, c.returned_orders, c.delivered_orders,
  datediff(c.last_order_date, c.first_order_date) AS customer_lifespan_days,
  c.first_order_date, c.last_order_date,
  rate_pct(c.returned_orders, c.frequency) AS return_rate,
  rate_pct(c.cancelled_orders, c.frequency) AS cancel_rate,
  rate_pct(c.delivered_orders, c.frequency) AS delivery_rate
FROM customers c
JOIN bought b ON b.customer_id = c.customer_id
