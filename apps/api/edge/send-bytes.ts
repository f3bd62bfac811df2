import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Release } from '#releases';
import { hasAnswer, setReleaseHeaders } from './answer-headers.js';

/** An answer as it goes over the wire. */
export interface Bytes {
  /** Quoted; weak ones begin with `W/`. */
  readonly etag: string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

/** Sends an answer, or 304 to who has it. */
export function sendBytes(
  { etag, contentType, headers, body }: Bytes,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  void reply.header('ETag', etag);
  if (hasAnswer(request, etag.replace(/^W\//, ''))) {
    void reply.code(304).send();
    return;
  }
  void reply.headers(headers).header('Content-Type', contentType).send(body);
}

/** The same of an answer from a release. `isPinned`: the URL names the release. */
export function sendWhole(
  answer: Bytes,
  release: Release,
  isPinned: boolean,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  setReleaseHeaders(reply, release, isPinned);
  sendBytes(answer, request, reply);
}
