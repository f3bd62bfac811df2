SELECT
  event_id, session_id, customer_id, event_type, event_timestamp, page_url, product_id, device_type, browser, os,
  ip_address, referrer, search_query,
  page_load_time_ms, time_on_page_sec, scroll_depth_pct,
  parse_text(city) AS geo_city,
  parse_text(country) AS geo_country,
  event_date,
  utc_hour(event_timestamp) AS event_hour,
  day_of_week(event_date) AS event_day_of_week,
  day_name(event_date) AS day_name,
  coalesce(day_of_week(event_date) IN (1, 7), FALSE) AS is_weekend,
  customer_id IS NULL AS is_anonymous,
  coalesce(event_type IN ('add_to_cart', 'checkout'), FALSE) AS is_purchase_intent,
  CASE
    WHEN event_type IS NULL THEN NULL
    WHEN event_type = 'page_view' THEN '1-Awareness'
    WHEN event_type = 'product_view' THEN '2-Interest'
    WHEN event_type IN ('add_to_cart', 'search', 'remove_from_cart') THEN '3-Consideration'
    WHEN event_type = 'checkout' THEN '4-Purchase'
    ELSE 'Other'
  END AS funnel_stage,
  'streaming' AS data_source,
  _enqueued_on, _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread,
  FALSE AS _overflow
FROM (
  SELECT
    event_id, session_id, customer_id,
    lower(event_type) AS event_type,
    event_timestamp, page_url, product_id,
    lower(device_type) AS device_type,
    initcap(browser) AS browser,
    initcap(os) AS os,
    ip_address,
    lower(referrer) AS referrer,
    lower(search_query) AS search_query,
  page_load_time_ms, time_on_page_sec, scroll_depth_pct,
    json_text(geo_location, '$.city') AS city,
    json_text(geo_location, '$.country') AS country,
    utc_date(event_timestamp) AS event_date,
    utc_date(_enqueued_at) AS _enqueued_on, _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread
  FROM parsed.streaming_clickstream
) cleaned
