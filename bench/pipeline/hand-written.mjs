// The rival of `shopsmart run`: one DuckDB script for the demo data, without checks, commits, quarantine or anything that
// the demo data does not need (one load, plain casts, no overflow). Usage: hand-written.mjs LANDING OUT AS_OF THREADS MEMORY
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const [landing, out, asOf, threads, memory] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:', {
  threads,
  memory_limit: memory,
  temp_directory: join(out, 'spill'),
});
const connection = await instance.connect();
await connection.run(`SET TimeZone = 'UTC'`);

const fields = {
  orders: `order_id customer_id order_date order_status total_amount discount_amount shipping_amount payment_method channel
    shipping_address_id created_at updated_at`,
  order_items: 'item_id order_id product_id quantity unit_price discount_percent item_status created_at',
  inventory: `product_id warehouse_id quantity_on_hand quantity_reserved reorder_point reorder_quantity last_restock_date
    snapshot_date`,
  customers: `customer_id first_name last_name email phone date_of_birth gender registration_date loyalty_tier address
    preferences`,
  products: `product_id product_name category sub_category brand price cost_price weight_kg supplier_id rating review_count
    is_active attributes created_at updated_at`,
  payments: `transaction_id order_id payment_method card_type amount currency status gateway_response_code is_international
    transaction_timestamp risk_score ip_address device_fingerprint`,
  clickstream: `event_id session_id customer_id event_type event_timestamp page_url product_id device_type browser os
    ip_address geo_location referrer search_query`,
};
const namesOf = (source) => fields[source].split(/\s+/);

async function copy(table, query, partitionBy = '') {
  mkdirSync(join(out, table), { recursive: true });
  const target = partitionBy === '' ? join(out, table, `${fileNumber++}.parquet`) : join(out, table);
  const layout = partitionBy === '' ? '' : `, PARTITION_BY (${partitionBy}), OVERWRITE_OR_IGNORE`;
  await connection.run(`COPY (${query}) TO '${target}' (FORMAT parquet, COMPRESSION snappy${layout})`);
}
let fileNumber = 0;

/** Makes a table readable by its name. */
async function bind(table) {
  const [schema, name] = table.split('/');
  const hive = ['silver/orders', 'silver/clickstream', 'gold/fact_sales'].includes(table);
  const files = `read_parquet('${join(out, table)}/**/*.parquet', hive_partitioning = ${hive})`;
  await connection.run(
    `CREATE SCHEMA IF NOT EXISTS ${schema}; CREATE VIEW ${schema}.${name} AS SELECT * FROM ${files}`,
  );
}

const stamps = (
  file,
  line,
) => `FALSE AS _malformed, '${file}' AS _source_file, n AS _source_row, ${line} AS _source_line,
  CAST('2026-02-17T00:00:00Z' AS TIMESTAMPTZ) AS _loaded_at, 1::BIGINT AS _batch_id, DATE '${asOf}' AS _as_of`;

async function loadCsv(source, file, extra = []) {
  const header = [...namesOf(source), ...extra].map((name) => `${name}: 'VARCHAR'`).join(', ');
  const rescued = extra.length === 0 ? 'NULL::VARCHAR' : `json_object(${extra.map((e) => `'${e}', ${e}`)})::VARCHAR`;
  await copy(
    `bronze/${source}`,
    `SELECT ${namesOf(source)}, ${rescued} AS _rescued, NULL::VARCHAR AS _record, ${stamps(file, 'n + 1')}
    FROM (SELECT *, row_number() OVER () AS n FROM read_csv('${join(landing, file)}', auto_detect = false, header = true,
      delim = ',', quote = '"', escape = '"', ignore_errors = true, columns = {${header}}))`,
  );
}

async function loadJson(source, file, format) {
  const shape = JSON.stringify(Object.fromEntries(namesOf(source).map((name) => [name, 'VARCHAR'])));
  await copy(
    `bronze/${source}`,
    `SELECT ${namesOf(source).map((name) => `f.${name}`)}, NULL::VARCHAR AS _rescued, record::VARCHAR AS _record,
      ${stamps(file, format === 'array' ? 'NULL::BIGINT' : 'n')}
    FROM (SELECT json AS record, json_transform(json, '${shape}') AS f, row_number() OVER () AS n
      FROM read_json_objects('${join(landing, file)}', format = '${format}'))`,
  );
}

