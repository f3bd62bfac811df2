import { afterClosing, isSymbol, isWord, openingOf, sqlTokens, type SqlToken } from './sql-token.js';

export interface LintFinding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/**
 * What means different things on DuckDB and Spark, or loses digits in silence, is refused in the SQL of tables. The
 * prelude is exempt: it is where each engine does it right.
 */
export function lintSql(file: string, text: string): readonly LintFinding[] {
  const tokens = sqlTokens(text);
  return tokens.flatMap((token, at) =>
    rules.flatMap(({ rule, find }) => {
      const message = find(tokens, at);
      return message === undefined ? [] : [{ file, line: token.line, rule, message }];
    }),
  );
}

/** A rule looks at one place and says what is wrong there. */
interface Rule {
  readonly rule: string;
  readonly find: (tokens: readonly SqlToken[], at: number) => string | undefined;
}

const BINARY_FRACTIONS = ['double', 'float', 'real', 'float4', 'float8'];
const AVERAGES = /^(avg|mean|stddev\w*|std|variance|var_\w+|median|percentile\w*|quantile\w*)$/;
const LISTS = /^(array_agg|list|collect_list|collect_set)$/;
const CLOCK_WORDS = ['current_date', 'current_timestamp', 'current_time', 'localtimestamp', 'localtime'];
const CLOCK_CALLS = /^(now|today|getdate|get_current_timestamp|random|rand|uuid|gen_random_uuid)$/;
const NON_TEXT = /^(date|timestamp\w*|time|tinyint|smallint|int|integer|bigint|long|hugeint|decimal|numeric|boolean)$/;
const INSTANTS = /^(date|timestamp\w*|time)$/;
const WHOLE = /^(tinyint|smallint|int|integer|bigint|long)$/;
const TEXT_CALLS =
  /^(trim|ltrim|rtrim|trim_all|lower|upper|initcap|substr|substring|left|right|split_part|replace|translate|regexp_\w+|concat|concat_ws|lpad|rpad|digits_only|json_\w+|parse_text|parse_id)$/;
const ROUNDING = ['floor', 'ceil', 'ceiling', 'round'];
const NEVER_NULL = ['coalesce', 'concat_ws'];
const END_OF_ORDER = [
  'rows',
  'range',
  'groups',
  'limit',
  'offset',
  'union',
  'intersect',
  'except',
  'qualify',
  'window',
];

const rules: readonly Rule[] = [
  {
    rule: 'no-double',
    find: (tokens, at) =>
      isWord(tokens[at], ...BINARY_FRACTIONS)
        ? 'binary fractions round differently in each engine: use DECIMAL, or the ratio functions'
        : undefined,
  },
  {
    rule: 'no-division',
    find: (tokens, at) =>
      isSymbol(tokens[at], '/') || isSymbol(tokens[at], '//')
        ? 'division gives DOUBLE in DuckDB and DECIMAL in Spark: use money_ratio, rate_ratio, rate_pct or int_div'
        : undefined,
  },
  {
    rule: 'no-average',
    find: (tokens, at) =>
      isCall(tokens, at, AVERAGES)
        ? 'averages and deviations go through DOUBLE: use money_ratio(sum, count) or z_value'
        : undefined,
  },
  {
    rule: 'no-try-cast',
    find: (tokens, at) =>
      isCall(tokens, at, /^try_cast$/) || isSymbol(tokens[at], '::')
        ? 'TRY_CAST hides bad data and :: is not portable: use the parse_ functions, or CAST'
        : undefined,
  },
  { rule: 'no-text-cast', find: castFinding },
  { rule: 'null-order', find: orderFinding },
  {
    rule: 'no-array',
    find: (tokens, at) =>
      isCall(tokens, at, LISTS)
        ? 'array_agg keeps NULL in DuckDB and drops it in Spark: use string_agg or a join'
        : undefined,
  },
  { rule: 'no-null-concat', find: concatFinding },
  {
    rule: 'no-index',
    find: (tokens, at) => {
      const before = tokens[at - 1];
      const indexed =
        before?.kind === 'word' || before?.kind === 'quoted' || isSymbol(before, ')') || isSymbol(before, ']');
      return isSymbol(tokens[at], '[') && indexed
        ? 'an index counts from 1 in DuckDB and from 0 in Spark: use json_text or split_part'
        : undefined;
    },
  },
  {
    rule: 'no-quoted-name',
    find: (tokens, at) =>
      tokens[at]?.kind === 'quoted'
        ? `${tokens[at].text} is a name in DuckDB and text in Spark: rename it, or write text in single quotes`
        : undefined,
  },
  {
    rule: 'no-backslash',
    find: (tokens, at) =>
      tokens[at]?.kind === 'text' && tokens[at].text.includes('\\')
        ? 'a backslash in text is an escape in Spark only: use a character class such as [0-9]'
        : undefined,
  },
  {
    rule: 'timestamp-zone',
    find: (tokens, at) => {
      const literal = tokens[at + 1];
      if (!isWord(tokens[at], 'timestamp', 'timestamptz') || literal?.kind !== 'text') return undefined;
      return /(Z|[+-]\d\d(:?\d\d)?)'$/.test(literal.text) && literal.text.length > 13
        ? undefined
        : 'a timestamp literal needs its zone: end it in Z';
    },
  },
  {
    rule: 'no-clock',
    find: (tokens, at) =>
      isWord(tokens[at], ...CLOCK_WORDS) || isCall(tokens, at, CLOCK_CALLS)
        ? 'the same input must give the same rows: use :as_of'
        : undefined,
  },
];

