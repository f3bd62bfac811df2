import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Catalogue } from '#contracts';
import { openApiDocument } from './openapi-document.js';

/** Swagger UI at /docs, its document at /docs-json. Whoever opens the address alone is shown the way. */
export function serveDocs(app: NestFastifyApplication, catalogue: Catalogue): void {
  // its types are those of OpenAPI 3.0, where a type has one name
  const document = openApiDocument(catalogue) as unknown as OpenAPIObject;
  app
    .getHttpAdapter()
    .getInstance()
    .get('/', { config: { scope: 'public' } }, (_, reply) => reply.redirect('/docs'));
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'docs-json', raw: ['json'] });
}