/** Expressions for source text; NULL where it cannot be read. */
const id = (name) => `nullif(trim(${name}), '')`;
const money = (name) => `TRY_CAST(${name} AS DECIMAL(18,2))`;
const instant = (name) => `make_timestamptz(epoch_us(TRY_CAST(${name} AS TIMESTAMP)))`;
const initcap = (name) =>
  `array_to_string(list_transform(string_split(${name}, ' '), lambda w: upper(w[1]) || lower(w[2:])), ' ')`;
const cased = (name) => `upper(left(${id(name)}, 1)) || lower(substr(${id(name)}, 2))`;
const audit = `_source_file, _source_row, _batch_id, CAST('2026-02-17T00:00:00Z' AS TIMESTAMPTZ) AS _processed_at, 'run' AS _run_id`;
const made = `CAST('2026-02-17T00:00:00Z' AS TIMESTAMPTZ) AS _processed_at, 'run' AS _run_id`;
const weekday = (day) => `dayofweek(${day})::INTEGER + 1`;

/** Writes the valid rows of a source, of each key the latest; few keys come twice, and only those are ranked. */
async function silver(source, { key, typed, derived, hidden = [], valid, order, partitionBy }) {
  const rows = `(SELECT *, ${derived} FROM (SELECT ${typed}, _source_file, _source_row, _batch_id FROM bronze.${source}))`;
  const keys = key.split(', ');
  await connection.run(`CREATE TEMP TABLE repeated AS SELECT ${keys.map((k) => `${id(k)} AS ${k}`)} FROM bronze.${source}
    GROUP BY ALL HAVING count(*) > 1`);
  const same = keys.map((k) => `d.${k} = b.${k}`).join(' AND ');
  await connection.run(`CREATE TEMP TABLE losers AS SELECT _source_file, _source_row FROM
    (SELECT * FROM ${rows} b WHERE ${valid} AND EXISTS (SELECT 1 FROM repeated d WHERE ${same}))
    QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY ${order}) > 1`);
  await copy(
    `silver/${source}`,
    `SELECT * EXCLUDE (${['_source_file', '_source_row', '_batch_id', ...hidden]}), ${audit} FROM ${rows} r WHERE ${valid} AND NOT EXISTS
      (SELECT 1 FROM losers l WHERE l._source_file = r._source_file AND l._source_row = r._source_row)`,
    partitionBy,
  );
  await connection.run('DROP TABLE repeated; DROP TABLE losers');
  await bind(`silver/${source}`);
}

await loadCsv('orders', 'source1_orders_pg/orders.csv');
await loadCsv('orders', 'source1_orders_pg/orders_2_late_export.csv', ['export_note']);
await loadCsv('order_items', 'source1_orders_pg/order_items.csv');
await loadCsv('inventory', 'source5_inventory_csv/inventory.csv');
await loadJson('customers', 'source2_customers_api/customers.json', 'array');
await loadJson('products', 'source3_products_mongo/products.json', 'array');
await loadJson('payments', 'source6_payments_api/payments.json', 'newline_delimited');
await loadJson('clickstream', 'source4_clickstream_eventhub/clickstream.json', 'newline_delimited');
for (const source of Object.keys(fields)) await bind(`bronze/${source}`);

const latest = `_batch_id DESC, _source_file DESC, _source_row DESC`;

