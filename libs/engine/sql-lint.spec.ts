import { lintSql } from './sql-lint.js';

const cases: readonly (readonly [rule: string, red: readonly string[], green: readonly string[]])[] = [
  ['no-double', ['CAST(x AS DOUBLE)', 'CAST(x AS real)'], ['CAST(x AS DECIMAL(18,2))', "'double'", '-- double\n 1']],
  ['no-division', ['a / b', 'a // b'], ["'a/b'", '/* a / b */ 1', 'int_div(a, b)']],
  ['no-average', ['avg(x)', 'stddev_samp(x)', 'median(x)'], ['avg_value', 'money_ratio(sum(x), count(x))']],
  ['no-try-cast', ['TRY_CAST(x AS INTEGER)', 'x::INTEGER'], ['CAST(count(*) AS INTEGER)', ':as_of']],
  [
    'no-text-cast',
    [
      'CAST(trim(x) AS INTEGER)',
      'CAST(t.x AS DATE)',
      'CAST(x AS TIMESTAMP)',
      "CAST(json_text(r, '$.a') AS DECIMAL(18,2))",
      'CAST(days * 1.5 AS INTEGER)',
    ],
    [
      'CAST(count(*) AS INTEGER)',
      'CAST(sum(x) AS DECIMAL(38,2))',
      "CAST('2024-01-01' AS DATE)",
      'CAST(x AS STRING)',
      'CAST(floor(days * 1.5) AS INTEGER)',
      'CAST(quantity AS DECIMAL(38,2))',
    ],
  ],
  [
    'null-order',
    [
      'SELECT x FROM t ORDER BY x',
      'row_number() OVER (PARTITION BY a ORDER BY b DESC, c NULLS LAST)',
      'sum(x) OVER (ORDER BY a ROWS UNBOUNDED PRECEDING)',
      "string_agg(x, ',' ORDER BY x)",
    ],
    [
      'SELECT x FROM t ORDER BY x NULLS FIRST LIMIT 1',
      'row_number() OVER (ORDER BY f(a, b) DESC NULLS LAST, c ASC NULLS FIRST)',
      'sum(x) OVER (ORDER BY a NULLS FIRST ROWS UNBOUNDED PRECEDING)',
      "string_agg(x, ',' ORDER BY x NULLS FIRST)",
    ],
  ],
  ['no-array', ['array_agg(x)', 'list(x)'], ['list_price', "string_agg(x, ',')"]],
  [
    'no-null-concat',
    ["a || 'x'", "'x' || a", "concat('a', b)", "concat(coalesce(a, ''), b)"],
    ["coalesce(a, '') || 'x'", "concat('a', coalesce(b, f(c, d)))", "concat_ws('-', a, b)"],
  ],
  ['no-index', ['a[1]', 'f(x)[0]'], ["'[0-9]'", "regexp_matches(x, '[a]')"]],
  ['no-quoted-name', ['SELECT "x"', 'SELECT `x`'], ["SELECT 'x'", `'say "x"'`]],
  ['no-backslash', [String.raw`regexp_matches(x, '\d')`], ["'/'", "'[0-9]'"]],
  [
    'timestamp-zone',
    ["TIMESTAMP '2024-01-01 00:00:00'", "TIMESTAMP '2024-01-01'"],
    ["TIMESTAMP '2024-01-01 00:00:00Z'", "DATE '2024-01-01'"],
  ],
  ['no-clock', ['current_date', 'now()', 'random()', 'current_timestamp'], [':as_of', 'now_at', "'now()'"]],
];

describe('lintSql', () => {
  it.each(cases.flatMap(([rule, red]) => red.map((sql) => [rule, sql] as const)))('%s refuses %s', (rule, sql) => {
    expect(lintSql('t.sql', sql)).toContainEqual(expect.objectContaining({ file: 't.sql', rule }));
  });

  it.each(cases.flatMap(([rule, , green]) => green.map((sql) => [rule, sql] as const)))(
    '%s allows %s',
    (_rule, sql) => {
      expect(lintSql('t.sql', sql)).toEqual([]);
    },
  );

  it('names the line, also after comments and texts of several lines', () => {
    const sql = "SELECT 'a\nb' AS t, /* x\n / y */ 1\n  -- avg(x)\n  , avg(x) AS m\nFROM t";
    expect(lintSql('gold/x/transform.sql', sql)).toEqual([
      expect.objectContaining({ file: 'gold/x/transform.sql', line: 5, rule: 'no-average' }),
    ]);
  });
});
