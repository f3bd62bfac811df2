/**
 * The functions that every transform may use, as DuckDB macros. Source text meets a CAST only here: DuckDB's casts
 * accept far too much ('2.5' as 3, '1_000', 'epoch', 'infinity'), so each is guarded, first by the cheapest test that
 * settles nearly all values (the value written back is the text), then by the grammar.
 *
 * A macro repeats its argument: give it a column, not a costly expression.
 */

// Unicode's White_Space. In a regular expression, because trim() with a set of characters is 14 times slower.
const SPACE = String.raw`[\t\n\x0b\f\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`;
const NO_SPACE = SPACE.replace('[', '[^');

const DATE = String.raw`[0-9]{4}-[0-9]{2}-[0-9]{2}`;
const TIME = String.raw`([01][0-9]|2[0-3]):[0-5][0-9]`;
const PLAIN_INSTANT = String.raw`${DATE}[T ]${TIME}:[0-5][0-9](\.[0-9]{1,6})?Z?`;
const INSTANT = String.raw`${DATE}([T ]${TIME}(:[0-5][0-9](\.[0-9]+)?)?)?(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?`;

const YEARS_1_TO_9999 = `BETWEEN TIMESTAMP '0001-01-01 00:00:00' AND TIMESTAMP '9999-12-31 23:59:59.999999'`;

// below this, a hundred hundredfold cents, doubled, still fit a HUGEINT
const LARGEST_TERM = `CAST('1000000000000000000000000000000' AS DECIMAL(38,2))`;

const decimalParser = (name: string, type: string): string => String.raw`
CREATE OR REPLACE MACRO ${name}(s) AS CASE
  WHEN CAST(TRY_CAST(s AS ${type}) AS VARCHAR) = s THEN TRY_CAST(s AS ${type})
  WHEN regexp_full_match(s, '[+-]?[0-9]+(\.[0-9]+)?') THEN TRY_CAST(s AS ${type})
  WHEN regexp_full_match(trim_all(s), '[+-]?[0-9]+(\.[0-9]+)?') THEN TRY_CAST(trim_all(s) AS ${type})
END`;