await silver('orders', {
  key: 'order_id',
  typed: `${id('order_id')} AS order_id, ${id('customer_id')} AS customer_id, ${instant('order_date')} AS order_date,
    upper(${id('order_status')}) AS order_status, ${money('total_amount')} AS total_amount,
    coalesce(${money('discount_amount')}, 0) AS discount_amount, coalesce(${money('shipping_amount')}, 0) AS shipping_amount,
    lower(${id('payment_method')}) AS payment_method, lower(${id('channel')}) AS channel,
    ${id('shipping_address_id')} AS shipping_address_id, ${instant('created_at')} AS created_at,
    ${instant('updated_at')} AS updated_at, TRY_CAST(order_date AS TIMESTAMP) AS moment`,
  hidden: ['moment'],
  derived: `(total_amount - discount_amount)::DECIMAL(18,2) AS net_amount,
    (total_amount + shipping_amount)::DECIMAL(18,2) AS gross_with_shipping,
    CASE WHEN total_amount = 0 THEN 0 ELSE discount_amount / total_amount * 100 END::DECIMAL(9,2) AS discount_pct,
    discount_amount > 0 AS has_discount, shipping_amount = 0 AS has_free_shipping,
    year(moment)::INTEGER AS order_year, month(moment)::INTEGER AS order_month, day(moment)::INTEGER AS order_day,
    hour(moment)::INTEGER AS order_hour, ${weekday('moment')} AS order_day_of_week, dayname(moment) AS day_name,
    dayofweek(moment) IN (0, 6) AS is_weekend, order_status = 'CANCELLED' AS is_cancelled, order_status = 'RETURNED' AS is_returned`,
  valid:
    'order_status IS NOT NULL AND order_id IS NOT NULL AND customer_id IS NOT NULL AND moment IS NOT NULL AND total_amount >= 0',
  order: `updated_at DESC NULLS LAST, ${latest}`,
  partitionBy: 'order_year, order_month',
});
await silver('order_items', {
  key: 'item_id',
  typed: `${id('item_id')} AS item_id, ${id('order_id')} AS order_id, ${id('product_id')} AS product_id,
    TRY_CAST(quantity AS INTEGER) AS quantity, ${money('unit_price')} AS unit_price,
    coalesce(TRY_CAST(discount_percent AS DECIMAL(9,2)), 0) AS discount_percent, lower(${id('item_status')}) AS item_status,
    ${instant('created_at')} AS created_at`,
  derived: `(quantity * unit_price)::DECIMAL(18,2) AS line_total,
    (quantity * unit_price * (discount_percent * 0.01)::DECIMAL(5,4))::DECIMAL(18,2) AS discount_amount,
    (quantity * unit_price * (1 - discount_percent * 0.01)::DECIMAL(5,4))::DECIMAL(18,2) AS net_line_total,
    discount_percent > 0 AS has_discount`,
  valid: `item_id IS NOT NULL AND order_id IS NOT NULL AND product_id IS NOT NULL AND quantity > 0 AND unit_price > 0
    AND discount_percent BETWEEN 0 AND 100`,
  order: latest,
});
await silver('customers', {
  key: 'customer_id',
  typed: `${id('customer_id')} AS customer_id, first_name, last_name, left(first_name, 1) AS first_name_initial,
    left(last_name, 1) AS last_name_initial, sha256(lower(${id('email')})) AS email_hash,
    nullif(split_part(lower(${id('email')}), '@', 2), '') AS email_domain, ${id('email')} IS NOT NULL AS has_email,
    '***-***-' || right(regexp_replace(phone, '[^0-9]', '', 'g'), 4) AS phone_masked,
    TRY_CAST(date_of_birth AS DATE) AS date_of_birth,
    CASE upper(gender) WHEN 'M' THEN 'Male' WHEN 'MALE' THEN 'Male' WHEN 'F' THEN 'Female' WHEN 'FEMALE' THEN 'Female'
      ELSE 'Other' END AS gender,
    TRY_CAST(registration_date AS DATE) AS registration_date, ${cased('loyalty_tier')} AS loyalty_tier,
    address ->> '$.street' AS address_street, address ->> '$.city' AS address_city, address ->> '$.state' AS address_state,
    address ->> '$.zip' AS address_zip, address ->> '$.country' AS address_country,
    array_to_string(preferences ->> '$.categories[*]', ',') AS pref_categories,
    array_to_string(preferences ->> '$.communication[*]', ',') AS pref_communication`,
  derived: `((DATE '${asOf}' - date_of_birth) * 4 // 1461)::INTEGER AS age,
    CASE WHEN age IS NULL THEN NULL WHEN age < 25 THEN '18-24' WHEN age < 35 THEN '25-34' WHEN age < 45 THEN '35-44'
      WHEN age < 55 THEN '45-54' WHEN age < 65 THEN '55-64' ELSE '65+' END AS age_group,
    (DATE '${asOf}' - registration_date)::INTEGER AS customer_tenure_days,
    CASE WHEN customer_tenure_days IS NULL THEN NULL WHEN customer_tenure_days < 90 THEN 'New (< 3 months)'
      WHEN customer_tenure_days < 365 THEN 'Growing (3-12 months)'
      WHEN customer_tenure_days < 730 THEN 'Established (1-2 years)' ELSE 'Loyal (2+ years)' END AS tenure_category`,
  valid: `customer_id IS NOT NULL AND (date_of_birth IS NULL OR date_of_birth <= DATE '${asOf}')`,
  order: latest,
});
await silver('products', {
  key: 'product_id',
  typed: `${id('product_id')} AS product_id, product_name, ${initcap(id('category'))} AS category,
    ${initcap(id('sub_category'))} AS sub_category, ${initcap(id('brand'))} AS brand, ${money('price')} AS price,
    ${money('cost_price')} AS cost_price, TRY_CAST(weight_kg AS DECIMAL(9,3)) AS weight_kg, ${id('supplier_id')} AS supplier_id,
    TRY_CAST(rating AS DECIMAL(9,2)) AS rating, TRY_CAST(review_count AS INTEGER) AS review_count,
    TRY_CAST(is_active AS BOOLEAN) AS is_active, array_to_string(attributes ->> '$.color[*]', ',') AS attr_colors,
    attributes ->> '$.battery_life' AS attr_battery_life, array_to_string(attributes ->> '$.connectivity[*]', ',') AS attr_connectivity,
    ${instant('created_at')} AS created_at, ${instant('updated_at')} AS updated_at`,
  derived: `(price - cost_price)::DECIMAL(18,2) AS profit_margin, ((price - cost_price) / price * 100)::DECIMAL(9,2) AS margin_pct,
    CASE WHEN price < 50 THEN 'Budget' WHEN price < 200 THEN 'Mid-Range' WHEN price < 500 THEN 'Premium' ELSE 'Luxury' END AS price_tier,
    CASE WHEN rating IS NULL THEN NULL WHEN rating >= 4.5 THEN 'Excellent' WHEN rating >= 4 THEN 'Very Good'
      WHEN rating >= 3 THEN 'Good' WHEN rating >= 2 THEN 'Average' ELSE 'Poor' END AS rating_category,
    (DATE '${asOf}' - created_at::DATE)::INTEGER AS product_age_days`,
  valid: 'product_id IS NOT NULL AND price > 0',
  order: `updated_at DESC NULLS LAST, ${latest}`,
});
await silver('inventory', {
  key: 'product_id, warehouse_id, snapshot_date',
  typed: `${id('product_id')} AS product_id, ${id('warehouse_id')} AS warehouse_id, TRY_CAST(snapshot_date AS DATE) AS snapshot_date,
    greatest(TRY_CAST(quantity_on_hand AS INTEGER), 0) AS quantity_on_hand, TRY_CAST(quantity_reserved AS INTEGER) AS quantity_reserved,
    TRY_CAST(reorder_point AS INTEGER) AS reorder_point, TRY_CAST(reorder_quantity AS INTEGER) AS reorder_quantity,
    TRY_CAST(last_restock_date AS DATE) AS last_restock_date, TRY_CAST(quantity_on_hand AS INTEGER) < 0 AS had_negative_stock,
    (SELECT cost_price FROM silver.products p WHERE p.product_id = ${id('bronze.inventory.product_id')}) AS cost_price`,
  hidden: ['cost_price'],
  derived: `greatest(quantity_on_hand - coalesce(quantity_reserved, 0), 0) AS quantity_available,
    CASE WHEN quantity_available = 0 THEN 'Out of Stock' WHEN quantity_available <= reorder_point THEN 'Low Stock'
      WHEN quantity_available <= 2 * reorder_point THEN 'Medium Stock' ELSE 'In Stock' END AS stock_status,
    quantity_on_hand <= reorder_point AS needs_reorder, (DATE '${asOf}' - last_restock_date)::INTEGER AS days_since_restock,
    (quantity_on_hand * cost_price)::DECIMAL(18,2) AS stock_value`,
  valid: 'product_id IS NOT NULL AND warehouse_id IS NOT NULL AND snapshot_date IS NOT NULL',
  order: latest,
});
await silver('payments', {
  key: 'transaction_id',
  typed: `${id('transaction_id')} AS transaction_id, ${id('order_id')} AS order_id, lower(${id('payment_method')}) AS payment_method,
    lower(${id('card_type')}) AS card_type, ${money('amount')} AS amount, upper(coalesce(${id('currency')}, 'USD')) AS currency,
    lower(${id('status')}) AS status_original, ${id('gateway_response_code')} AS gateway_response_code,
    ${instant('transaction_timestamp')} AS transaction_timestamp, TRY_CAST(risk_score AS INTEGER) AS risk_score, ip_address,
    device_fingerprint, coalesce(TRY_CAST(is_international AS BOOLEAN), FALSE) AS is_international,
    TRY_CAST(transaction_timestamp AS TIMESTAMP) AS moment`,
  hidden: ['moment'],
  derived: `CASE WHEN status_original IN ('success', 'succeeded', 'completed', 'captured', 'approved') THEN 'SUCCESS'
      WHEN status_original IN ('failed', 'failure', 'declined', 'denied', 'rejected') THEN 'FAILED'
      WHEN status_original IN ('pending', 'processing', 'initiated') THEN 'PENDING'
      WHEN status_original IN ('refunded', 'reversed', 'voided') THEN 'REFUNDED' ELSE upper(status_original) END AS status,
    CASE WHEN risk_score IS NULL THEN NULL WHEN risk_score >= 80 THEN 'CRITICAL' WHEN risk_score >= 60 THEN 'HIGH'
      WHEN risk_score >= 40 THEN 'MEDIUM' WHEN risk_score >= 20 THEN 'LOW' ELSE 'VERY_LOW' END AS risk_level,
    coalesce(risk_score >= 70, FALSE) AS is_high_risk, hour(moment)::INTEGER AS transaction_hour,
    transaction_hour >= 23 OR transaction_hour <= 5 AS is_off_hours, amount > 2000 AS is_high_amount,
    is_high_risk::INTEGER + is_off_hours::INTEGER + is_high_amount::INTEGER + is_international::INTEGER AS fraud_signal_count,
    CASE WHEN fraud_signal_count >= 3 THEN 'CRITICAL' WHEN fraud_signal_count = 2 THEN 'HIGH' WHEN fraud_signal_count = 1 THEN 'MEDIUM'
      ELSE 'LOW' END AS fraud_risk_label,
    moment::DATE AS transaction_date, ${weekday('moment')} AS transaction_day_of_week, dayname(moment) AS day_name`,
  valid: 'transaction_id IS NOT NULL AND order_id IS NOT NULL AND moment IS NOT NULL AND amount > 0',
  order: latest,
});
await silver('clickstream', {
  key: 'event_id',
  typed: `${id('event_id')} AS event_id, ${id('session_id')} AS session_id, ${id('customer_id')} AS customer_id,
    lower(${id('event_type')}) AS event_type, ${instant('event_timestamp')} AS event_timestamp, page_url,
    ${id('product_id')} AS product_id, lower(${id('device_type')}) AS device_type, ${cased('browser')} AS browser,
    ${cased('os')} AS os, ip_address, lower(${id('referrer')}) AS referrer, lower(${id('search_query')}) AS search_query,
    geo_location ->> '$.city' AS geo_city, geo_location ->> '$.country' AS geo_country,
    TRY_CAST(event_timestamp AS TIMESTAMP) AS moment`,
  hidden: ['moment'],
  derived: `moment::DATE AS event_date, hour(moment)::INTEGER AS event_hour, ${weekday('moment')} AS event_day_of_week, dayname(moment) AS day_name,
    dayofweek(moment) IN (0, 6) AS is_weekend, customer_id IS NULL AS is_anonymous,
    event_type IN ('add_to_cart', 'checkout') AS is_purchase_intent,
    CASE WHEN event_type = 'page_view' THEN '1-Awareness' WHEN event_type = 'product_view' THEN '2-Interest'
      WHEN event_type IN ('add_to_cart', 'search', 'remove_from_cart') THEN '3-Consideration'
      WHEN event_type = 'checkout' THEN '4-Purchase' ELSE 'Other' END AS funnel_stage, 'batch' AS data_source`,
  valid: `event_id IS NOT NULL AND session_id IS NOT NULL AND event_type IS NOT NULL AND moment::DATE <= DATE '${asOf}' + 1`,
  order: '_batch_id, _source_file, _source_row',
  partitionBy: 'event_date',
});

