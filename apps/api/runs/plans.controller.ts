import { Body, Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LakeError } from '#errors';
import type { PlanView } from '#platform';
import { ParameterReader } from '../edge/parameters.js';
import { Needs } from '../edge/scope.js';
import { sendStateText } from '../edge/send-json.js';
import { API_SERVICES, type ApiServices } from '../services.js';
import { parseRunRequest } from './parse-run-request.js';

/** Who asks for a plan gets it if it is made so soon, else a place to fetch it from. */
const WAIT_MS = 30_000;

@Controller('v1/admin')
export class PlansController {
  constructor(@Inject(API_SERVICES) private readonly services: ApiServices) {}

  /** The body is that of a run. A worker makes the plan. */
  @Post('plan')
  @Needs('runs:admin')
  async plan(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const asked = parseRunRequest(body, this.services.catalogue);
    const view = await this.services.plans.request(asked, WAIT_MS);
    void reply.code(view.state === 'waiting' ? 202 : 200).header('Location', `/v1/admin/plans/${view.plan_id}`);
    sendStateText(toText(view), request, reply);
  }

  @Get('plans/:plan')
  @Needs('runs:admin')
  async one(@Param('plan') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const view = await this.services.plans.get(id);
    if (view === undefined) {
      throw new LakeError('plan.not_found', 'notFound', 'There is no plan of that id; plans are kept for an hour.');
    }
    sendStateText(toText(view), request, reply);
  }
}

/** The plan is JSON already, with decimals of all their digits. */
function toText({ plan, ...view }: PlanView): string {
  return `{"data":${JSON.stringify(view).slice(0, -1)},"plan":${plan ?? 'null'}}}`;
}
