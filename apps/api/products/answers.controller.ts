import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { whereKey } from '#serving';
import { Needs, Reads } from '../edge/scope.js';
import { takeOptions, type Question } from './answer-options.js';
import { ExplainAnswers } from './explain-answers.js';
import { KeptAnswers } from './kept-answers.js';
import { parseParameters } from '../edge/parameters.js';
import { ProductAnswers, type Ask } from './product-answers.js';
import { Products } from './products.js';
import { toQuery } from './rest-query.js';
import { askerOf, sendAnswer } from './send-answer.js';

/** Rows, a row, groups: questions about one product. */
@Controller('v1/products/:product')
export class AnswersController {
  constructor(
    private readonly products: Products,
    private readonly answers: ProductAnswers,
    private readonly explanations: ExplainAnswers,
    private readonly kept: KeptAnswers,
  ) {}

  @Get('rows')
  @Reads()
  rows(@Param('product') product: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.#byUrl('rows', product, request, reply);
  }

  @Get('aggregate')
  @Reads()
  aggregate(@Param('product') product: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.#byUrl('aggregate', product, request, reply);
  }

  @Get('explain')
  @Reads()
  async explain(
    @Param('product') product: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { contract } = this.products.named(product);
    const { options, rest } = takeOptions(parseParameters(request.url), request.headers, 'explain');
    const { json, toRequestError } = toQuery(rest);
    const asked = { measures: [], ...json };
    const made = await this.explanations
      .answer({ contract, json: asked, options, ...askerOf(request, reply) })
      .catch((error: unknown) => {
        throw toRequestError(error);
      });
    if (made.kind === 'whole') this.kept.remember(request, made.release, made.answer);
    await sendAnswer(made, options.isPinned, request, reply);
  }

  @Get('rows/:key')
  @Reads()
  row(
    @Param('product') product: string,
    @Param('key') key: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.#byUrl('row', product, request, reply, key);
  }

  @Post('query')
  @HttpCode(200)
  @Needs('products:read')
  async query(
    @Param('product') product: string,
    @Body() json: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { contract } = this.products.named(product);
    const { options } = takeOptions(parseParameters(request.url), request.headers, 'query');
    await this.#answer({ contract, json, shape: 'rows', options }, request, reply);
  }

  async #byUrl(
    question: Exclude<Question, 'query' | 'explain'>,
    product: string,
    request: FastifyRequest,
    reply: FastifyReply,
    key = '',
  ): Promise<void> {
    const { contract } = this.products.named(product);
    const { options, rest } = takeOptions(parseParameters(request.url), request.headers, question);
    const { json, toRequestError } = toQuery(rest, question === 'row' ? 'key' : 'filter');
    try {
      const asked =
        question === 'rows'
          ? json
          : question === 'row'
            ? { ...json, where: whereKey(key, contract) }
            : { measures: [], ...json };
      const shape = question === 'row' ? 'row' : 'rows';
      await this.#answer({ contract, json: asked, shape, options }, request, reply);
    } catch (error) {
      throw toRequestError(error);
    }
  }

  async #answer(
    ask: Pick<Ask, 'contract' | 'json' | 'shape' | 'options'>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const made = await this.answers.answer({ ...ask, ...askerOf(request, reply) });
    if (made.kind === 'whole') this.kept.remember(request, made.release, made.answer);
    await sendAnswer(made, ask.options.isPinned, request, reply);
  }
}