const text = [
  String.raw`
CREATE OR REPLACE MACRO trim_all(s) AS CASE
  WHEN regexp_full_match(s, '[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?') THEN s
  ELSE regexp_replace(regexp_replace(s, '^${SPACE}+', ''), '${SPACE}+$', '')
END`,
  `CREATE OR REPLACE MACRO parse_id(s) AS nullif(trim_all(s), '')`,
  `CREATE OR REPLACE MACRO parse_text(s) AS CASE WHEN regexp_matches(s, '${NO_SPACE}') THEN s END`,
  String.raw`
CREATE OR REPLACE MACRO parse_int(s) AS CASE
  WHEN CAST(TRY_CAST(s AS INTEGER) AS VARCHAR) = s THEN TRY_CAST(s AS INTEGER)
  WHEN regexp_full_match(trim_all(s), '[+-]?[0-9]+(\.0*)?')
    THEN TRY_CAST(regexp_replace(trim_all(s), '\..*$', '') AS INTEGER)
END`,
  decimalParser('parse_money', 'DECIMAL(18,2)'),
  decimalParser('parse_rate', 'DECIMAL(9,2)'),
  decimalParser('parse_weight', 'DECIMAL(9,3)'),
  `CREATE OR REPLACE MACRO _instant(ts) AS CASE WHEN ts ${YEARS_1_TO_9999} THEN make_timestamptz(epoch_us(ts)) END`,
  // the offset is subtracted and the fraction added here: a cast would round or refuse some of them
  String.raw`
CREATE OR REPLACE MACRO _written_instant(t) AS _instant(make_timestamp(
  epoch_us(TRY_CAST(left(t, 10) || ' ' || coalesce(nullif(regexp_extract(t, '[T ]([0-9:]+)', 1), ''), '00:00') AS TIMESTAMP))
  + CAST(rpad(regexp_extract(t, '\.([0-9]{1,6})', 1), 6, '0') AS BIGINT)
  - CASE regexp_extract(t, '^.{10}([T ][0-9:.]+)?([+-])', 2) WHEN '' THEN 0 WHEN '-' THEN -60000000 ELSE 60000000 END
    * (60 * CAST('0' || regexp_extract(t, '^.{10}([T ][0-9:.]+)?[+-]([0-9]{2})', 2) AS BIGINT)
       + CAST('0' || regexp_extract(t, '^.{10}([T ][0-9:.]+)?[+-][0-9]{2}:?([0-9]{2})', 2) AS BIGINT))))`,
  String.raw`
CREATE OR REPLACE MACRO parse_utc(s) AS CASE
  WHEN CAST(TRY_CAST(s AS TIMESTAMP) AS VARCHAR) = s THEN _instant(TRY_CAST(s AS TIMESTAMP))
  WHEN regexp_full_match(s, '${PLAIN_INSTANT}') THEN _instant(TRY_CAST(s AS TIMESTAMP))
  WHEN regexp_full_match(trim_all(s), '${INSTANT}') THEN _written_instant(trim_all(s))
END`,
  `
CREATE OR REPLACE MACRO parse_date(s) AS CASE
  WHEN length(s) = 10 AND CAST(TRY_CAST(s AS DATE) AS VARCHAR) = s THEN TRY_CAST(s AS DATE)
  ELSE utc_date(parse_utc(s))
END`,
  `
CREATE OR REPLACE MACRO parse_bool(s) AS CASE lower(trim_all(s))
  WHEN 'true' THEN true WHEN 'false' THEN false WHEN 't' THEN true WHEN 'f' THEN false
  WHEN 'yes' THEN true WHEN 'no' THEN false WHEN 'y' THEN true WHEN 'n' THEN false
  WHEN '1' THEN true WHEN '0' THEN false
END`,
  `
CREATE OR REPLACE MACRO initcap(s) AS array_to_string(list_transform(
  regexp_extract_all(s, '${SPACE}+|${NO_SPACE}+'),
  lambda word: upper(left(word, 1)) || lower(substr(word, 2))), '')`,
  `CREATE OR REPLACE MACRO sha2(s, bits) AS CASE bits WHEN 256 THEN sha256(s) ELSE error('sha2: only 256 bits') END`,
  `CREATE OR REPLACE MACRO digits_only(s) AS regexp_replace(s, '[^0-9]', '', 'g')`,
  `CREATE OR REPLACE MACRO json_text(json, path) AS json_extract_string(json, path)`,
  `
CREATE OR REPLACE MACRO json_list_text(json, path) AS CASE json_type(json, path)
  WHEN 'ARRAY' THEN nullif(array_to_string(json_extract_string(json, path || '[*]'), ','), '')
  ELSE json_extract_string(json, path)
END`,
  `CREATE OR REPLACE MACRO day_of_week(d) AS CAST(system.main.dayofweek(d) + 1 AS INTEGER)`,
  `CREATE OR REPLACE MACRO day_name(d) AS system.main.dayname(d)`,
  `CREATE OR REPLACE MACRO month_name(d) AS system.main.monthname(d)`,
  `CREATE OR REPLACE MACRO week_of_year(d) AS CAST(system.main.weekofyear(d) AS INTEGER)`,
  `CREATE OR REPLACE MACRO datediff(end_date, start_date) AS CAST(CAST(end_date AS DATE) - CAST(start_date AS DATE) AS INTEGER)`,
  // by way of the microseconds: the same functions on TIMESTAMPTZ go through a calendar and take three times as long
  `CREATE OR REPLACE MACRO utc_date(ts) AS CAST(make_timestamp(epoch_us(ts)) AS DATE)`,
  `CREATE OR REPLACE MACRO utc_hour(ts) AS CAST(system.main.hour(make_timestamp(epoch_us(ts))) AS INTEGER)`,
  `CREATE OR REPLACE MACRO utc_year(ts) AS CAST(system.main.year(make_timestamp(epoch_us(ts))) AS INTEGER)`,
  `CREATE OR REPLACE MACRO utc_month(ts) AS CAST(system.main.month(make_timestamp(epoch_us(ts))) AS INTEGER)`,
  `CREATE OR REPLACE MACRO utc_day(ts) AS CAST(system.main.day(make_timestamp(epoch_us(ts))) AS INTEGER)`,
  `
CREATE OR REPLACE MACRO seconds_between(start_ts, end_ts) AS
  CAST((epoch_us(end_ts) - epoch_us(start_ts)) // 1000000 AS INTEGER)`,
  `
CREATE OR REPLACE MACRO make_date_key(d) AS
  CAST(system.main.year(d) * 10000 + system.main.month(d) * 100 + system.main.day(d) AS INTEGER)`,
  // decimal to decimal rounds half away from zero and, tried, gives NULL where the value does not fit
  `CREATE OR REPLACE MACRO to_money(x) AS TRY_CAST(x AS DECIMAL(18,2))`,
  `CREATE OR REPLACE MACRO to_rate(x) AS TRY_CAST(x AS DECIMAL(9,2))`,
  `CREATE OR REPLACE MACRO fits_money(x) AS (x IS NULL OR TRY_CAST(x AS DECIMAL(18,2)) IS NOT NULL)`,
  `CREATE OR REPLACE MACRO fits_rate(x) AS (x IS NULL OR TRY_CAST(x AS DECIMAL(9,2)) IS NOT NULL)`,
  // below 10^12 in 64 bits: 128-bit division, which a cast of a wide decimal is too, takes many times as long
  `
CREATE OR REPLACE MACRO _small_cents(x) AS
  CAST(TRY_CAST(x AS DECIMAL(14,2)) * CAST(100 AS DECIMAL(3,0)) AS BIGINT)`,
  `
CREATE OR REPLACE MACRO cents(x) AS CASE
  WHEN TRY_CAST(x AS DECIMAL(14,2)) IS NOT NULL THEN CAST(_small_cents(x) AS HUGEINT)
  ELSE CAST(CAST(x AS DECIMAL(38,2)) * 100 AS HUGEINT)
END`,
  `CREATE OR REPLACE MACRO int_div(a, b) AS CASE WHEN b <> 0 THEN a // b END`,
  // arguments are repeated, so each costs as often as it stands here
  `CREATE OR REPLACE MACRO _div_half_away(n, d) AS sign(n) * sign(d) * ((2 * abs(n) + abs(d)) // (2 * abs(d)))`,
  `
CREATE OR REPLACE MACRO _computable(num, den) AS
  abs(CAST(num AS DECIMAL(38,2))) < ${LARGEST_TERM} AND abs(CAST(den AS DECIMAL(38,2))) < ${LARGEST_TERM}`,
  `CREATE OR REPLACE MACRO _money_of_cents(q) AS CAST(TRY_CAST(q AS DECIMAL(18,0)) * 0.01 AS DECIMAL(18,2))`,
  `CREATE OR REPLACE MACRO _rate_of_cents(q) AS CAST(TRY_CAST(q AS DECIMAL(9,0)) * 0.01 AS DECIMAL(9,2))`,
  ...[
    ['money_ratio', '_money_of_cents', 100],
    ['rate_ratio', '_rate_of_cents', 100],
    ['rate_pct', '_rate_of_cents', 10_000],
  ].map(
    ([name, finish, factor]) => `
CREATE OR REPLACE MACRO ${name}(num, den) AS CASE
  WHEN num IS NULL THEN NULL
  WHEN den = 0 THEN 0
  WHEN TRY_CAST(num AS DECIMAL(14,2)) IS NOT NULL AND TRY_CAST(den AS DECIMAL(14,2)) IS NOT NULL
    THEN ${finish}(_div_half_away(_small_cents(num) * ${factor}, _small_cents(den)))
  WHEN _computable(num, den) THEN ${finish}(_div_half_away(cents(num) * ${factor}, cents(den)))
END`,
  ),
  // Both differences are exact integers where they fit, so equal inputs give equal scores in any order of summation
  `
CREATE OR REPLACE MACRO _exact_moments(n, sum_x, sum_x2) AS
  abs(sum_x) < 10000000000000000 AND n < 1000000000 AND sum_x2 < 1000000000000000000000`,
  `
CREATE OR REPLACE MACRO z_spread(n, sum_x, sum_x2) AS CASE
  WHEN _exact_moments(n, sum_x, sum_x2)
    THEN CAST(CAST(sum_x2 * 10000 AS HUGEINT) * n - cents(sum_x) * cents(sum_x) AS DOUBLE)
  ELSE CAST(sum_x2 AS DOUBLE) * n - CAST(sum_x AS DOUBLE) * CAST(sum_x AS DOUBLE)
END`,
  `
CREATE OR REPLACE MACRO z_value(x, n, sum_x, sum_x2, spread) AS CASE
  WHEN x IS NULL OR n IS NULL OR n < 2 OR sum_x IS NULL OR sum_x2 IS NULL THEN 0.0::DOUBLE
  WHEN _exact_moments(n, sum_x, sum_x2)
    THEN _z(CAST(abs(cents(x) * n - cents(sum_x)) AS DOUBLE), CAST(n AS DOUBLE), spread)
  ELSE _z(abs(CAST(x AS DOUBLE) * n - CAST(sum_x AS DOUBLE)), CAST(n AS DOUBLE), spread)
END`,
  `CREATE OR REPLACE MACRO _z(distance, n, spread) AS CASE WHEN spread > 0 THEN distance * sqrt((n - 1) / (n * spread)) ELSE 0.0::DOUBLE END`,
  `CREATE OR REPLACE MACRO z_rate(z) AS TRY_CAST(CAST(z AS DECIMAL(18,6)) AS DECIMAL(9,2))`,
];

/** One CREATE MACRO each, in an order that defines what they use at call time. */
export const preludeStatements: readonly string[] = text.map((statement) => statement.trim());

/** What a table's logic depends on besides its own SQL; part of its digest. */
export const preludeDigestText: string = preludeStatements.join(';\n');
