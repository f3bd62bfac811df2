import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAX_RECORDS } from '#serving';
import { ParameterReader } from '../edge/parameters.js';
import { Reads } from '../edge/scope.js';
import { acceptedFormat } from './answer-form.js';
import { KeptAnswers } from './kept-answers.js';
import { Products } from './products.js';
import { ProvenanceAnswers } from './provenance-answers.js';
import { askerOf, sendAnswer } from './send-answer.js';

/** What a row follows from. */
@Controller('v1/products/:product')
export class ProvenanceController {
  constructor(
    private readonly products: Products,
    private readonly answers: ProvenanceAnswers,
    private readonly kept: KeptAnswers,
  ) {}

  @Get('rows/:key/provenance')
  @Reads()
  async provenance(
    @Param('product') product: string,
    @Param('key') key: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { contract } = this.products.named(product);
    const parameters = new ParameterReader(request.url, ['limit', 'cursor', 'release']);
    const release = parameters.release(request.headers['x-release']);
    const limit = parameters.whole('limit', { most: MAX_RECORDS });
    const cursor = parameters.text('cursor', /./s);
    parameters.refuseAny();
    acceptedFormat(request.headers.accept, ['json']);
    const made = await this.answers.answer({
      contract,
      key,
      ...(release === undefined ? {} : { release }),
      ...(limit === undefined ? {} : { limit }),
      ...(cursor === undefined ? {} : { cursor }),
      ...askerOf(request, reply),
    });
    if (made.kind === 'whole') this.kept.remember(request, made.release, made.answer);
    await sendAnswer(made, parameters.has('release'), request, reply);
  }
}
