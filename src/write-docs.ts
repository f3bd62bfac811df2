import { writeFileSync } from 'node:fs';
import { settingsDoc } from '#platform';
import { shopCatalogue } from '#products';
import { printedSchema } from '../apps/api/graphql/schema.js';

// Run in the checkout by `npm run docs`.
writeFileSync('docs/settings.md', settingsDoc());
writeFileSync('docs/schema.graphql', printedSchema(shopCatalogue()));
