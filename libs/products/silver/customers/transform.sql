SELECT
  customer_id, first_name, last_name,
  left(trim_all(first_name), 1) AS first_name_initial,
  left(trim_all(last_name), 1) AS last_name_initial,
  sha2(email, 256) AS email_hash,
  nullif(regexp_extract(email, '@([^@]*)$', 1), '') AS email_domain,
  email IS NOT NULL AS has_email,
  CASE WHEN phone_digits <> '' THEN concat_ws('-', '***-***', right(phone_digits, 4)) END AS phone_masked,
  date_of_birth,
  gender,
  registration_date,
  initcap(loyalty_tier) AS loyalty_tier,
  parse_text(street) AS address_street,
  parse_text(city) AS address_city,
  parse_text(state) AS address_state,
  parse_text(zip) AS address_zip,
  parse_text(country) AS address_country,
  parse_text(categories) AS pref_categories,
  parse_text(communication) AS pref_communication,
  age,
  CASE
    WHEN age IS NULL THEN NULL
    WHEN age < 25 THEN '18-24'
    WHEN age < 35 THEN '25-34'
    WHEN age < 45 THEN '35-44'
    WHEN age < 55 THEN '45-54'
    WHEN age < 65 THEN '55-64'
    ELSE '65+'
  END AS age_group,
  tenure_days AS customer_tenure_days,
  CASE
    WHEN tenure_days IS NULL THEN NULL
    WHEN tenure_days < 90 THEN 'New (< 3 months)'
    WHEN tenure_days < 365 THEN 'Growing (3-12 months)'
    WHEN tenure_days < 730 THEN 'Established (1-2 years)'
    ELSE 'Loyal (2+ years)'
  END AS tenure_category,
  _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread,
  FALSE AS _overflow
FROM (
  SELECT
    customer_id, first_name, last_name, date_of_birth, registration_date, loyalty_tier,
    lower(email) AS email,
    digits_only(phone) AS phone_digits,
    CASE upper(gender) WHEN 'M' THEN 'Male' WHEN 'MALE' THEN 'Male' WHEN 'F' THEN 'Female' WHEN 'FEMALE' THEN 'Female'
      ELSE 'Other' END AS gender,
    json_text(address, '$.street') AS street,
    json_text(address, '$.city') AS city,
    json_text(address, '$.state') AS state,
    json_text(address, '$.zip') AS zip,
    json_text(address, '$.country') AS country,
    json_list_text(preferences, '$.categories') AS categories,
    json_list_text(preferences, '$.communication') AS communication,
    -- days / 365.25 without a fraction
    CAST(int_div(datediff(:as_of, date_of_birth) * 4, 1461) AS INTEGER) AS age,
    datediff(:as_of, registration_date) AS tenure_days,
    _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread
  FROM parsed.customers
) cleaned
