WITH recent AS (
  SELECT c.*, datediff(newest.order_date, c.last_order_date) AS recency_days
  FROM measures.ml_customer_rfm c
  CROSS JOIN (SELECT max(last_order_date) AS order_date FROM measures.ml_customer_rfm) newest
),
scored AS (
  SELECT
    *,
    CAST(6 - ntile(5) OVER (ORDER BY recency_days ASC NULLS FIRST, customer_id ASC NULLS FIRST) AS INTEGER) AS r_score,
    CAST(ntile(5) OVER (ORDER BY frequency ASC NULLS FIRST, customer_id ASC NULLS FIRST) AS INTEGER) AS f_score,
    -- NULL is a sum too large for money
    CAST(ntile(5) OVER (ORDER BY monetary ASC NULLS LAST, customer_id ASC NULLS FIRST) AS INTEGER) AS m_score
  FROM recent
)
SELECT
  customer_id, recency_days, frequency, monetary, avg_line_value, avg_order_value, total_items_bought, unique_products,
  avg_items_per_order, channels_used, cancelled_orders, returned_orders, delivered_orders, customer_lifespan_days,
  first_order_date, last_order_date, return_rate, cancel_rate, delivery_rate,
  r_score, f_score, m_score,
  r_score + f_score + m_score AS rfm_score,
  CASE
    WHEN r_score + f_score + m_score >= 13 THEN 'Champions'
    WHEN r_score + f_score + m_score >= 10 THEN 'Loyal Customers'
    WHEN r_score + f_score + m_score >= 7 THEN 'Potential Loyalists'
    WHEN r_score + f_score + m_score >= 5 THEN 'At Risk'
    ELSE 'Hibernating'
  END AS rfm_segment
FROM scored
