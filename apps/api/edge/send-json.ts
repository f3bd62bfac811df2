import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Release } from '#releases';
import { hasAnswer, setReleaseHeaders } from './answer-headers.js';

/** Sends what is true now and of no release: whoever kept it asks whether it still is before it is used again. */
export function sendState(value: unknown, request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('Cache-Control', 'private, no-cache');
  send(value, 'W/', request, reply);
}

/** Sends what follows from a release; of none while there is none. `isPinned`: the URL names the release. */
export function sendOfRelease(
  value: unknown,
  release: Release | undefined,
  isPinned: boolean,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (release === undefined) void reply.header('Cache-Control', 'private');
  else setReleaseHeaders(reply, release, isPinned);
  send(value, '', request, reply);
}

function send(value: unknown, strength: '' | 'W/', request: FastifyRequest, reply: FastifyReply): void {
  const text = JSON.stringify(value);
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
  void reply.header('ETag', `${strength}${etag}`);
  if (hasAnswer(request, etag)) {
    void reply.code(304).send();
    return;
  }
  void reply.header('Content-Type', 'application/json; charset=utf-8').send(text);
}
