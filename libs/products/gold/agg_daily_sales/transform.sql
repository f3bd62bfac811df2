-- By order first: an order has one day, one channel and one customer
WITH orders AS (
  SELECT
    order_id,
    min(channel) AS channel,
    min(customer_id) AS customer_id,
    min(utc_date(order_date)) AS order_date,
    min(order_status) AS order_status,
    count(*) AS line_items,
    CAST(sum(quantity) AS DECIMAL(38,0)) AS items_sold,
    CAST(sum(line_total) AS DECIMAL(38,2)) AS gross,
    CAST(sum(discount_amount) AS DECIMAL(38,2)) AS discount,
    CAST(sum(net_line_total) AS DECIMAL(38,2)) AS net,
    CAST(sum(shipping_allocated) AS DECIMAL(38,2)) AS shipping,
    max(CASE WHEN has_discount THEN 1 ELSE 0 END) AS discounted
  FROM gold.fact_sales
  GROUP BY order_id
),
days AS (
  SELECT
    order_date, channel,
    CAST(count(*) AS INTEGER) AS total_orders,
    CAST(count(DISTINCT customer_id) AS INTEGER) AS total_customers,
    CAST(sum(line_items) AS INTEGER) AS total_line_items,
    CAST(sum(items_sold) AS DECIMAL(38,0)) AS items_sold,
    CAST(sum(gross) AS DECIMAL(38,2)) AS gross,
    CAST(sum(discount) AS DECIMAL(38,2)) AS discount,
    CAST(sum(net) AS DECIMAL(38,2)) AS net,
    CAST(sum(shipping) AS DECIMAL(38,2)) AS shipping,
    CAST(sum(CASE WHEN order_status = 'CANCELLED' THEN 1 ELSE 0 END) AS INTEGER) AS cancelled_orders,
    CAST(sum(CASE WHEN order_status = 'RETURNED' THEN 1 ELSE 0 END) AS INTEGER) AS returned_orders,
    CAST(sum(CASE WHEN order_status = 'DELIVERED' THEN 1 ELSE 0 END) AS INTEGER) AS delivered_orders,
    CAST(sum(discounted) AS INTEGER) AS orders_with_discount
  FROM orders
  GROUP BY order_date, channel
)
SELECT
  order_date, channel,
  CAST(year(order_date) AS INTEGER) AS order_year,
  CAST(month(order_date) AS INTEGER) AS order_month,
  CAST(day(order_date) AS INTEGER) AS order_day,
  total_orders, total_customers, total_line_items,
  CASE WHEN items_sold <= 2147483647 THEN CAST(items_sold AS INTEGER) END AS total_items_sold,
  to_money(gross) AS gross_revenue,
  to_money(discount) AS total_discount,
  to_money(net) AS net_revenue,
  to_money(shipping) AS total_shipping,
  money_ratio(net, total_line_items) AS avg_item_value,
  rate_ratio(items_sold, total_line_items) AS avg_quantity_per_item,
  cancelled_orders, returned_orders, delivered_orders, orders_with_discount,
  day_of_week(order_date) IN (1, 7) AS is_weekend,
  day_name(order_date) AS day_name,
  money_ratio(net, total_orders) AS avg_order_value,
  rate_pct(cancelled_orders, total_orders) AS cancel_rate_pct,
  rate_pct(returned_orders, total_orders) AS return_rate_pct,
  rate_pct(orders_with_discount, total_orders) AS discount_rate_pct
FROM days
