import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { writeDemo } from './write-demo.js';

const asOf = '2026-02-17';
const SCALE = 10;
let folder: string;
let small: DuckDBConnection;
let large: DuckDBConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planted-'));
  small = await lakeOf(join(folder, 'small'), 1);
  large = await lakeOf(join(folder, 'large'), SCALE);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The silver and gold columns that the questions need, as views on the landing files; casts fail on bad text. */
async function lakeOf(outDir: string, scale: number): Promise<DuckDBConnection> {
  await writeDemo({ outDir, scale, asOf });
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(`
    CREATE SCHEMA silver;
    CREATE VIEW raw_orders AS FROM read_csv('${outDir}/source1_orders_pg/orders.csv', all_varchar = true);
    CREATE VIEW raw_items AS FROM read_csv('${outDir}/source1_orders_pg/order_items.csv', all_varchar = true);
    CREATE VIEW raw_customers AS FROM read_json('${outDir}/source2_customers_api/customers.json', format = 'array');
    CREATE VIEW raw_products AS FROM read_json('${outDir}/source3_products_mongo/products.json', format = 'array');
    CREATE VIEW raw_events AS
      FROM read_json('${outDir}/source4_clickstream_eventhub/clickstream.json', format = 'newline_delimited');
    CREATE VIEW raw_stock AS FROM read_csv('${outDir}/source5_inventory_csv/inventory.csv', all_varchar = true);
    CREATE VIEW raw_payments AS
      FROM read_json('${outDir}/source6_payments_api/payments.json', format = 'newline_delimited');
    CREATE TABLE silver.orders AS SELECT *, order_status = 'CANCELLED' AS is_cancelled,
        order_status = 'RETURNED' AS is_returned, total_amount - discount_amount AS net_amount
      FROM (SELECT order_id, customer_id, order_date::TIMESTAMP AS order_date, upper(trim(order_status)) AS order_status,
          total_amount::DECIMAL(18, 2) AS total_amount, coalesce(discount_amount::DECIMAL(18, 2), 0) AS discount_amount,
          shipping_amount::DECIMAL(18, 2) AS shipping_amount, lower(trim(payment_method)) AS payment_method,
          lower(trim(channel)) AS channel, updated_at::TIMESTAMP AS updated_at FROM raw_orders)
      WHERE order_status IS NOT NULL AND order_status <> '';
    CREATE TABLE silver.order_items AS SELECT *, quantity * unit_price AS line_total,
        (quantity * unit_price * (100 - discount_percent) * 0.01)::DECIMAL(18, 2) AS net_line_total
      FROM (SELECT item_id, order_id, product_id, quantity::INTEGER AS quantity,
        unit_price::DECIMAL(9, 2) AS unit_price, discount_percent::DECIMAL(9, 2) AS discount_percent, item_status
        FROM raw_items);
    CREATE TABLE dim_product AS SELECT product_id, price, cost_price,
        list_aggregate([upper(word[1]) || lower(word[2:]) FOR word IN string_split(category, ' ')], 'string_agg', ' ')
          AS category FROM raw_products;
    CREATE TABLE fact_sales AS SELECT i.*, o.* EXCLUDE (order_id), year(order_date) AS order_year,
        month(order_date) AS order_month FROM silver.order_items AS i JOIN silver.orders AS o USING (order_id);
    CREATE TABLE agg_daily_sales AS SELECT order_date::DATE AS order_date, channel, dayname(order_date) AS day_name,
        year(order_date) AS order_year, count(DISTINCT order_id) AS total_orders, sum(line_total) AS gross_revenue,
        sum(line_total - net_line_total) AS total_discount FROM fact_sales GROUP BY ALL;
    CREATE TABLE ml_customer_rfm AS SELECT *,
        6 - ntile(5) OVER (ORDER BY recency_days, customer_id) AS r_score,
        ntile(5) OVER (ORDER BY frequency, customer_id) AS f_score
      FROM (SELECT customer_id, count(DISTINCT order_id) AS frequency, min(order_date)::DATE AS first_order_date,
          max(order_date)::DATE AS last_order_date,
          (SELECT max(order_date)::DATE FROM fact_sales) - max(order_date)::DATE AS recency_days
        FROM fact_sales GROUP BY customer_id);
    CREATE TABLE silver.payments AS SELECT * EXCLUDE (status), CASE
          WHEN status IN ('success', 'succeeded', 'completed', 'captured', 'approved') THEN 'SUCCESS'
          WHEN status IN ('failed', 'failure', 'declined', 'denied', 'rejected') THEN 'FAILED'
          WHEN status IN ('pending', 'processing', 'initiated') THEN 'PENDING'
          WHEN status IN ('refunded', 'reversed', 'voided') THEN 'REFUNDED' ELSE upper(status) END AS status,
        is_high_risk::INTEGER + is_off_hours::INTEGER + (amount > 2000)::INTEGER + is_international::INTEGER
          AS fraud_signal_count
      FROM (SELECT transaction_id, order_id, lower(trim(payment_method)) AS payment_method, amount::DECIMAL(18, 2) AS amount,
          lower(trim(status)) AS status, is_international, risk_score >= 70 AS is_high_risk,
          transaction_timestamp::TIMESTAMP AS moment, moment::DATE AS transaction_date,
          hour(moment) >= 23 OR hour(moment) <= 5 AS is_off_hours FROM raw_payments);
    CREATE TABLE ml_anomaly_detection AS SELECT *, CASE WHEN risk >= 4 THEN 'CRITICAL' WHEN risk = 3 THEN 'HIGH' END
        AS overall_risk
      FROM (SELECT *, fraud_signal_count + 2 * (abs(amount - avg(amount) OVER (PARTITION BY payment_method)) >
        2 * stddev_samp(amount) OVER (PARTITION BY payment_method))::INTEGER AS risk FROM silver.payments);
    CREATE TABLE silver.inventory AS SELECT product_id, warehouse_id, quantity_on_hand::INTEGER AS quantity_on_hand,
      CASE WHEN quantity_on_hand::INTEGER <= 0 THEN 'Out of Stock' END AS stock_status FROM raw_stock;
    CREATE TABLE silver.sessions AS SELECT session_id, customer_id, lower(device_type) AS device_type,
        lower(browser) AS browser, lower(os) AS os, any_value(lower(referrer)) AS entry_referrer,
        count(*) FILTER (event_type = 'product_view') AS product_views,
        bool_or(event_type = 'add_to_cart') AS has_cart_activity, bool_or(event_type = 'checkout') AS has_checkout
      FROM raw_events GROUP BY ALL;
  `);
  return connection;
}

