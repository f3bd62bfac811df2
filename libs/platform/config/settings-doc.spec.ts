import { readFileSync } from 'node:fs';
import { settingsDoc } from './settings-doc.js';

describe('docs/settings.md', () => {
  it('is what `npm run docs` makes of the schema', () => {
    expect(readFileSync('docs/settings.md', 'utf8')).toBe(settingsDoc());
  });
});