function isCall(tokens: readonly SqlToken[], at: number, name: RegExp): boolean {
  const token = tokens[at];
  return token?.kind === 'word' && name.test(token.text) && isSymbol(tokens[at + 1], '(');
}

function castFinding(tokens: readonly SqlToken[], at: number): string | undefined {
  if (!isCall(tokens, at, /^cast$/)) return undefined;
  const inside = tokens.slice(at + 2, afterClosing(tokens, at + 1) - 1);
  const as = lastTopLevelWord(inside, 'as');
  const type = inside[as + 1]?.text ?? '';
  const operand = inside.slice(0, as);
  if (as < 0 || !NON_TEXT.test(type)) return undefined;
  if (operand.some((_, index) => isCall(operand, index, TEXT_CALLS))) {
    return `text is read as ${type} by the parse_ functions only: casts of the engines accept different spellings`;
  }
  if (INSTANTS.test(type) && operand.every((token) => token.kind === 'word' || isSymbol(token, '.'))) {
    return `CAST to ${type} depends on the column's type and the session's zone: use utc_date, parse_date or parse_utc`;
  }
  const fraction = operand.some((token) => token.kind === 'number' && token.text.includes('.'));
  if (WHOLE.test(type) && fraction && !isWord(operand[0], ...ROUNDING)) {
    return 'CAST of a fraction to an integer rounds in DuckDB and cuts in Spark: say floor or round';
  }
  return undefined;
}

function lastTopLevelWord(tokens: readonly SqlToken[], word: string): number {
  let depth = 0;
  let found = -1;
  tokens.forEach((token, at) => {
    if (isSymbol(token, '(')) depth++;
    if (isSymbol(token, ')')) depth--;
    if (depth === 0 && isWord(token, word)) found = at;
  });
  return found;
}

function orderFinding(tokens: readonly SqlToken[], at: number): string | undefined {
  if (!isWord(tokens[at], 'order') || !isWord(tokens[at + 1], 'by')) return undefined;
  let depth = 0;
  let saysNulls = false;
  for (let index = at + 2; ; index++) {
    const token = tokens[index];
    if (isSymbol(token, '(')) depth++;
    const closes = isSymbol(token, ')') && --depth < 0;
    const ends =
      token === undefined || closes || (depth === 0 && (isSymbol(token, ';') || isWord(token, ...END_OF_ORDER)));
    if (ends || (depth === 0 && isSymbol(token, ','))) {
      if (!saysNulls) return 'engines put NULL at different ends: say NULLS FIRST or NULLS LAST for every item';
      saysNulls = false;
    }
    if (ends) return undefined;
    if (depth === 0 && isWord(token, 'nulls') && isWord(tokens[index + 1], 'first', 'last')) saysNulls = true;
  }
}

function concatFinding(tokens: readonly SqlToken[], at: number): string | undefined {
  const message = 'NULL is skipped by DuckDB and swallows the whole in Spark: wrap it in coalesce, or use concat_ws';
  if (isSymbol(tokens[at], '||'))
    return neverNullBefore(tokens, at) && neverNullAt(tokens, at + 1) ? undefined : message;
  if (!isCall(tokens, at, /^concat$/)) return undefined;
  const end = afterClosing(tokens, at + 1) - 1;
  let depth = 0;
  for (let index = at + 1; index < end; index++) {
    if (isSymbol(tokens[index], ')')) depth--;
    const startsArgument = (depth === 1 && isSymbol(tokens[index], ',')) || index === at + 1;
    if (isSymbol(tokens[index], '(')) depth++;
    if (startsArgument && !neverNullAt(tokens, index + 1)) return message;
  }
  return undefined;
}

function neverNullAt(tokens: readonly SqlToken[], at: number): boolean {
  return tokens[at]?.kind === 'text' || (isWord(tokens[at], ...NEVER_NULL) && isSymbol(tokens[at + 1], '('));
}

function neverNullBefore(tokens: readonly SqlToken[], at: number): boolean {
  const before = tokens[at - 1];
  if (before?.kind === 'text') return true;
  if (!isSymbol(before, ')')) return false;
  return isWord(tokens[openingOf(tokens, at - 1) - 1], ...NEVER_NULL);
}