async function rows(lake: DuckDBConnection, sql: string): Promise<string[][]> {
  const result = await lake.runAndReadAll(sql);
  return result.getRows().map((row) => row.map(String));
}

async function numbers(lake: DuckDBConnection, sql: string): Promise<number[]> {
  return (await rows(lake, sql)).flat().map(Number);
}

describe('the counts of the demo data set', () => {
  it.each([
    ['raw_orders', 2000],
    ["raw_orders WHERE coalesce(trim(order_status), '') = ''", 52],
    ['raw_items', 4904],
    ["raw_items SEMI JOIN (FROM raw_orders WHERE coalesce(trim(order_status), '') = '') USING (order_id)", 124],
    ['fact_sales', 4780],
    ['raw_customers', 500],
    ["raw_customers WHERE coalesce(trim(email), '') = ''", 53],
    ['raw_products', 50],
    ['raw_stock', 150],
    ['silver.inventory WHERE quantity_on_hand < 0', 4],
    ['raw_payments', 2000],
    ['raw_events', 3000],
    ['raw_events WHERE customer_id IS NULL', 626],
    ['silver.sessions', 650],
  ])('%s: %d, times the scale', async (what, count) => {
    expect(await numbers(small, `SELECT count(*) FROM ${what}`)).toEqual([count]);
    expect(await numbers(large, `SELECT count(*) FROM ${what}`)).toEqual([count * SCALE]);
  });
});

