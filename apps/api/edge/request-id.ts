import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The id that the asker gave, if it can stand in a log, or a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID();
}
