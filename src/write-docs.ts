import { writeFileSync } from 'node:fs';
import { settingsDoc } from '#platform';
import { shopCatalogue } from '#products';
import { openApiDocument } from '../apps/api/docs/openapi-document.js';
import { printedSchema } from '../apps/api/graphql/schema.js';

// Run in the checkout by `npm run docs`.
writeFileSync('docs/settings.md', settingsDoc());
writeFileSync('docs/openapi.json', `${JSON.stringify(openApiDocument(shopCatalogue()), undefined, 1)}\n`);
writeFileSync('docs/schema.graphql', printedSchema(shopCatalogue()));
