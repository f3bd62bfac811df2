import { Body, Controller, Delete, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LakeError } from '#errors';
import {
  countByRule,
  draftRepair,
  findRecords,
  pendingRepairs,
  planReplay,
  redoRepair,
  repairLog,
  showRecord,
  undoRepair,
  type DraftedRepair,
  type ReplayPlan,
  type Workbench,
} from '#pipeline';
import { figuresJson, type RunRequest } from '#platform';
import { ParameterReader } from '../edge/parameters.js';
import { RequestError } from '../edge/request-error.js';
import { Needs } from '../edge/scope.js';
import { sendState } from '../edge/send-json.js';
import { parseIdempotencyKey } from '../runs/parse-run-request.js';
import { API_SERVICES, type ApiServices } from '../services.js';
import {
  changesOf,
  LIST_PARAMETERS,
  parseBody,
  readFilter,
  reasonBody,
  repairBody,
  repairByRuleBody,
  replayBody,
  undoBody,
} from './parse-quarantine.js';
import { QuarantineView } from './quarantine-view.js';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;
const CURSOR = /^[\w-]{1,500}$/;
const MAX_ACTIONS = 1_000;

@Controller('v1/admin/quarantine')
export class QuarantineController {
  constructor(@Inject(API_SERVICES) private readonly services: ApiServices) {}

