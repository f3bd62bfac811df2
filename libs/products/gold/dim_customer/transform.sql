-- A load's last valid record of a customer is the customer's state in that load
WITH last_in_load AS (
  SELECT customer_id, max(_position) AS _position
  FROM valid.customers
  GROUP BY customer_id, _batch_id
),
states AS (
  SELECT c.*
  FROM valid.customers c
  JOIN last_in_load l ON l._position = c._position
),
latest AS (
  SELECT s.customer_id, s.date_of_birth, s.registration_date, s.age, s.age_group, s.customer_tenure_days, s.tenure_category
  FROM states s
  JOIN (SELECT customer_id, max(_position) AS _position FROM last_in_load GROUP BY customer_id) last
    ON last._position = s._position
),
compared AS (
  SELECT
    *,
    lag(_position) OVER in_order AS earlier,
    lag(loyalty_tier) OVER in_order AS earlier_loyalty_tier,
    lag(gender) OVER in_order AS earlier_gender,
    lag(address_street) OVER in_order AS earlier_street,
    lag(address_city) OVER in_order AS earlier_city,
    lag(address_state) OVER in_order AS earlier_state,
    lag(address_zip) OVER in_order AS earlier_zip,
    lag(address_country) OVER in_order AS earlier_country,
    lag(email_hash) OVER in_order AS earlier_email_hash,
    lag(phone_masked) OVER in_order AS earlier_phone_masked,
    lag(pref_categories) OVER in_order AS earlier_categories,
    lag(pref_communication) OVER in_order AS earlier_communication,
    lag(first_name) OVER in_order AS earlier_first_name,
    lag(last_name) OVER in_order AS earlier_last_name
  FROM states
  WINDOW in_order AS (PARTITION BY customer_id ORDER BY _position ASC NULLS FIRST)
),
opened AS (
  SELECT
    c.*,
    l.date_of_birth AS latest_date_of_birth,
    l.registration_date AS latest_registration_date,
    l.age AS latest_age,
    l.age_group AS latest_age_group,
    l.customer_tenure_days AS latest_tenure_days,
    l.tenure_category AS latest_tenure_category,
    CASE WHEN c.earlier IS NULL THEN coalesce(l.registration_date, c._loaded_as_of) ELSE c._loaded_as_of END AS opens
  FROM compared c
  JOIN latest l ON l.customer_id = c.customer_id
  WHERE c.earlier IS NULL
    OR c.loyalty_tier IS DISTINCT FROM c.earlier_loyalty_tier
    OR c.gender IS DISTINCT FROM c.earlier_gender
    OR c.address_street IS DISTINCT FROM c.earlier_street
    OR c.address_city IS DISTINCT FROM c.earlier_city
    OR c.address_state IS DISTINCT FROM c.earlier_state
    OR c.address_zip IS DISTINCT FROM c.earlier_zip
    OR c.address_country IS DISTINCT FROM c.earlier_country
    OR c.email_hash IS DISTINCT FROM c.earlier_email_hash
    OR c.phone_masked IS DISTINCT FROM c.earlier_phone_masked
    OR c.pref_categories IS DISTINCT FROM c.earlier_categories
    OR c.pref_communication IS DISTINCT FROM c.earlier_communication
    OR c.first_name IS DISTINCT FROM c.earlier_first_name
    OR c.last_name IS DISTINCT FROM c.earlier_last_name
),
-- A start never lies before the start of an earlier version
started AS (
  SELECT *, max(opens) OVER (PARTITION BY customer_id ORDER BY _position ASC NULLS FIRST
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS starts
  FROM opened
),
ended AS (
  SELECT *, lead(starts) OVER (PARTITION BY customer_id ORDER BY _position ASC NULLS FIRST) AS next_starts
  FROM started
)
SELECT
  _position AS customer_sk,
  customer_id, first_name, last_name, first_name_initial, last_name_initial, email_hash, email_domain, has_email,
  phone_masked,
  latest_date_of_birth AS date_of_birth,
  gender,
  latest_registration_date AS registration_date,
  loyalty_tier, address_city, address_state, address_zip, address_country, pref_categories, pref_communication,
  latest_age AS age,
  latest_age_group AS age_group,
  latest_tenure_days AS customer_tenure_days,
  latest_tenure_category AS tenure_category,
  starts AS effective_start_date,
  coalesce(next_starts, DATE '9999-12-31') AS effective_end_date,
  next_starts IS NULL AS is_current
FROM ended
