import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { LakeError } from '#errors';

/**
 * A port that the api can listen on: the given one, or any for 0. Throws `launcher.port_in_use`, which names another
 * port that is free. `graceMs`: how long a dead api's port may take to become free.
 */
export async function freePort(host: string, port: number, graceMs = 0): Promise<number> {
  for (const untilMs = Date.now() + graceMs; ; await setTimeout(100)) {
    const result = await tryPort(host, port);
    if (typeof result === 'number') return result;
    if (result === 'EADDRINUSE' && Date.now() < untilMs) continue;
    throw await unusable(host, port, result);
  }
}

/** The port that was listened on for a moment, or the code of the error. */
async function tryPort(host: string, port: number): Promise<number | string> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    server.close();
  }
}

async function unusable(host: string, port: number, code: string): Promise<LakeError> {
  const other = await otherPort(host, port);
  const instead = `PORT=${other} npm start`;
  if (code === 'EADDRINUSE')
    return new LakeError(
      'launcher.port_in_use',
      'conflict',
      `port ${port} of ${host} is in use by another program: stop it, or take another port: ${instead}`,
    );
  if (code === 'EACCES')
    return new LakeError(
      'launcher.port_refused',
      'forbidden',
      `this user may not listen on port ${port}: take another one: ${instead}`,
    );
  return new LakeError(
    'launcher.port_refused',
    'unavailable',
    `nothing can listen on port ${port} of ${host} (${code}): set HOST and PORT to an address of this machine`,
  );
}

/** The next free port, for a person to type. */
async function otherPort(host: string, port: number): Promise<number> {
  const first = Math.max(port + 1, 3001);
  for (let other = first; other < Math.min(first + 20, 65_536); other++)
    if ((await tryPort(host, other)) === other) return other;
  return 0;
}