describe('the records of the demo data set', () => {
  it.each([
    ['orders', 'order_id', 'raw_orders'],
    ['items', 'item_id', 'raw_items'],
    ['customers', 'customer_id', 'raw_customers'],
    ['products', 'product_id', 'raw_products'],
    ['payments', 'transaction_id', 'raw_payments'],
    ['events', 'event_id', 'raw_events'],
  ])('name each of the %s once', async (_, key, table) => {
    const [total, distinct] = await numbers(large, `SELECT count(*), count(DISTINCT ${key}) FROM ${table}`);
    expect(distinct).toBe(total);
  });

  it.each([
    ['raw_items ANTI JOIN raw_orders USING (order_id)'],
    ['raw_items ANTI JOIN raw_products USING (product_id)'],
    ['raw_orders ANTI JOIN raw_customers USING (customer_id)'],
    ['raw_events ANTI JOIN raw_customers USING (customer_id) WHERE customer_id IS NOT NULL'],
    ['raw_events ANTI JOIN raw_products USING (product_id) WHERE product_id IS NOT NULL'],
    [`silver.orders WHERE order_date >= DATE '${asOf}' + 1 OR updated_at >= DATE '${asOf}' + 1`],
    [`raw_payments WHERE transaction_timestamp::TIMESTAMP >= DATE '${asOf}' + 1`],
    [`raw_events WHERE event_timestamp::TIMESTAMP >= DATE '${asOf}' + 1`],
    [`raw_customers WHERE date_of_birth::DATE > DATE '${asOf}' OR registration_date::DATE > DATE '${asOf}'`],
    ['silver.order_items WHERE quantity <= 0 OR unit_price <= 0 OR discount_percent NOT BETWEEN 0 AND 100'],
    ['raw_payments WHERE amount <= 0'],
    [
      `(SELECT unnest([total_amount, discount_amount, shipping_amount]) AS field FROM raw_orders UNION ALL
        SELECT unnest([quantity, unit_price, discount_percent]) FROM raw_items UNION ALL
        SELECT unnest([quantity_on_hand, quantity_reserved, reorder_point, reorder_quantity]) FROM raw_stock)
        WHERE NOT regexp_full_match(field, '[+-]?[0-9]+([.][0-9]{2})?')`,
    ],
    [
      `(SELECT unnest([order_date, created_at, updated_at]) AS field FROM raw_orders UNION ALL
        SELECT created_at FROM raw_items UNION ALL SELECT unnest([last_restock_date, snapshot_date]) FROM raw_stock)
        WHERE NOT regexp_full_match(field, '[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?')`,
    ],
    ["silver.payments WHERE status NOT IN ('SUCCESS', 'FAILED', 'PENDING', 'REFUNDED')"],
    ['raw_products WHERE price <= 0 OR cost_price >= price'],
    ['raw_customers JOIN raw_orders USING (customer_id) WHERE registration_date > order_date::DATE'],
    [
      '(SELECT order_id, sum(net_line_total) AS net FROM fact_sales GROUP BY order_id) JOIN silver.orders USING (order_id) WHERE net <> net_amount',
    ],
  ])('hold no %s', async (violation) => {
    expect(await numbers(large, `SELECT count(*) FROM ${violation}`)).toEqual([0]);
  });
});

describe('the late export', () => {
  it('repeats five orders as they were and holds three malformed lines', async () => {
    const at = join(folder, 'small', 'source1_orders_pg');
    const orders = new Set((await readFile(join(at, 'orders.csv'), 'utf8')).split('\n'));
    const [header, ...lines] = (await readFile(join(at, 'orders_2_late_export.csv'), 'utf8')).trimEnd().split('\n');
    const fields = (header ?? '').split(',').length;
    const whole = lines.filter((line) => line.split(',').length === fields);
    expect([whole.length, lines.length - whole.length]).toEqual([5, 3]);
    expect(whole.every((line) => orders.has(line.replace(/,sent again$/, '')))).toBe(true);
  });
});