await copy(
  'silver/sessions',
  `SELECT *, (session_duration_sec / 60)::DECIMAL(9,2) AS session_duration_min, cart_adds > 0 AS has_cart_activity,
    checkouts > 0 AS has_checkout, total_events = 1 AS is_bounce, customer_id IS NULL AS is_anonymous,
    CASE WHEN total_events >= 10 THEN 'High' WHEN total_events >= 5 THEN 'Medium' WHEN total_events >= 2 THEN 'Low'
      ELSE 'Bounce' END AS engagement_level, session_start::DATE AS session_date, ${made}
  FROM (
    SELECT * EXCLUDE (entry), entry.r AS entry_referrer, entry.c AS entry_geo_city, entry.k AS entry_geo_country,
      ((epoch_us(session_end) - epoch_us(session_start)) // 1000000)::INTEGER AS session_duration_sec
    FROM (
      SELECT session_id, customer_id, device_type, browser, os, count(*)::INTEGER AS total_events,
        count(DISTINCT event_type)::INTEGER AS unique_event_types, count(DISTINCT product_id)::INTEGER AS products_viewed,
        min(event_timestamp) AS session_start, max(event_timestamp) AS session_end,
        (count(*) FILTER (event_type = 'page_view'))::INTEGER AS page_views,
        (count(*) FILTER (event_type = 'product_view'))::INTEGER AS product_views,
        (count(*) FILTER (event_type = 'add_to_cart'))::INTEGER AS cart_adds,
        (count(*) FILTER (event_type = 'remove_from_cart'))::INTEGER AS cart_removes,
        (count(*) FILTER (event_type = 'checkout'))::INTEGER AS checkouts,
        (count(*) FILTER (event_type = 'search'))::INTEGER AS searches,
        arg_min({r: referrer, c: geo_city, k: geo_country}, event_timestamp) AS entry
      FROM silver.clickstream GROUP BY session_id, customer_id, device_type, browser, os))`,
);
await bind('silver/sessions');

