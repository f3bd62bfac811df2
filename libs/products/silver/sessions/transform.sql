WITH grouped AS (
  SELECT
    session_id, customer_id, device_type, browser, os,
    CAST(count(*) AS INTEGER) AS total_events,
    CAST(count(DISTINCT event_type) AS INTEGER) AS unique_event_types,
    CAST(count(DISTINCT product_id) AS INTEGER) AS products_viewed,
    min(event_timestamp) AS session_start,
    max(event_timestamp) AS session_end,
    CAST(sum(CASE WHEN event_type = 'page_view' THEN 1 ELSE 0 END) AS INTEGER) AS page_views,
    CAST(sum(CASE WHEN event_type = 'product_view' THEN 1 ELSE 0 END) AS INTEGER) AS product_views,
    CAST(sum(CASE WHEN event_type = 'add_to_cart' THEN 1 ELSE 0 END) AS INTEGER) AS cart_adds,
    CAST(sum(CASE WHEN event_type = 'remove_from_cart' THEN 1 ELSE 0 END) AS INTEGER) AS cart_removes,
    CAST(sum(CASE WHEN event_type = 'checkout' THEN 1 ELSE 0 END) AS INTEGER) AS checkouts,
    CAST(sum(CASE WHEN event_type = 'search' THEN 1 ELSE 0 END) AS INTEGER) AS searches
  FROM silver.clickstream
  GROUP BY session_id, customer_id, device_type, browser, os
),
-- The first of several events at one instant is the one with the least id
entries AS (
  SELECT g.session_id, g.customer_id, g.device_type, g.browser, g.os, min(e.event_id) AS entry_id
  FROM grouped g
  JOIN silver.clickstream e
    ON e.session_id = g.session_id AND e.event_timestamp = g.session_start
    AND e.customer_id IS NOT DISTINCT FROM g.customer_id AND e.device_type IS NOT DISTINCT FROM g.device_type
    AND e.browser IS NOT DISTINCT FROM g.browser AND e.os IS NOT DISTINCT FROM g.os
  GROUP BY g.session_id, g.customer_id, g.device_type, g.browser, g.os
),
timed AS (
  SELECT
    g.*,
    e.referrer AS entry_referrer,
    e.geo_city AS entry_geo_city,
    e.geo_country AS entry_geo_country,
    -- An id that comes again after generations is not timed
    CASE WHEN datediff(utc_date(g.session_end), utc_date(g.session_start)) < 24000
      THEN seconds_between(g.session_start, g.session_end) END AS session_duration_sec
  FROM grouped g
  JOIN entries n
    ON n.session_id = g.session_id
    AND n.customer_id IS NOT DISTINCT FROM g.customer_id AND n.device_type IS NOT DISTINCT FROM g.device_type
    AND n.browser IS NOT DISTINCT FROM g.browser AND n.os IS NOT DISTINCT FROM g.os
  JOIN silver.clickstream e ON e.event_id = n.entry_id
)
SELECT
  session_id, customer_id, device_type, browser, os,
  total_events, unique_event_types, products_viewed, session_start, session_end,
  page_views, product_views, cart_adds, cart_removes, checkouts, searches,
  entry_referrer, entry_geo_city, entry_geo_country,
  session_duration_sec,
  rate_ratio(session_duration_sec, 60) AS session_duration_min,
  cart_adds > 0 AS has_cart_activity,
  checkouts > 0 AS has_checkout,
  total_events = 1 AS is_bounce,
  customer_id IS NULL AS is_anonymous,
  CASE WHEN total_events >= 10 THEN 'High' WHEN total_events >= 5 THEN 'Medium' WHEN total_events >= 2 THEN 'Low'
    ELSE 'Bounce' END AS engagement_level,
  utc_date(session_start) AS session_date
FROM timed
