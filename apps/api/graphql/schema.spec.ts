import { readFileSync } from 'node:fs';
import { shopCatalogue } from '#products';
import { printedSchema } from './schema.js';

it('docs/schema.graphql is the schema as served: run `npm run docs`', () => {
  expect(readFileSync('docs/schema.graphql', 'utf8') === printedSchema(shopCatalogue())).toBe(true);
});
