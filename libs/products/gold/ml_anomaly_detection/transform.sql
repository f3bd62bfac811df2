-- Exact sums, so that no order of rows shows in the mean
WITH methods AS (
  SELECT
    payment_method,
    count(*) AS n,
    CAST(sum(amount) AS DECIMAL(38,2)) AS sum_x,
    CAST(sum(CAST(amount AS DECIMAL(19,2)) * amount) AS DECIMAL(38,4)) AS sum_x2
  FROM silver.payments
  GROUP BY payment_method
),
-- What is the same for a whole method is computed once
spreads AS (
  SELECT payment_method, n, sum_x, sum_x2, z_spread(n, sum_x, sum_x2) AS spread FROM methods
),
measured AS (
  SELECT p.*, z_value(p.amount, m.n, m.sum_x, m.sum_x2, m.spread) AS z
  FROM silver.payments p
  JOIN spreads m ON m.payment_method IS NOT DISTINCT FROM p.payment_method
),
judged AS (
  SELECT *, coalesce(z > 2, FALSE) AS is_statistical_anomaly, fraud_signal_count + CASE WHEN z > 2 THEN 2 ELSE 0 END AS combined
  FROM measured
)
SELECT
  transaction_id, order_id, amount, payment_method, status, risk_score, risk_level,
  is_high_risk, is_off_hours, is_high_amount, is_international, fraud_signal_count, fraud_risk_label,
  transaction_timestamp, transaction_date,
  z_rate(z) AS z_score,
  is_statistical_anomaly,
  CASE WHEN z > 3 THEN 'EXTREME' WHEN z > 2 THEN 'SIGNIFICANT' WHEN z > 1.5 THEN 'MODERATE' ELSE 'NORMAL' END AS anomaly_type,
  combined AS combined_risk_score,
  CASE WHEN combined >= 4 THEN 'CRITICAL' WHEN combined = 3 THEN 'HIGH' WHEN combined = 2 THEN 'MEDIUM' WHEN combined = 1 THEN 'LOW'
    ELSE 'SAFE' END AS overall_risk
FROM judged
