// Starts the launcher as npm does, and can be killed as npm can.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const start = fileURLToPath(new URL('start.mjs', import.meta.url));
spawn(process.execPath, [start], { stdio: 'inherit', env: { ...process.env, npm_lifecycle_event: 'start' } });
