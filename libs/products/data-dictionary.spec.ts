import { readFileSync } from 'node:fs';
import { dataDictionary } from '#contracts';
import { shopCatalogue } from './shop-catalogue.js';

describe('docs/data-dictionary.md', () => {
  it('says what the contracts say', () => {
    const written = readFileSync(new URL('../../docs/data-dictionary.md', import.meta.url), 'utf8');
    expect(written).toBe(dataDictionary(shopCatalogue()));
  });
});
