import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Release } from '#releases';
import { scopeClass, type AnswerCache, type Answers, type CachedAnswer } from '#serving';
import { sendWhole } from '../edge/send-bytes.js';

/** Answers of the newest release, found by the request as it came, without reading what it asks. */
export class KeptAnswers {
  constructor(
    private readonly answers: Answers,
    private readonly cache: AnswerCache,
  ) {}

  /** Answers what was answered before. Comes after the hooks that check host, caller and scope. */
  register(app: FastifyInstance): void {
    app.addHook('onRequest', (request, reply, done) => {
      const { current } = this.answers;
      if (request.routeOptions.config.answersKept !== true || current === undefined) return done();
      const answer = this.cache.find(requestText(request, current));
      if (answer === undefined) return done();
      sendWhole(answer, current, false, request, reply);
    });
  }

  /** Only of the newest release: it is what the same request asks for, as long as it is the newest. */
  remember(request: FastifyRequest, release: Release, answer: CachedAnswer): void {
    const isGet = request.method === 'GET' || request.method === 'HEAD';
    const isNewest = request.headers['x-release'] === undefined && !/[?&](release|cursor)=/.test(request.url);
    if (isGet && isNewest) this.cache.remember(requestText(request, release), answer.etag);
  }
}

function requestText({ caller, headers, url }: FastifyRequest, { number }: Release): string {
  const release = headers['x-release'];
  return [number, String(release ?? ''), scopeClass(caller.scopes), headers.accept ?? '', url].join('\n');
}