describe('the planted stories', () => {
  it.each([
    [
      'yearly growth',
      1.15,
      1.4,
      `SELECT count(*) FILTER (order_date >= '2025-02-18') / count(*) FILTER (order_date < '2025-02-18') FROM silver.orders`,
    ],
    [
      'November and December over October and January',
      1.3,
      1.7,
      `SELECT count(*) FILTER (month(order_date) >= 11) / count(*) FILTER (month(order_date) IN (10, 1)) FROM silver.orders`,
    ],
    [
      'Saturday over Tuesday',
      1.2,
      1.5,
      `SELECT count(*) FILTER (dayofweek(order_date) = 6) / count(*) FILTER (dayofweek(order_date) = 2) FROM silver.orders`,
    ],
    [
      'app share in the first quarter year',
      0.2,
      0.32,
      `SELECT avg((channel = 'app')::INTEGER) FROM silver.orders WHERE order_date < '2024-06-01'`,
    ],
    [
      'app share in the last quarter year',
      0.52,
      0.66,
      `SELECT avg((channel = 'app')::INTEGER) FROM silver.orders WHERE order_date > '2025-12-01'`,
    ],
    [
      'discount in the promotion',
      0.25,
      0.31,
      `SELECT sum(line_total - net_line_total) / sum(line_total) FROM fact_sales WHERE order_date::DATE BETWEEN '2025-04-04' AND '2025-04-07'`,
    ],
    [
      'discount elsewhere',
      0.01,
      0.03,
      `SELECT sum(line_total - net_line_total) / sum(line_total) FROM fact_sales WHERE order_date::DATE NOT BETWEEN '2025-04-04' AND '2025-04-07'`,
    ],
    [
      'margin in the promotion over margin elsewhere',
      0.3,
      0.6,
      `SELECT margin[1] / margin[2] FROM (SELECT list(m ORDER BY promoted DESC) AS margin FROM (SELECT order_date::DATE BETWEEN '2025-04-04' AND '2025-04-07' AS promoted, 1 - sum(quantity * cost_price) / sum(net_line_total) AS m FROM fact_sales JOIN dim_product USING (product_id) GROUP BY promoted))`,
    ],
    [
      'failures on the outage day over other days',
      6,
      10,
      `SELECT avg((status = 'FAILED')::INTEGER) FILTER (transaction_date = '2025-11-15') / avg((status = 'FAILED')::INTEGER) FILTER (transaction_date NOT IN ('2025-11-15', '2026-01-16')) FROM silver.payments`,
    ],
    [
      'hero share of net',
      0.18,
      0.3,
      `SELECT sum(net_line_total) FILTER (product_id = 'PROD-000001') / sum(net_line_total) FROM fact_sales`,
    ],
    [
      'share of the best fifth of the products',
      0.6,
      0.85,
      `SELECT sum(net) FILTER (place <= 0.2) / sum(net) FROM (SELECT sum(net_line_total) AS net, percent_rank() OVER (ORDER BY sum(net_line_total) DESC) AS place FROM fact_sales GROUP BY product_id)`,
    ],
    [
      'viral lines in its weeks over those before',
      8,
      1000,
      `SELECT count(*) FILTER (order_date::DATE BETWEEN '2025-12-05' AND '2025-12-24') / count(*) FILTER (order_date::DATE BETWEEN '2025-11-15' AND '2025-12-04') FROM fact_sales WHERE product_id = 'PROD-000024'`,
    ],
    [
      'viral lines after its weeks',
      0,
      0,
      `SELECT count(*) FROM fact_sales WHERE product_id = 'PROD-000024' AND order_date::DATE > '2025-12-24'`,
    ],
    [
      'viral product on hand',
      0,
      0,
      `SELECT sum(quantity_on_hand) FROM silver.inventory WHERE product_id = 'PROD-000024'`,
    ],
    [
      'fashion lines returned after the date',
      0.28,
      0.4,
      `SELECT avg((item_status = 'returned')::INTEGER) FROM fact_sales JOIN dim_product USING (product_id) WHERE category = 'Fashion' AND order_date >= '2025-06-23'`,
    ],
    [
      'other lines returned',
      0.04,
      0.09,
      `SELECT avg((item_status = 'returned')::INTEGER) FROM fact_sales JOIN dim_product USING (product_id) WHERE category <> 'Fashion' OR order_date < '2025-06-23'`,
    ],
    ['customers who order once', 0.42, 0.48, `SELECT avg((frequency = 1)::INTEGER) FROM ml_customer_rfm`],
    ['most orders of a customer over the mean', 8, 20, `SELECT max(frequency) / avg(frequency) FROM ml_customer_rfm`],
    [
      'repeat buyers of the bad month',
      0.05,
      0.3,
      `SELECT avg((frequency > 1)::INTEGER) FROM ml_customer_rfm WHERE strftime(first_order_date, '%Y-%m') = '2025-05'`,
    ],
    ['lapsed champions', 20, 150, `SELECT count(*) FROM ml_customer_rfm WHERE f_score = 5 AND recency_days > 365`],
    [
      'skewness of the logarithm of amounts',
      -1,
      0.5,
      `SELECT skewness(ln(amount)) FROM silver.payments WHERE payment_method = 'paypal'`,
    ],
    [
      'card tests, share of payments',
      0.005,
      0.025,
      `SELECT avg((amount < 5)::INTEGER) FROM silver.payments WHERE transaction_date <= '2026-01-16'`,
    ],
    [
      'CRITICAL payments',
      0.01,
      0.02,
      `SELECT avg((overall_risk = 'CRITICAL')::INTEGER) FROM (SELECT coalesce(overall_risk, '') AS overall_risk FROM ml_anomaly_detection)`,
    ],
    [
      'HIGH payments',
      0.03,
      0.05,
      `SELECT avg((overall_risk = 'HIGH')::INTEGER) FROM (SELECT coalesce(overall_risk, '') AS overall_risk FROM ml_anomaly_detection)`,
    ],
    [
      'orphan payments',
      8 * SCALE,
      8 * SCALE,
      'SELECT count(*) FROM silver.payments ANTI JOIN silver.orders USING (order_id)',
    ],
    ['sessions that view a product', 0.54, 0.56, 'SELECT avg((product_views > 0)::INTEGER) FROM silver.sessions'],
    [
      'sessions that fill a cart',
      0.21,
      0.23,
      'SELECT avg((product_views > 0 AND has_cart_activity)::INTEGER) FROM silver.sessions',
    ],
    [
      'sessions that check out',
      0.085,
      0.095,
      'SELECT avg((product_views > 0 AND has_cart_activity AND has_checkout)::INTEGER) FROM silver.sessions',
    ],
    [
      'mobile checkout rate over desktop',
      0.45,
      0.55,
      `SELECT avg(has_checkout::INTEGER) FILTER (device_type = 'mobile') / avg(has_checkout::INTEGER) FILTER (device_type = 'desktop') FROM silver.sessions`,
    ],
    [
      'sessions of bots',
      0.05,
      0.07,
      `SELECT avg((entry_referrer = 'price-scout.example')::INTEGER) FROM (SELECT coalesce(entry_referrer, '') AS entry_referrer FROM silver.sessions)`,
    ],
  ])('%s lies between %d and %d', async (_, least, most, sql) => {
    const [figure] = await numbers(large, sql);
    expect(figure).toBeGreaterThanOrEqual(least);
    expect(figure).toBeLessThanOrEqual(most);
  });
});

describe('docs/demo.md', () => {
  it('prints what its queries answer', async () => {
    const page = await readFile(new URL('../../docs/demo.md', import.meta.url), 'utf8');
    const blocks = [...page.matchAll(/```sql\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)];
    expect(blocks).toHaveLength(page.split('```sql').length - 1);
    for (const [, sql = '', printed] of blocks) {
      const answer = (await rows(small, sql)).map((row) => `${row.join(' | ')}\n`).join('');
      expect(`${sql}${answer}`).toBe(`${sql}${printed}`);
    }
  });
});
