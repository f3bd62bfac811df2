// Writes docs/data-dictionary.md from the built contracts; run in the checkout after `npm run build`.
import { writeFileSync } from 'node:fs';
import { dataDictionary } from '../dist/libs/contracts/index.js';
import { shopCatalogue } from '../dist/libs/products/index.js';

writeFileSync(new URL('../docs/data-dictionary.md', import.meta.url), dataDictionary(shopCatalogue()));
