import { Body, Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LakeError } from '#errors';
import { ParameterReader } from '../edge/parameters.js';
import { Needs } from '../edge/scope.js';
import { sendState } from '../edge/send-json.js';
import { API_SERVICES, type ApiServices } from '../services.js';
import { parseIdempotencyKey, parseRunRequest } from './parse-run-request.js';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
/** What a desk gives as the place to go on from: the id of a run. */
const CURSOR = /^[\w.:-]{1,100}$/;
const RUNS = '/v1/admin/runs';

@Controller(RUNS)
export class RunsController {
  constructor(@Inject(API_SERVICES) private readonly services: ApiServices) {}

  @Post()
  @Needs('runs:admin')
  async request(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const asked = parseRunRequest(body, this.services.catalogue);
    const key = parseIdempotencyKey(request.headers['idempotency-key']);
    const run = await this.services.runs.request(asked, request.caller.id, key);
    void reply.code(202).header('Location', `${RUNS}/${run.run_id}`);
    sendState({ data: run }, request, reply);
  }

  /** Newest first. */
  @Get()
  @Needs('runs:admin')
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const parameters = new ParameterReader(request.url, ['limit', 'cursor']);
    const limit = parameters.whole('limit', { most: MAX_LIMIT }) ?? DEFAULT_LIMIT;
    const before = parameters.text('cursor', CURSOR);
    parameters.refuseAny();
    const { runs, next } = await this.services.runs.list({ limit, ...(before === undefined ? {} : { before }) });
    sendState({ data: runs, page: { next_cursor: next } }, request, reply);
  }

  @Get(':run')
  @Needs('runs:admin')
  async one(@Param('run') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const run = await this.services.runs.get(id);
    if (run === undefined) throw new LakeError('run.not_found', 'notFound', 'There is no run of that id.');
    const report = await this.services.runs.report(id);
    sendState({ data: { ...run, report: report ?? null } }, request, reply);
  }

  @Post(':run/cancel')
  @Needs('runs:admin')
  async cancel(@Param('run') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const run = await this.services.runs.cancel(id);
    void reply.code(202);
    sendState({ data: run }, request, reply);
  }
}
