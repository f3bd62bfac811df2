// `npm start` with programs that do as the test says, and with little patience.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Secret } from '#platform';
import { launch } from '../../../dist/src/launch.js';

const program = (name) => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));

async function postgres(dataDir, log) {
  const child = fork(program('postgres'), [dataDir], { detached: true, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  log.follow('postgres', 'info', child.stdout);
  const [{ url }] = await once(child, 'message');
  const exited = once(child, 'exit').then(([code, signal]) => signal ?? `exit code ${code}`);
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  return { url: new Secret(url), exited, stop };
}

await launch({
  programs: { api: program('api'), worker: program('worker') },
  postgres,
  patience: { firstWaitMs: 50, mostWaitMs: 400, healthyMs: 60_000, firstStarts: 3 },
});