await copy(
  'gold/dim_date',
  `SELECT strftime(d, '%Y%m%d')::INTEGER AS date_key, d AS full_date, year(d)::INTEGER AS year, quarter(d)::INTEGER AS quarter,
    month(d)::INTEGER AS month, day(d)::INTEGER AS day, monthname(d) AS month_name, left(monthname(d), 3) AS month_short,
    ${weekday('d')} AS day_of_week, dayname(d) AS day_name, left(dayname(d), 3) AS day_short, weekofyear(d)::INTEGER AS week_of_year,
    dayofyear(d)::INTEGER AS day_of_year, dayofweek(d) IN (0, 6) AS is_weekend, day(d) = 1 AS is_month_start,
    d = last_day(d) AS is_month_end, month(d) IN (11, 12, 1) AS is_holiday_season,
    'Q' || quarter(d) || '-' || year(d) AS quarter_label, left(monthname(d), 3) || '-' || year(d) AS month_year_label,
    CASE WHEN month(d) <= 6 THEN 1 ELSE 2 END AS half_year, CASE WHEN month(d) <= 6 THEN 'H1' ELSE 'H2' END AS half_year_label, ${made}
  FROM (SELECT unnest(generate_series(DATE '2024-01-01', DATE '2026-12-31', INTERVAL 1 DAY))::DATE AS d)`,
);
await copy(
  'gold/dim_customer',
  `SELECT 4294967296 + _source_row AS customer_sk, * EXCLUDE (address_street, _source_file, _source_row, _batch_id),
    registration_date AS effective_start_date, DATE '9999-12-31' AS effective_end_date, TRUE AS is_current
  FROM silver.customers`,
);
await copy(
  'gold/dim_product',
  `SELECT 4294967296 + _source_row AS product_sk, * EXCLUDE (_source_file, _source_row, _batch_id)
    RENAME (price AS current_price, created_at AS product_created_at, updated_at AS product_updated_at) FROM silver.products`,
);
for (const table of ['dim_date', 'dim_customer', 'dim_product']) await bind(`gold/${table}`);

