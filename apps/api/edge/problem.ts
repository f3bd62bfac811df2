import { HttpException } from '@nestjs/common';
import { LakeError } from '#errors';
import { QueryError } from '#serving';
import { problemTypes, publicCode } from './problem-type.js';
import { RequestError, type RequestMistake } from './request-error.js';

/** RFC 9457, with our code, mistakes and request id. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly errors?: readonly RequestMistake[];
  readonly request_id: string;
}

/** The one mapping of errors to HTTP. What is not the asker's to mend is told in the log only. */
export function toProblem(error: unknown, instance: string, requestId: string): Problem {
  const { code, detail, mistakes } = explain(error);
  const { status, title } = problemTypes[code] ?? statusOfOthers(error);
  return {
    type: `/problems/${code}`,
    title,
    status,
    detail,
    instance,
    code,
    ...(mistakes === undefined ? {} : { errors: mistakes }),
    request_id: requestId,
  };
}

interface Explained {
  readonly code: string;
  readonly detail: string;
  readonly mistakes?: readonly RequestMistake[];
}

/** Errors of the parts below may name paths and SQL. */
const INTERNAL = /^(contract|delta|engine|load|settings|sql|storage|usage)\.|^serving\.(unreadable|bad_file)$/;

function explain(error: unknown): Explained {
  if (error instanceof LakeError) {
    if (!INTERNAL.test(error.code) && error.kind !== 'corrupt') {
      const mistakes = mistakesOf(error);
      return { code: publicCode(error.code), detail: error.message, ...(mistakes === undefined ? {} : { mistakes }) };
    }
    return described(error.kind === 'unavailable' ? 'unavailable' : 'internal');
  }
  return described(codeOfHttpError(error));
}

function mistakesOf(error: LakeError): readonly RequestMistake[] | undefined {
  if (error instanceof RequestError) return error.mistakes;
  if (!(error instanceof QueryError)) return undefined;
  return error.problems.map((problem) => ({ ...problem, code: publicCode(problem.code) }));
}

function described(code: string): Explained {
  return { code, detail: problemTypes[code]?.description ?? '' };
}

/** What Nest and Fastify throw before a handler of ours runs. */
function codeOfHttpError(error: unknown): string {
  const status = error instanceof HttpException ? error.getStatus() : fastifyStatus(error);
  switch (status) {
    case 404:
      return 'request-not-found';
    case 405:
      return 'request-method';
    case 413:
      return 'request-too-large';
    case 415:
      return 'request-media-type';
    default:
      return status !== undefined && status >= 400 && status < 500 ? 'request-unreadable' : 'internal';
  }
}

function fastifyStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('statusCode' in error)) return undefined;
  const isFastify = typeof error.code === 'string' && error.code.startsWith('FST_');
  return isFastify && typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** A code that no problem type is known for: what its reader does decides. */
function statusOfOthers(error: unknown): { readonly status: number; readonly title: string } {
  switch (error instanceof LakeError ? error.kind : undefined) {
    case 'invalid':
      return { status: 400, title: 'The request is wrong' };
    case 'notFound':
      return { status: 404, title: 'It is not there' };
    case 'forbidden':
      return { status: 403, title: 'It is not allowed' };
    case 'conflict':
      return { status: 409, title: 'It contradicts what is there' };
    case 'unavailable':
      return { status: 503, title: 'It cannot be done now' };
    default:
      return { status: 500, title: 'The server made a mistake' };
  }
}
