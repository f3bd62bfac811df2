import { Module } from '@nestjs/common';
import { AnswerCache } from '#serving';
import { API_SERVICES, type ApiServices } from '../services.js';
import { AnswersController } from './answers.controller.js';
import { CatalogueController } from './catalogue.controller.js';
import { KeptAnswers } from './kept-answers.js';
import { ProductAnswers } from './product-answers.js';
import { ExplainAnswers } from './explain-answers.js';
import { Products } from './products.js';
import { ProvenanceAnswers } from './provenance-answers.js';
import { ProvenanceController } from './provenance.controller.js';

@Module({
  controllers: [CatalogueController, AnswersController, ProvenanceController],
  providers: [
    { provide: Products, inject: [API_SERVICES], useFactory: ({ catalogue }: ApiServices) => new Products(catalogue) },
    {
      provide: KeptAnswers,
      inject: [API_SERVICES, AnswerCache],
      useFactory: ({ answers }: ApiServices, cache: AnswerCache) => new KeptAnswers(answers, cache),
    },
    {
      provide: ProductAnswers,
      inject: [API_SERVICES, AnswerCache],
      useFactory: ({ answers, catalogue }: ApiServices, cache: AnswerCache) =>
        new ProductAnswers(answers, catalogue, cache),
    },
    {
      provide: ExplainAnswers,
      inject: [API_SERVICES, AnswerCache],
      useFactory: ({ answers, catalogue }: ApiServices, cache: AnswerCache) =>
        new ExplainAnswers(answers, catalogue, cache),
    },
    {
      provide: ProvenanceAnswers,
      inject: [API_SERVICES, AnswerCache],
      useFactory: ({ answers, catalogue }: ApiServices, cache: AnswerCache) =>
        new ProvenanceAnswers(answers, catalogue, cache),
    },
  ],
})
export class ProductsModule {}
