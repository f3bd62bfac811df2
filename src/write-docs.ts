import { writeFileSync } from 'node:fs';
import { settingsDoc } from '#platform';

// Run in the checkout by `npm run docs`.
writeFileSync('docs/settings.md', settingsDoc());
