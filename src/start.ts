import { fileURLToPath } from 'node:url';
import { launch } from './launch.js';
import { embeddedPostgres } from './launcher/embedded-postgres.js';

const program = (app: string) => fileURLToPath(new URL(`../apps/${app}/main.js`, import.meta.url));

await launch({
  programs: { api: program('api'), worker: program('worker') },
  postgres: embeddedPostgres,
  patience: { firstWaitMs: 1_000, mostWaitMs: 30_000, healthyMs: 60_000, firstStarts: 3 },
});
