import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LakeError } from '#errors';
import type { Log } from '#platform';
import { toProblem } from './problem.js';

/** Answers whatever was thrown on the way to an answer, in Nest or in Fastify, as a problem. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Log,
    private readonly methodsAt: (url: string) => readonly string[],
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    // GraphQL makes errors of its own kind
    if (host.getType<string>() !== 'http') throw error;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const methods = request.is404 ? this.methodsAt(request.url) : [];
    if (methods.length === 0) return answerProblem(error, request, reply, this.log);
    void reply.header('Allow', methods.join(', '));
    const wrongMethod = new LakeError('request.method', 'invalid', `${request.method} does not work here.`);
    answerProblem(wrongMethod, request, reply, this.log);
  }
}

/** Sends the problem, and logs it if it is not the asker's. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): void {
  const problem = toProblem(error, pathOf(request.url), request.id);
  // an asker who left has stopped the work, which is no failure
  if (problem.status >= 500 && !reply.raw.destroyed) {
    const { code, request_id } = problem;
    const entry = { request_id, code, method: request.method, path: pathOf(request.url) };
    if (problem.status === 500) log.error({ ...entry, err: error }, 'a request failed');
    else log.warn({ ...entry, why: messageOf(error) }, 'a request could not be answered');
  }
  if (reply.sent) return;
  if (problem.status === 503) void reply.header('Retry-After', '5');
  void reply
    .code(problem.status)
    .header('Content-Type', 'application/problem+json; charset=utf-8')
    .header('Cache-Control', 'no-store')
    .send(JSON.stringify(problem));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
