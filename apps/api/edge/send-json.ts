import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Release } from '#releases';
import { strongEtag } from '#serving';
import { setReleaseHeaders } from './answer-headers.js';
import { sendBytes } from './send-bytes.js';

/** Sends what is true now and of no release: whoever kept it asks whether it still is before it is used again. */
export function sendState(value: unknown, request: FastifyRequest, reply: FastifyReply): void {
  sendStateText(JSON.stringify(value), request, reply);
}

/** The same of JSON that is text already. */
export function sendStateText(body: string, request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('Cache-Control', 'private, no-cache');
  sendText(body, 'W/', request, reply);
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
  sendText(JSON.stringify(value), strength, request, reply);
}

function sendText(body: string, strength: '' | 'W/', request: FastifyRequest, reply: FastifyReply): void {
  const etag = `${strength}${strongEtag(body)}`;
  sendBytes({ etag, contentType: 'application/json; charset=utf-8', headers: {}, body }, request, reply);
}
