import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readProof } from '#pipeline';
import { setReleaseHeaders } from '../edge/answer-headers.js';
import { ParameterReader } from '../edge/parameters.js';
import { Needs } from '../edge/scope.js';
import { sendState } from '../edge/send-json.js';
import { API_SERVICES, type ApiServices } from '../services.js';
import { releaseNumber } from './release-number.js';
import { proofView, releaseSummary, releaseView } from './release-view.js';

/** Each is a record of its own that has to be read. */
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

@Controller('v1/releases')
export class ReleasesController {
  constructor(@Inject(API_SERVICES) private readonly services: ApiServices) {}

  /** Newest first. */
  @Get()
  @Needs('products:read')
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const parameters = new ParameterReader(request.url, ['limit', 'cursor']);
    const limit = parameters.whole('limit', { most: MAX_LIMIT }) ?? DEFAULT_LIMIT;
    const before = parameters.whole('cursor', { most: Number.MAX_SAFE_INTEGER });
    parameters.refuseAny();
    const { releases } = this.services.answers;
    const found = await releases.list({ ...(before === undefined ? {} : { before }), limit: limit + 1 });
    const page = found.slice(0, limit);
    const next_cursor = found.length > limit ? String(page.at(-1)?.number) : null;
    sendState({ data: page.map(releaseSummary), page: { next_cursor } }, request, reply);
  }

  @Get(':release')
  @Needs('products:read')
  async one(@Param('release') text: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const release = await this.services.answers.releaseAt(releaseNumber(text));
    setReleaseHeaders(reply, release, false);
    // the release never changes, what a proof says of it may: nobody keeps this unasked
    const proof = await readProof(this.services.answers.store, release.number);
    const data = { ...releaseView(release), proof: proof === undefined ? null : proofView(proof) };
    sendState({ data }, request, reply);
  }
}
