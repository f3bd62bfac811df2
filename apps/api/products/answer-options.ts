import { askedRelease } from '../edge/asked-release.js';
import { invalidRequest, type RequestMistake } from '../edge/request-error.js';
import { acceptedFormat, formats, notAcceptable, type Format } from './answer-form.js';
import { isCondition } from './rest-query.js';
import type { Parameter } from '../edge/parameters.js';

/** How an answer is wanted, beside the query. */
export interface AnswerOptions {
  readonly release?: number;
  /** The URL names the release, and not only a header. */
  readonly isPinned: boolean;
  readonly format: Format;
  readonly decimals: 'number' | 'string';
  readonly excel: boolean;
  readonly count: boolean;
}

const optionNames = ['release', 'format', 'decimals', 'excel', 'count'] as const;
const rowsNames = ['select', 'sort', 'limit', 'cursor', 'filter'];

/** What the URL of each kind of question may hold. */
export const parameterNames = {
  rows: [...rowsNames, ...optionNames],
  row: ['select', 'release', 'decimals', 'format'],
  query: [...optionNames],
  explain: ['measure', 'filter', 'release', 'decimals', 'format'],
  aggregate: ['group', 'measure', 'having', 'sort', 'limit', 'cursor', 'filter', ...optionNames],
} as const;

export type Question = keyof typeof parameterNames;

interface AskedHeaders {
  readonly accept?: string | undefined;
  readonly 'x-release'?: string | string[] | undefined;
}

/** Takes the options out of the parameters; what is left is the query's. Throws `request.invalid`, `request.not_acceptable`. */
export function takeOptions(
  parameters: readonly Parameter[],
  headers: AskedHeaders,
  question: Question,
): { readonly options: AnswerOptions; readonly rest: readonly Parameter[] } {
  const mistakes: RequestMistake[] = [];
  const known: readonly string[] = parameterNames[question];
  const given = new Map<string, string>();
  const rest: Parameter[] = [];
  for (const parameter of parameters) {
    const { name, value } = parameter;
    const plain = isCondition(name) ? name.slice(0, name.indexOf('[')) : name;
    if (!known.includes(plain) || ((plain === 'filter' || plain === 'having') && plain === name)) {
      mistakes.push({ parameter: name, code: 'unknown-parameter', detail: `there are ${spelled(known)}` });
    } else if (single.has(plain) && given.has(plain)) {
      mistakes.push({ parameter: name, code: 'duplicate', detail: 'expected once' });
    } else {
      given.set(plain, value);
      if (!isOption(plain)) rest.push(parameter);
    }
  }
  const read = new OptionReader(given, mistakes);
  const release = askedRelease({ parameter: given.get('release'), header: headers['x-release'] }, mistakes);
  const options = {
    ...(release === undefined ? {} : { release }),
    isPinned: given.has('release'),
    format: read.format(headers.accept, question === 'row' || question === 'explain' ? ['json'] : formats),
    decimals: read.choice('decimals', ['number', 'string']),
    excel: read.choice('excel', ['false', 'true']) === 'true',
    count: read.choice('count', ['false', 'true']) === 'true',
  };
  if (mistakes.length > 0) throw invalidRequest(mistakes);
  return { options, rest };
}

const single = new Set<string>([...optionNames, 'limit', 'cursor']);

function isOption(name: string): boolean {
  return (optionNames as readonly string[]).includes(name);
}

function spelled(names: readonly string[]): string {
  return names
    .map((name) => {
      if (name === 'filter') return 'filter[column][operator]';
      return name === 'having' ? 'having[name][operator]' : name;
    })
    .join(', ');
}

class OptionReader {
  constructor(
    private readonly given: ReadonlyMap<string, string>,
    private readonly mistakes: RequestMistake[],
  ) {}

  /** One of the choices; the first unless given. */
  choice<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const value = this.given.get(name);
    const found = choices.find((choice) => choice === value);
    if (value !== undefined && found === undefined) {
      this.mistakes.push({ parameter: name, code: 'wrong-type', detail: `expected ${choices.join(' or ')}` });
    }
    return found ?? choices[0];
  }

  format(accept: string | undefined, offered: readonly [Format, ...Format[]]): Format {
    const value = this.given.get('format');
    if (value === undefined) return acceptedFormat(accept, offered);
    if (value === 'parquet' || value === 'arrow') throw notAcceptable();
    return this.choice('format', offered);
  }
}
