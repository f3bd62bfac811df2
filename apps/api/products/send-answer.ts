import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasAnswer, matches, setReleaseHeaders } from '../edge/answer-headers.js';
import { sendWhole } from '../edge/send-bytes.js';
import type { Ask, Reply } from './product-answers.js';

/** What of an `Ask` the request says by itself: who asks, what they have, and whether they are still there. */
export function askerOf(request: FastifyRequest, reply: FastifyReply): Pick<Ask, 'scopes' | 'has' | 'signal'> {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  const isSafe = request.method === 'GET' || request.method === 'HEAD';
  return {
    scopes: request.caller.scopes,
    has: (etag) => isSafe && matches(request.headers['if-none-match'], etag),
    signal: left.signal,
  };
}

/** `isPinned`: the URL names the release. */
export async function sendAnswer(
  made: Reply,
  isPinned: boolean,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (made.kind === 'whole') return sendWhole(made.answer, made.release, isPinned, request, reply);
  setReleaseHeaders(reply, made.release, isPinned);
  void reply.header('ETag', made.etag);
  if (made.kind === 'unchanged' || hasAnswer(request, made.etag)) {
    if (made.kind === 'stream') await made.close();
    void reply.code(304).send();
    return;
  }
  void reply.headers(made.headers).header('Content-Type', made.contentType);
  if (request.method === 'HEAD') {
    await made.close();
    // of no length: how long the answer is shows when it has been written
    void reply.send(Readable.from([]));
    return;
  }
  reply.raw.once('close', () => void made.close());
  void reply.send(Readable.from(made.text));
}
