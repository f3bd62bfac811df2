import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Release } from '#releases';

const made = new WeakMap<Release, Readonly<Record<string, string>>>();

/** What every answer from a release says of it. `X-Complete-Until` is a dictionary (RFC 9651) by source. */
function releaseHeaders(release: Release): Readonly<Record<string, string>> {
  const known = made.get(release);
  if (known !== undefined) return known;
  const completeUntil = Object.entries(release.complete_until)
    .flatMap(([source, until]) => (until === null ? [] : [`${source}="${until}"`]))
    .join(', ');
  const headers = {
    'X-Release': String(release.number),
    'X-Data-As-Of': release.as_of,
    ...(completeUntil === '' ? {} : { 'X-Complete-Until': completeUntil }),
    Vary: 'Accept, Accept-Encoding, Authorization, X-Release',
  };
  made.set(release, headers);
  return headers;
}

/** `isPinned`: the URL names the release, so its answer never changes. */
export function setReleaseHeaders(reply: FastifyReply, release: Release, isPinned: boolean): void {
  void reply.headers(releaseHeaders(release));
  void reply.header('Cache-Control', isPinned ? 'private, immutable' : 'private');
}

/** Whether `If-None-Match` names the ETag. Weak comparison, as RFC 9110 asks for it. */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((part) => part.trim().replace(/^W\//, '') === etag);
}

/** Whether whoever asks has an answer that was found. `*` is any, so there has to be one before this is asked. */
export function hasAnswer({ method, headers }: FastifyRequest, etag: string): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const ifNoneMatch = headers['if-none-match'];
  return ifNoneMatch?.trim() === '*' || matches(ifNoneMatch, etag);
}
