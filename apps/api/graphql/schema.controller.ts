import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Needs } from '../edge/scope.js';
import { API_SERVICES, type ApiServices } from '../services.js';
import { printedSchema } from './schema.js';

@Controller('graphql')
export class SchemaController {
  readonly #text: string;

  constructor(@Inject(API_SERVICES) { catalogue }: ApiServices) {
    this.#text = printedSchema(catalogue);
  }

  @Get('schema.graphql')
  @Needs('public')
  @Header('Content-Type', 'application/graphql; charset=utf-8')
  text(): string {
    return this.#text;
  }
}
