WITH digits AS (
  SELECT n FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) digit (n)
),
numbers AS (
  SELECT d.n + 10 * c.n + 100 * h.n + 1000 * t.n AS n
  FROM digits d CROSS JOIN digits c CROSS JOIN digits h CROSS JOIN digits t
),
asked AS (
  SELECT min(year(on_date)) AS first_year, max(year(on_date)) AS last_year
  FROM (
    SELECT :date_from AS on_date
    UNION ALL SELECT :date_to AS on_date
    UNION ALL SELECT :as_of AS on_date
    UNION ALL SELECT utc_date(min(order_date)) AS on_date FROM silver.orders
    UNION ALL SELECT utc_date(max(order_date)) AS on_date FROM silver.orders
  ) bounds
),
days AS (
  SELECT make_date(y.n, 1, 1) + d.n AS full_date
  FROM asked
  JOIN numbers y ON y.n BETWEEN asked.first_year AND asked.last_year
  JOIN numbers d ON d.n < 365
    OR (d.n = 365 AND ((y.n % 4 = 0 AND y.n % 100 <> 0) OR y.n % 400 = 0))
)
SELECT
  make_date_key(full_date) AS date_key,
  full_date,
  CAST(year(full_date) AS INTEGER) AS year,
  CAST(quarter(full_date) AS INTEGER) AS quarter,
  CAST(month(full_date) AS INTEGER) AS month,
  CAST(day(full_date) AS INTEGER) AS day,
  month_name(full_date) AS month_name,
  left(month_name(full_date), 3) AS month_short,
  day_of_week(full_date) AS day_of_week,
  day_name(full_date) AS day_name,
  left(day_name(full_date), 3) AS day_short,
  week_of_year(full_date) AS week_of_year,
  datediff(full_date, make_date(year(full_date), 1, 1)) + 1 AS day_of_year,
  day_of_week(full_date) IN (1, 7) AS is_weekend,
  day(full_date) = 1 AS is_month_start,
  full_date = last_day(full_date) AS is_month_end,
  month(full_date) IN (11, 12, 1) AS is_holiday_season,
  concat_ws('-', concat_ws('', 'Q', CAST(quarter(full_date) AS VARCHAR)), lpad(CAST(year(full_date) AS VARCHAR), 4, '0')) AS quarter_label,
  concat_ws('-', left(month_name(full_date), 3), lpad(CAST(year(full_date) AS VARCHAR), 4, '0')) AS month_year_label,
  CASE WHEN month(full_date) <= 6 THEN 1 ELSE 2 END AS half_year,
  CASE WHEN month(full_date) <= 6 THEN 'H1' ELSE 'H2' END AS half_year_label
FROM days
