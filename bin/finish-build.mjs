// The last step of a build: what swc leaves out. SQL texts lie beside the code that reads them.
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

for (const path of readdirSync('libs', { recursive: true })) {
  if (!path.endsWith('.sql')) continue;
  const target = join('dist', 'libs', path);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join('libs', path), target);
}
writeFileSync(join('dist', '.built'), '');