  @Get()
  @Needs('runs:admin')
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const parameters = new ParameterReader(request.url, LIST_PARAMETERS);
    const filter = readFilter(parameters);
    const limit = parameters.whole('limit', { most: MAX_LIMIT }) ?? DEFAULT_LIMIT;
    const after = parameters.text('cursor', CURSOR);
    parameters.refuseAny();
    if (filter.text !== undefined) refuseWithoutPii(request);
    const view = this.#view(request);
    const answer = await this.#use('parameter', async (bench) => {
      const page = await findRecords(bench, filter, { limit, ...(after === undefined ? {} : { after }) });
      const { total, rules } = await countByRule(bench, filter);
      const pending = new Map(
        (await pendingRepairs(bench)).flatMap(({ id, records }) => records.map((one) => [one.id, id] as const)),
      );
      const data = page.records.map((record) => view.record(record, pending.get(record.id) ?? null));
      return { data, rules, page: { next_cursor: page.next, total } };
    });
    sendState(answer, request, reply);
  }

  /** Repairs that wait to be replayed, and those whose records are no longer as they were. */
  @Get('repairs')
  @Needs('runs:admin')
  async pending(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const { ready, left_out } = await this.#use('pointer', (bench) => planReplay(bench));
    const view = this.#view(request);
    sendState({ data: ready.map((repair) => view.repair(repair)), left_out }, request, reply);
  }

  @Get('audit')
  @Needs('runs:admin')
  async audit(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const parameters = new ParameterReader(request.url, ['limit']);
    const limit = parameters.whole('limit', { most: MAX_ACTIONS }) ?? DEFAULT_LIMIT;
    parameters.refuseAny();
    const actions = await this.#use('pointer', repairLog);
    const view = this.#view(request);
    sendState({ data: actions.slice(0, limit).map((action) => view.action(action)) }, request, reply);
  }

  @Get(':record')
  @Needs('runs:admin')
  async one(@Param('record') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const found = await this.#use('parameter', (bench) => showRecord(bench, id));
    sendState({ data: this.#view(request).details(found) }, request, reply);
  }

  @Post(':record/repair')
  @Needs('runs:admin')
  async repair(
    @Param('record') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const { record, reason, force = false, ...change } = parseBody(repairBody, body);
    const drafted = await this.#use('pointer', (bench) =>
      draftRepair(bench, {
        which: { id },
        changes: changesOf(change),
        ...(record === undefined ? {} : { record: JSON.stringify(record) }),
        by: request.caller.id,
        reason: reason ?? null,
        force,
      }),
    );
    this.#sendDraft(drafted, request, reply);
  }

  /** Every open record that breaks a rule. */
  @Post('repair')
  @Needs('runs:admin')
  async repairByRule(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const { rule, reason, force = false, set, copy, ...rest } = parseBody(repairByRuleBody, body);
    const filter = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    if (rest.text !== undefined) refuseWithoutPii(request);
    const change = { ...(set === undefined ? {} : { set }), ...(copy === undefined ? {} : { copy }) };
    const drafted = await this.#use('pointer', (bench) =>
      draftRepair(bench, {
        which: { rule, filter },
        changes: changesOf(change),
        by: request.caller.id,
        reason: reason ?? null,
        force,
      }),
    );
    this.#sendDraft(drafted, request, reply);
  }

  /** What a replay would do to tables and daily figures; changes nothing. */
  @Post('preview')
  @Needs('runs:admin')
  async preview(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const { repairs } = parseBody(replayBody, body);
    const { ready, left_out, asOf } = await this.#replayPlan(repairs);
    const repairing = { repairs: ready, withdraw: [], restore: [], by: request.caller.id, reason: null };
    const signal = new AbortController().signal;
    const plan = ready.length === 0 ? null : await this.services.quarantine.plan(asOf, repairing, signal);
    const data: unknown = JSON.parse(figuresJson({ repairs: ready.map(({ id }) => id), left_out, plan }));
    sendState({ data }, request, reply);
  }

  /** Queues a run that replays pending repairs: all, or those named. */
  @Post('replay')
  @Needs('runs:admin')
  async replay(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const { repairs: named, reason } = parseBody(replayBody, body);
    const { ready, left_out, asOf } = await this.#replayPlan(named);
    const repairs = ready.map(({ id }) => id);
    if (repairs.length === 0) {
      const [stale] = left_out;
      if (stale !== undefined) throw staleRepairs(stale.repair, left_out);
      const key = parseIdempotencyKey(request.headers['idempotency-key']);
      // the same request may have replayed them already, and its key names that run
      if (named === undefined || key === undefined) return sendState({ data: null, left_out }, request, reply);
    }
    await this.#queue(
      { as_of: asOf, repairs: named ?? repairs, ...(reason === undefined ? {} : { reason }) },
      left_out,
      request,
      reply,
    );
  }

  /** Drops a pending repair, or queues a run that takes a replayed one back. */
  @Post('undo')
  @Needs('runs:admin')
  async undo(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const { repair, reason } = parseBody(undoBody, body);
    const by = request.caller.id;
    const { undone, asOf } = await this.#use('pointer', async (bench) => ({
      undone: await undoRepair(bench, repair, { by, reason: reason ?? null }),
      asOf: bench.release.as_of,
    }));
    if (undone.kind === 'dropped') return sendState({ data: { repair, undone: 'dropped' } }, request, reply);
    await this.#queue(
      { as_of: asOf, withdraw: [undone.load], ...(reason === undefined ? {} : { reason }) },
      [],
      request,
      reply,
    );
  }

  /** Queues a run after which a repair counts again that was undone. */
  @Post('redo')
  @Needs('runs:admin')
  async redo(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const { repair, reason } = parseBody(undoBody, body);
    const { load, asOf } = await this.#use('pointer', async (bench) => ({
      load: await redoRepair(bench, repair),
      asOf: bench.release.as_of,
    }));
    await this.#queue(
      { as_of: asOf, restore: [load], ...(reason === undefined ? {} : { reason }) },
      [],
      request,
      reply,
    );
  }

  /** Drops a pending repair. */
  @Delete('repairs/:repair')
  @Needs('runs:admin')
  async drop(
    @Param('repair') repair: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    new ParameterReader(request.url, []).refuseAny();
    const { reason } = parseBody(reasonBody, body);
    await this.#use('parameter', async (bench) => {
      if (!(await pendingRepairs(bench)).some(({ id }) => id === repair)) {
        const message = `repair '${repair.slice(0, 50)}' is not pending: one that was replayed is undone`;
        throw new LakeError('quarantine.not_pending', 'conflict', message);
      }
      await undoRepair(bench, repair, { by: request.caller.id, reason: reason ?? null });
    });
    sendState({ data: { repair, undone: 'dropped' } }, request, reply);
  }

  #view({ caller }: FastifyRequest): QuarantineView {
    return new QuarantineView(this.services.catalogue, caller.scopes.has('pii:read'));
  }

  #replayPlan(ids: readonly string[] | undefined): Promise<ReplayPlan & { readonly asOf: string }> {
    return this.#use('pointer', async (bench) => ({ ...(await planReplay(bench, ids)), asOf: bench.release.as_of }));
  }

  #sendDraft({ repair, ...drafted }: DraftedRepair, request: FastifyRequest, reply: FastifyReply): void {
    void reply.code(201);
    sendState({ data: { ...this.#view(request).repair(repair), ...drafted } }, request, reply);
  }

  async #queue(
    asked: RunRequest,
    left_out: ReplayPlan['left_out'],
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const key = parseIdempotencyKey(request.headers['idempotency-key']);
    const run = await this.services.runs.request(asked, request.caller.id, key);
    void reply.code(202).header('Location', `/v1/admin/runs/${run.run_id}`);
    sendState({ data: run, left_out }, request, reply);
  }

  /** Mistakes that the workbench finds are told with their place, as those of any request. */
  async #use<T>(place: 'parameter' | 'pointer', work: (bench: Workbench) => Promise<T>): Promise<T> {
    try {
      return await this.services.quarantine.use(work);
    } catch (error) {
      const field = error instanceof LakeError ? error.at['field'] : undefined;
      if (!(error instanceof LakeError) || error.kind !== 'invalid' || typeof field !== 'string') throw error;
      const told = { code: error.code.replace(/^quarantine\./, '').replaceAll('_', '-'), detail: error.message };
      const mistake = place === 'parameter' ? { parameter: field, ...told } : { pointer: `/${field}`, ...told };
      throw new RequestError(error.code, error.kind, error.message, [mistake]);
    }
  }
}

function refuseWithoutPii({ caller }: FastifyRequest): void {
  if (caller.scopes.has('pii:read')) return;
  throw new RequestError('pii_scope_required', 'forbidden', 'Records are searched with the scope pii:read only.', [
    { parameter: 'text', code: 'pii-scope-required', detail: 'records hold personal data' },
  ]);
}

function staleRepairs(first: string, left_out: ReplayPlan['left_out']): LakeError {
  const detail = left_out[0]?.stale[0];
  const message = `the records of ${left_out.map(({ repair }) => repair).join(', ')} are no longer as they were when it was drafted: ${detail?.id}: ${detail?.detail}. Undo ${first}, and draft it again`;
  return new LakeError('quarantine.stale', 'conflict', message);
}
