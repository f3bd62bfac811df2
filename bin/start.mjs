// `npm start`: installs and builds what is missing, then hands over to src/start.ts.
import { prepare } from './prepare.mjs';

try {
  await prepare();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
// `npm start -- --prepare-only` leaves it at that.
if (!process.argv.includes('--prepare-only')) await import('../dist/src/start.js');
