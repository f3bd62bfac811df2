import { LakeError } from '#errors';
import { QueryError, type Problem } from '#serving';
import { toProblem } from '../edge/problem.js';
import { publicCode } from '../edge/problem-type.js';
import type { RequestMistake } from '../edge/request-error.js';
import { camelCase } from './camel-case.js';

/** `extensions.code`. The last two are for what nobody expected, and for what the protocol has a code for already. */
export type DoorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'PII_SCOPE_REQUIRED'
  | 'BAD_USER_INPUT'
  | 'CURSOR_MISMATCH'
  | 'RELEASE_GONE'
  | 'QUERY_TOO_COSTLY'
  | 'QUERY_TOO_DEEP'
  | 'TIMEOUT'
  | 'UNAVAILABLE'
  | 'INTERNAL_SERVER_ERROR';

/** An error as this door shows it. */
export interface DoorError {
  readonly code: DoorCode;
  readonly status: number;
  readonly message: string;
  /** A pointer leads into the field's arguments: `/filter/orderDate/gte`. */
  readonly errors: readonly (RequestMistake | { readonly code: string; readonly detail: string })[];
}

export class TimedOut extends Error {
  constructor(cause: unknown) {
    super('The operation took too long', { cause });
  }
}

export function badInput(pointer: string, code: Problem['code'], detail: string): QueryError {
  return new QueryError('query.invalid', 'invalid', `${pointer}: ${detail}.`, [{ pointer, code, detail }]);
}

/** A mistake in a query that was made from other arguments than `ARGUMENTS` says, with pointers to those. */
export function repointed(error: unknown, toArgument: (pointer: string) => string): unknown {
  if (!(error instanceof QueryError)) return error;
  const problems = error.problems.map((problem) => ({ ...problem, pointer: toArgument(problem.pointer) }));
  return new QueryError(error.code, error.kind, error.message, problems);
}

export function tooCostly(message: string): LakeError {
  return new LakeError('query.too_costly', 'invalid', message);
}

/** Codes of problems that have one of their own here; of the others the status decides. */
const CODES: Readonly<Record<string, DoorCode>> = {
  'pii-scope-required': 'PII_SCOPE_REQUIRED',
  'cursor-mismatch': 'CURSOR_MISMATCH',
  'release-gone': 'RELEASE_GONE',
  'too-many-groups': 'QUERY_TOO_COSTLY',
  'query-too-costly': 'QUERY_TOO_COSTLY',
  'query-too-deep': 'QUERY_TOO_DEEP',
  'serving-timeout': 'TIMEOUT',
};

/** What a caller is told of an error: the same as at the other doors, in our words. */
export function toDoorError(error: unknown, requestId: string): DoorError {
  if (error instanceof TimedOut) {
    const message = 'The operation took too long. Ask for less, or filter more.';
    return { code: 'TIMEOUT', status: 504, message, errors: [] };
  }
  const { code, status, detail, errors } = toProblem(error, '/graphql', requestId);
  if (error instanceof QueryError) return ofQuery(error, CODES[code], status);
  return {
    code: CODES[code] ?? codeOfStatus(status),
    status,
    message: detail,
    errors: errors ?? (status === 500 ? [] : [{ code, detail }]),
  };
}

function codeOfStatus(status: number): DoorCode {
  switch (status) {
    case 401:
      return 'UNAUTHENTICATED';
    case 403:
      return 'FORBIDDEN';
    case 503:
      return 'UNAVAILABLE';
    default:
      return status < 500 ? 'BAD_USER_INPUT' : 'INTERNAL_SERVER_ERROR';
  }
}

function ofQuery({ problems }: QueryError, own: DoorCode | undefined, status: number): DoorError {
  const errors = problems.map(({ pointer, code, detail }) => {
    return { pointer: toArgument(pointer), code: publicCode(code), detail };
  });
  const has = (wanted: Problem['code']) => problems.some(({ code }) => code === wanted);
  const code = own ?? (has('too-deep') ? 'QUERY_TOO_DEEP' : has('too-many') ? 'QUERY_TOO_COSTLY' : 'BAD_USER_INPUT');
  const list = errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; ');
  return { code, status, message: `The field cannot be answered: ${list}.`, errors };
}

const ARGUMENTS: Readonly<Record<string, string>> = {
  where: 'filter',
  sort: 'orderBy',
  limit: 'first',
  cursor: 'after',
  group: 'groupBy',
};

/** A pointer into the JSON of a query as one into the arguments of the field that it was made from. */
function toArgument(pointer: string): string {
  const [, first = '', ...rest] = pointer.split('/');
  const measured = first === 'having' ? /^(sum|avg|min|max|count_distinct)_(.+)$/.exec(rest[0] ?? '') : null;
  const parts = measured === null ? rest : [measured[1] ?? '', measured[2] ?? '', ...rest.slice(1)];
  const named = parts.map((part) => (part === 'null' ? 'isNull' : part.split('.').map(camelCase).join('.')));
  return ['', ARGUMENTS[first] ?? first, ...named].join('/');
}
