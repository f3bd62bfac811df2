import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Release } from '#releases';
import { ParameterReader } from '../edge/parameters.js';
import { Needs } from '../edge/scope.js';
import { sendOfRelease } from '../edge/send-json.js';
import { API_SERVICES, type ApiServices } from '../services.js';
import { productSummary, productView } from './product-view.js';
import { contractTag, Products } from './products.js';

/** What there is to ask for. Answered without a release too: contracts hold before the first one. */
@Controller('v1/products')
export class CatalogueController {
  constructor(
    private readonly products: Products,
    @Inject(API_SERVICES) private readonly services: ApiServices,
  ) {}

  @Get()
  @Needs('products:read')
  async list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.#send((release) => this.products.all.map((table) => productSummary(table, release)), request, reply);
  }

  @Get(':product')
  @Needs('products:read')
  async one(
    @Param('product') product: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const table = this.products.named(product);
    void reply.header('X-Contract', contractTag(table.contract));
    await this.#send((release) => productView(table, release), request, reply);
  }

  async #send(
    view: (release: Release | undefined) => unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const parameters = new ParameterReader(request.url, ['release']);
    const asked = parameters.release(request.headers['x-release']);
    parameters.refuseAny();
    const { answers } = this.services;
    const isEmpty = asked === undefined && answers.current === undefined;
    const release = isEmpty ? undefined : await answers.releaseAt(asked);
    sendOfRelease({ data: view(release) }, release, parameters.has('release'), request, reply);
  }
}