await copy(
  'gold/fact_sales',
  `WITH weights AS (
    SELECT i.item_id, i.order_id, (o.shipping_amount * 100)::BIGINT AS shipping, (i.line_total * 100)::BIGINT AS line,
      (sum(i.line_total) OVER (PARTITION BY i.order_id) * 100)::BIGINT AS whole
    FROM silver.order_items i JOIN silver.orders o ON o.order_id = i.order_id WHERE o.shipping_amount > 0),
  allocated AS (
    SELECT item_id, (shipping * line // whole
      + CASE WHEN row_number() OVER (PARTITION BY order_id ORDER BY shipping * line % whole DESC, item_id)
        <= shipping - sum(shipping * line // whole) OVER (PARTITION BY order_id) THEN 1 ELSE 0 END) AS cents
    FROM weights)
  SELECT i.item_id AS sales_key, (o.order_year * 10000 + o.order_month * 100 + o.order_day)::INTEGER AS order_date_key,
    c.customer_sk, p.product_sk, o.customer_id, i.product_id, i.order_id, i.item_id, i.quantity, i.unit_price, i.line_total,
    i.discount_percent, i.discount_amount, i.net_line_total, o.shipping_amount,
    (coalesce(a.cents, 0)::DECIMAL(18,0) * 0.01)::DECIMAL(18,2) AS shipping_allocated, o.order_date, o.order_status,
    o.payment_method, o.channel, i.item_status, o.is_cancelled, o.is_returned, i.has_discount, o.is_weekend, o.has_free_shipping,
    o.order_year, o.order_month, o.order_day, o.order_hour, o.day_name, ${made}
  FROM silver.order_items i JOIN silver.orders o ON o.order_id = i.order_id
  LEFT JOIN gold.dim_customer c ON c.customer_id = o.customer_id LEFT JOIN gold.dim_product p ON p.product_id = i.product_id
  LEFT JOIN allocated a ON a.item_id = i.item_id`,
  'order_year, order_month',
);
await bind('gold/fact_sales');

