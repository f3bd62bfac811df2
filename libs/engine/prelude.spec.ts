import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine } from './duckdb-engine.js';
import type { Value } from './engine.js';

let dir: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'prelude-'));
  engine = await DuckDbEngine.open({ workDir: dir, threads: 1 });
});

afterAll(async () => {
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

/** From a table, not from literals: the planner would fold those, and other code would run. */
async function evaluated(expression: string, texts: readonly (string | null)[]): Promise<readonly Value[]> {
  await engine.stage('work.t', 'SELECT 0 AS i, CAST(NULL AS VARCHAR) AS s WHERE false');
  const rows = texts.map((text, at) => `(${at}, ${text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`})`);
  await engine.stage('work.t', `SELECT * FROM (VALUES ${rows.join(', ')}) t(i, s)`);
  const answers = await engine.query(`SELECT ${expression} AS v FROM work.t ORDER BY i NULLS FIRST`);
  return answers.map((row) => row['v'] ?? null);
}

const golden: Readonly<Record<string, readonly (readonly [string | null, Value])[]>> = {
  'trim_all(s)': [
    [null, null],
    ['', ''],
    ['a', 'a'],
    [' a b ', 'a b'],
    ['\t\r\n a\u00a0\u3000', 'a'],
    ['\u2003é\u2028', 'é'],
    ['a\u00a0b', 'a\u00a0b'],
    [' \t ', ''],
    ['\u200ba', '\u200ba'],
    ['é', 'é'],
  ],
  'parse_id(s)': [
    ['  x1 ', 'x1'],
    ['\u00a0', null],
    ['', null],
    [null, null],
  ],
  'parse_text(s)': [
    [' x ', ' x '],
    [' \t\u00a0 ', null],
    ['', null],
    [null, null],
  ],
  'parse_int(s)': [
    ['3', 3],
    ['+3', 3],
    ['-3', -3],
    ['-0', 0],
    ['007', 7],
    ['3.0', 3],
    ['3.', 3],
    ['3.000', 3],
    [' 3\t', 3],
    ['\u00a03', 3],
    ['2147483647', 2147483647],
    ['-2147483648', -2147483648],
    ['2147483648', null],
    ['2147483647.0', 2147483647],
    ['2147483648.0', null],
    ['2.5', null],
    ['2.50', null],
    ['1_000', null],
    ['1,000', null],
    ['1e3', null],
    ['1E3', null],
    ['0x10', null],
    ['', null],
    [' ', null],
    ['-', null],
    ['+', null],
    ['.0', null],
    ['--3', null],
    ['3 0', null],
    ['true', null],
    ['NaN', null],
    ['inf', null],
    ['３', null],
    ['3-', null],
    [null, null],
    ['0000000000000000000000000000000000000000000003', 3],
    ['0b1', null],
    ['3.0.0', null],
    ['99999999999999999999999999999999999999999999', null],
  ],
  'parse_money(s)': [
    ['12.34', '12.34'],
    ['12', '12.00'],
    ['-12.3', '-12.30'],
    ['+1.5', '1.50'],
    ['1.005', '1.01'],
    ['-1.005', '-1.01'],
    ['1.0049999999999999999999999999999999', '1.00'],
    ['0.004', '0.00'],
    ['-0.004', '0.00'],
    ['-0.005', '-0.01'],
    ['9999999999999999.99', '9999999999999999.99'],
    ['9999999999999999.994', '9999999999999999.99'],
    ['9999999999999999.995', null],
    ['10000000000000000', null],
    ['.5', null],
    ['5.', null],
    ['1e3', null],
    ['1_0.5', null],
    ['1,5', null],
    ['$5', null],
    ['nan', null],
    ['infinity', null],
    [' 7.10 ', '7.10'],
    ['\u00a07.1', '7.10'],
    ['', null],
    [null, null],
    ['1.2.3', null],
    ['- 1', null],
  ],
  'parse_rate(s)': [
    ['9999999.99', '9999999.99'],
    ['9999999.995', null],
    ['10000000', null],
    ['0.125', '0.13'],
  ],
  'parse_weight(s)': [
    ['1.2345', '1.235'],
    ['999999.999', '999999.999'],
    ['1000000', null],
    ['-0.0005', '-0.001'],
  ],
  'parse_date(s)': [
    ['2024-02-29', '2024-02-29'],
    ['2023-02-29', null],
    ['2024-02-31', null],
    ['0001-01-01', '0001-01-01'],
    ['9999-12-31', '9999-12-31'],
    ['0000-01-01', null],
    ['10000-01-01', null],
    ['2024-1-5', null],
    ['20240105', null],
    ['2024/01/05', null],
    ['05.01.2024', null],
    [' 2024-01-05 ', '2024-01-05'],
    ['\u00a02024-01-05', '2024-01-05'],
    ['epoch', null],
    ['infinity', null],
    ['-infinity', null],
    ['today', null],
    ['0044-03-15 (BC)', null],
    ['2024-13-01', null],
    ['2024-00-10', null],
    ['2024-01-00', null],
    ['2024-01-05T23:30:00-02:00', '2024-01-06'],
    ['2024-01-05 10:00', '2024-01-05'],
    ['2024-01-05Z', '2024-01-05'],
    ['2024-01-05+02', '2024-01-04'],
    ['', null],
    [null, null],
    ['-2024-01-05', null],
  ],
  'parse_utc(s)': [
    ['2024-01-05 10:11:12', '2024-01-05T10:11:12Z'],
    ['2024-01-05T10:11:12', '2024-01-05T10:11:12Z'],
    ['2024-01-05T10:11:12Z', '2024-01-05T10:11:12Z'],
    ['2024-01-05T10:11', '2024-01-05T10:11:00Z'],
    ['2024-01-05T10:11Z', '2024-01-05T10:11:00Z'],
    ['2024-01-05', '2024-01-05T00:00:00Z'],
    ['2024-01-05 10:11:12.5', '2024-01-05T10:11:12.5Z'],
    ['2024-01-05 10:11:12.123456', '2024-01-05T10:11:12.123456Z'],
    ['2024-01-05 10:11:12.123456789', '2024-01-05T10:11:12.123456Z'],
    ['2024-01-05 10:11:12.9999999999Z', '2024-01-05T10:11:12.999999Z'],
    ['2024-01-05T10:11:12+02', '2024-01-05T08:11:12Z'],
    ['2024-01-05T10:11:12+0230', '2024-01-05T07:41:12Z'],
    ['2024-01-05T10:11:12+02:30', '2024-01-05T07:41:12Z'],
    ['2024-01-05T10:11:12-02:30', '2024-01-05T12:41:12Z'],
    ['2024-01-05T10:11:12.25-00:30', '2024-01-05T10:41:12.25Z'],
    ['2024-01-05T10:11+01', '2024-01-05T09:11:00Z'],
    ['2024-03-31 02:30:00', '2024-03-31T02:30:00Z'],
    ['2024-01-05T24:00:00', null],
    ['2024-01-05 24:00', null],
    ['2024-01-05T10:60:00', null],
    ['2024-01-05T10:11:60', null],
    ['2024-01-05T1:11:12', null],
    ['2024-01-05T10', null],
    ['2024-01-05  10:11:12', null],
    ['2024-01-05t10:11:12z', null],
    ['2024-01-05T10:11:12 +02', null],
    ['2024-01-05T10:11:12+2', null],
    ['2024-01-05T10:11:12+24', null],
    ['2024-01-05T10:11:12+02:60', null],
    ['2024-01-05T10:11:12 UTC', null],
    ['2024-01-05T10:11:12.', null],
    ['2024-01-05T10:11:12,5', null],
    ['2024-02-31 10:00:00', null],
    ['0000-01-01 00:00:00', null],
    ['10000-01-01 00:00:00', null],
    ['0001-01-01T00:00:00', '0001-01-01T00:00:00Z'],
    ['0001-01-01T00:00:00+01', null],
    ['9999-12-31T23:59:59.999999', '9999-12-31T23:59:59.999999Z'],
    ['9999-12-31T23:59:59-01', null],
    ['infinity', null],
    ['-infinity', null],
    ['epoch', null],
    ['now', null],
    ['0044-03-15 (BC) 10:00:00', null],
    ['1704445872', null],
    ['\t2024-01-05 10:11:12\u00a0', '2024-01-05T10:11:12Z'],
    ['', null],
    [null, null],
  ],
  'parse_bool(s)': [
    ['true', true],
    ['TRUE', true],
    ['t', true],
    ['Yes', true],
    ['y', true],
    ['1', true],
    [' True\t', true],
    ['false', false],
    ['F', false],
    ['no', false],
    ['N', false],
    ['0', false],
    ['on', null],
    ['off', null],
    ['1.0', null],
    ['2', null],
    ['', null],
    ['tr', null],
    ['ja', null],
    [null, null],
  ],
  'initcap(s)': [
    ['hello wORLD', 'Hello World'],
    [' two  spaces ', ' Two  Spaces '],
    ["o-neil d'arc", "O-neil D'arc"],
    ['éCOLE\u00a0ÎLE', 'École\u00a0Île'],
    ['', ''],
    [null, null],
  ],
  'sha2(s, 256)': [
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [null, null],
  ],
  'digits_only(s)': [
    ['+49 (0)170-12', '4901 7012'.replace(' ', '')],
    ['x', ''],
    [null, null],
  ],
  "json_text(s, '$.a')": [
    ['{"a":"x"}', 'x'],
    ['{"a":null}', null],
    ['{}', null],
    ['{"a":12}', '12'],
    ['{"a":true}', 'true'],
    [null, null],
  ],
  "json_list_text(s, '$.a')": [
    ['{"a":["x","y"]}', 'x,y'],
    ['{"a":[]}', null],
    ['{"a":["b",1,true]}', 'b,1,true'],
    ['{"a":"plain"}', 'plain'],
    ['{"a":null}', null],
    ['{}', null],
    [null, null],
  ],
  'day_of_week(parse_date(s))': [
    ['2024-01-07', 1],
    ['2024-01-06', 7],
    [null, null],
  ],
  'day_name(parse_date(s))': [['2024-01-07', 'Sunday']],
  'month_name(parse_date(s))': [['2024-01-07', 'January']],
  'week_of_year(parse_date(s))': [
    ['2024-12-30', 1],
    ['2021-01-03', 53],
  ],
  "datediff(parse_date(s), DATE '2024-01-01')": [
    ['2024-03-01', 60],
    ['2023-12-31', -1],
    [null, null],
  ],
  'utc_hour(parse_utc(s))': [
    ['2024-01-05T23:30:00-02:00', 1],
    ['1969-12-31T23:59:59', 23],
  ],
  'utc_day(parse_utc(s))': [['2024-01-05T23:30:00-02:00', 6]],
  'utc_month(parse_utc(s))': [['2024-12-31T23:30:00-02:00', 1]],
  'utc_year(parse_utc(s))': [['2024-12-31T23:30:00-02:00', 2025]],
  "seconds_between(parse_utc('2024-01-05'), parse_utc(s))": [
    ['2024-01-05T00:01:00.999', 60],
    [null, null],
  ],
  'make_date_key(parse_date(s))': [
    ['2024-01-05', 20240105],
    [null, null],
  ],
  'to_money(CAST(s AS DECIMAL(38,6)))': [
    ['1.005', '1.01'],
    ['-1.005', '-1.01'],
    ['99999999999999999', null],
    [null, null],
  ],
  'fits_rate(CAST(s AS DECIMAL(38,6)))': [
    ['9999999.994999', true],
    ['9999999.995', false],
    [null, true],
  ],
  'fits_money(CAST(s AS DECIMAL(38,6)))': [
    ['9999999999999999.994', true],
    ['9999999999999999.995', false],
    [null, true],
  ],
  'cents(CAST(s AS DECIMAL(38,2)))': [
    ['-12.34', '-1234'],
    ['12345678901234567890123.45', '1234567890123456789012345'],
  ],
  'int_div(CAST(s AS INTEGER), 3)': [
    ['7', 2],
    ['0', 0],
    [null, null],
  ],
};

describe('prelude', () => {
  it.each(Object.entries(golden))('%s answers every spelling as the grammar says', async (expression, cases) => {
    const answers = await evaluated(
      expression,
      cases.map(([text]) => text),
    );
    expect(cases.map(([text], at) => [text, answers[at]])).toEqual(cases);
  });

  it('divides exactly, half away from zero, and gives NULL where the quotient does not fit', async () => {
    const cents = fc.oneof(
      fc.bigInt({ min: -(10n ** 31n), max: 10n ** 31n }),
      fc.bigInt({ min: -100_000n, max: 100_000n }),
      fc.bigInt({ min: -20n, max: 20n }),
    );
    const pairs = fc.sample(fc.tuple(cents, cents), { numRuns: 1500, seed: 7 });
    const rows = pairs.map(
      ([a, b], at) => `(${at}, CAST('${decimalText(a)}' AS DECIMAL(38,2)), CAST('${decimalText(b)}' AS DECIMAL(38,2)))`,
    );
    await engine.stage('work.pairs', `SELECT * FROM (VALUES ${rows.join(', ')}) t(i, a, b)`);
    const answers = await engine.query(
      'SELECT money_ratio(a, b) AS money, rate_ratio(a, b) AS rate, rate_pct(a, b) AS pct FROM work.pairs ORDER BY i NULLS FIRST',
    );
    const expected = pairs.map(([a, b]) => ({
      money: quotient(a * 100n, b, 10n ** 18n),
      rate: quotient(a * 100n, b, 10n ** 9n),
      pct: quotient(a * 10_000n, b, 10n ** 9n),
    }));
    expect(answers).toEqual(expected);
  });

  it('takes sums and counts as the terms of a ratio', async () => {
    expect(
      await engine.query(
        `SELECT money_ratio(CAST(sum(x) AS DECIMAL(38,2)), CAST(count(*) AS INTEGER)) AS avg_x, rate_pct(count(*), 3) AS pct,
           money_ratio(CAST(NULL AS DECIMAL(18,2)), 0) AS unknown
         FROM (VALUES (1.00), (1.01)) t(x)`,
      ),
    ).toEqual([{ avg_x: '1.01', pct: '66.67', unknown: null }]);
  });

  it('scores a value by the sample deviation, 0 where there is none', async () => {
    const scored = async (values: readonly number[], x: number) => {
      const rows = values.map((value) => `(${value}::DECIMAL(18,2))`).join(', ');
      const [row] = await engine.query(
        `SELECT z_value(${x}::DECIMAL(18,2), n, sx, sx2, z_spread(n, sx, sx2)) AS z, z_rate(z_value(${x}::DECIMAL(18,2), n, sx, sx2, z_spread(n, sx, sx2))) AS r FROM (
           SELECT CAST(count(*) AS INTEGER) AS n, CAST(sum(x) AS DECIMAL(38,2)) AS sx, CAST(sum(CAST(x AS DECIMAL(38,2)) * x) AS DECIMAL(38,4)) AS sx2
           FROM (VALUES ${rows}) t(x))`,
      );
      return row;
    };
    expect((await scored([2, 4, 4, 4, 5, 5, 7, 9], 9))?.['z']).toBeCloseTo(4 / Math.sqrt(32 / 7), 12);
    expect(await scored([2, 4, 4, 4, 5, 5, 7, 9], 9)).toMatchObject({ r: '1.87' });
    expect(await scored([5, 5, 5], 5)).toEqual({ z: 0, r: '0.00' });
    expect(await scored([5], 5)).toEqual({ z: 0, r: '0.00' });
    expect((await scored([1e15, 3e15], 3e15))?.['z']).toBeCloseTo(Math.SQRT1_2, 9);
  });
});

function quotient(numerator: bigint, denominator: bigint, limit: bigint): string | null {
  if (denominator === 0n) return '0.00';
  const absolute = (n: bigint) => (n < 0n ? -n : n);
  const whole = (2n * absolute(numerator) + absolute(denominator)) / (2n * absolute(denominator));
  if (whole >= limit) return null;
  return decimalText(numerator < 0n === denominator < 0n ? whole : -whole);
}

function decimalText(cents: bigint): string {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
