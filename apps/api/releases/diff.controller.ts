import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LakeError } from '#errors';
import { figuresJson } from '#platform';
import { AnswerCache, strongEtag } from '#serving';
import { ParameterReader } from '../edge/parameters.js';
import { Needs } from '../edge/scope.js';
import { hasAnswer, setReleaseHeaders } from '../edge/answer-headers.js';
import { sendBytes } from '../edge/send-bytes.js';
import { API_SERVICES, type ApiServices } from '../services.js';
import { releaseNumber } from './release-number.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
/** Raised when the same two releases get other bytes than before. */
const FORM_VERSION = 1;

@Controller('v1/releases')
export class DiffController {
  constructor(
    @Inject(API_SERVICES) private readonly services: ApiServices,
    private readonly cache: AnswerCache,
  ) {}

  /** Both releases are in the URL, so the answer never changes. Days are paged; tables and causes are of all. */
  @Get(':release/diff/:other')
  @Needs('products:read')
  async diff(
    @Param('release') from: string,
    @Param('other') to: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const parameters = new ParameterReader(request.url, ['limit', 'cursor']);
    const limit = parameters.whole('limit', { most: MAX_LIMIT }) ?? DEFAULT_LIMIT;
    const cursor = parameters.text('cursor', /^\d{1,15}-\d{1,15}-\d{1,15}$/);
    parameters.refuseAny();
    const { answers, diffs } = this.services;
    const before = await answers.releaseAt(releaseNumber(from));
    const after = await answers.releaseAt(releaseNumber(to));
    const offset = offsetOf(cursor, `${before.number}-${after.number}-`);
    const etag = strongEtag(JSON.stringify([FORM_VERSION, before.nonce, after.nonce, limit, offset]));
    setReleaseHeaders(reply, after, true);
    const form = { etag, contentType: 'application/json; charset=utf-8', headers: {} };
    // Who has it need not wait for it to be made.
    if (hasAnswer(request, etag)) return sendBytes({ ...form, body: '' }, request, reply);
    const known = this.cache.get(etag);
    if (known !== undefined) return sendBytes(known, request, reply);
    const { tables, daily } = await diffs.between(before, after, { limit, offset });
    const end = offset + (daily?.days.length ?? 0);
    const next_cursor = end < (daily?.total ?? 0) ? `${before.number}-${after.number}-${end}` : null;
    const data = { before: before.number, after: after.number, tables, daily: daily ?? null };
    const answer = { ...form, body: Buffer.from(figuresJson({ data, page: { next_cursor } })) };
    this.cache.set(answer);
    sendBytes(answer, request, reply);
  }
}

function offsetOf(cursor: string | undefined, prefix: string): number {
  if (cursor === undefined) return 0;
  if (cursor.startsWith(prefix)) return Number(cursor.slice(prefix.length));
  const message = 'The cursor belongs to a comparison of other releases: begin without it.';
  throw new LakeError('cursor-mismatch', 'invalid', message, { at: { field: 'cursor' } });
}