const perOrder = `SELECT order_id, any_value(channel) AS channel, any_value(customer_id) AS customer_id,
  any_value(order_date::DATE) AS order_date, any_value(order_status) AS order_status, count(*) AS lines, sum(quantity) AS items,
  sum(line_total) AS gross, sum(discount_amount) AS discount, sum(net_line_total) AS net, sum(shipping_allocated) AS shipping,
  bool_or(has_discount) AS discounted FROM gold.fact_sales GROUP BY order_id`;
await connection.run(`CREATE TEMP TABLE per_order AS ${perOrder}`);
await copy(
  'gold/agg_daily_sales',
  `SELECT order_date, channel, year(order_date)::INTEGER AS order_year, month(order_date)::INTEGER AS order_month,
    day(order_date)::INTEGER AS order_day, count(*)::INTEGER AS total_orders, count(DISTINCT customer_id)::INTEGER AS total_customers,
    sum(lines)::INTEGER AS total_line_items, sum(items)::INTEGER AS total_items_sold, sum(gross)::DECIMAL(18,2) AS gross_revenue,
    sum(discount)::DECIMAL(18,2) AS total_discount, sum(net)::DECIMAL(18,2) AS net_revenue, sum(shipping)::DECIMAL(18,2) AS total_shipping,
    (sum(net) / sum(lines))::DECIMAL(18,2) AS avg_item_value, (sum(items) / sum(lines))::DECIMAL(9,2) AS avg_quantity_per_item,
    (count(*) FILTER (order_status = 'CANCELLED'))::INTEGER AS cancelled_orders,
    (count(*) FILTER (order_status = 'RETURNED'))::INTEGER AS returned_orders,
    (count(*) FILTER (order_status = 'DELIVERED'))::INTEGER AS delivered_orders,
    (count(*) FILTER (discounted))::INTEGER AS orders_with_discount, dayofweek(order_date) IN (0, 6) AS is_weekend,
    dayname(order_date) AS day_name, (sum(net) / count(*))::DECIMAL(18,2) AS avg_order_value,
    (cancelled_orders / count(*) * 100)::DECIMAL(9,2) AS cancel_rate_pct, (returned_orders / count(*) * 100)::DECIMAL(9,2) AS return_rate_pct,
    (orders_with_discount / count(*) * 100)::DECIMAL(9,2) AS discount_rate_pct, ${made}
  FROM per_order GROUP BY order_date, channel`,
);
await copy(
  'gold/ml_customer_rfm',
  `WITH bought AS (SELECT customer_id, count(DISTINCT product_id)::INTEGER AS unique_products FROM gold.fact_sales GROUP BY customer_id),
  customers AS (
    SELECT customer_id, max(order_date) AS last_order_date, min(order_date) AS first_order_date, count(*)::INTEGER AS frequency,
      coalesce(sum(net) FILTER (order_status <> 'CANCELLED'), 0)::DECIMAL(18,2) AS monetary, sum(net) AS net, sum(lines) AS lines,
      sum(items)::INTEGER AS total_items_bought, count(DISTINCT channel)::INTEGER AS channels_used,
      (count(*) FILTER (order_status = 'CANCELLED'))::INTEGER AS cancelled_orders,
      (count(*) FILTER (order_status = 'RETURNED'))::INTEGER AS returned_orders,
      (count(*) FILTER (order_status = 'DELIVERED'))::INTEGER AS delivered_orders
    FROM per_order GROUP BY customer_id),
  scored AS (
    SELECT *, ((SELECT max(last_order_date) FROM customers) - last_order_date)::INTEGER AS recency_days,
      6 - ntile(5) OVER (ORDER BY last_order_date DESC, customer_id)::INTEGER AS r_score,
      ntile(5) OVER (ORDER BY frequency, customer_id)::INTEGER AS f_score,
      ntile(5) OVER (ORDER BY monetary, customer_id)::INTEGER AS m_score FROM customers)
  SELECT customer_id, recency_days, frequency, monetary, (net / lines)::DECIMAL(18,2) AS avg_line_value,
    (net / frequency)::DECIMAL(18,2) AS avg_order_value, total_items_bought, unique_products,
    (total_items_bought / frequency)::DECIMAL(9,2) AS avg_items_per_order, channels_used, cancelled_orders, returned_orders,
    delivered_orders, (last_order_date - first_order_date)::INTEGER AS customer_lifespan_days, first_order_date, last_order_date,
    (returned_orders / frequency * 100)::DECIMAL(9,2) AS return_rate, (cancelled_orders / frequency * 100)::DECIMAL(9,2) AS cancel_rate,
    (delivered_orders / frequency * 100)::DECIMAL(9,2) AS delivery_rate, r_score, f_score, m_score,
    r_score + f_score + m_score AS rfm_score,
    CASE WHEN rfm_score >= 13 THEN 'Champions' WHEN rfm_score >= 10 THEN 'Loyal Customers' WHEN rfm_score >= 7 THEN 'Potential Loyalists'
      WHEN rfm_score >= 5 THEN 'At Risk' ELSE 'Hibernating' END AS rfm_segment, ${made}
  FROM scored JOIN bought USING (customer_id)`,
);
await copy(
  'gold/ml_anomaly_detection',
  `WITH methods AS (SELECT payment_method, avg(amount) AS mean, stddev_samp(amount) AS deviation FROM silver.payments GROUP BY payment_method),
  measured AS (
    SELECT p.*, CASE WHEN m.deviation > 0 THEN abs(p.amount - m.mean) / m.deviation ELSE 0 END AS z
    FROM silver.payments p JOIN methods m ON m.payment_method IS NOT DISTINCT FROM p.payment_method)
  SELECT transaction_id, order_id, amount, payment_method, status, risk_score, risk_level, is_high_risk, is_off_hours, is_high_amount,
    is_international, fraud_signal_count, fraud_risk_label, transaction_timestamp, transaction_date, z::DECIMAL(9,2) AS z_score,
    z > 2 AS is_statistical_anomaly,
    CASE WHEN z > 3 THEN 'EXTREME' WHEN z > 2 THEN 'SIGNIFICANT' WHEN z > 1.5 THEN 'MODERATE' ELSE 'NORMAL' END AS anomaly_type,
    fraud_signal_count + CASE WHEN z > 2 THEN 2 ELSE 0 END AS combined_risk_score,
    CASE WHEN combined_risk_score >= 4 THEN 'CRITICAL' WHEN combined_risk_score = 3 THEN 'HIGH' WHEN combined_risk_score = 2 THEN 'MEDIUM'
      WHEN combined_risk_score = 1 THEN 'LOW' ELSE 'SAFE' END AS overall_risk, ${made}
  FROM measured`,
);
connection.closeSync();
instance.closeSync();
