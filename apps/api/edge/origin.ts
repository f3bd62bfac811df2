import type { FastifyInstance } from 'fastify';
import { LakeError } from '#errors';
import { isLoopback } from '#platform';

/** `Host` values that were found to be ours; there are few, and none of a stranger's is kept. */
const MAX_KNOWN = 100;

/**
 * Refuses requests for another host (a name that somebody pointed at this address) and requests from pages of another
 * origin: whoever is on this machine may do everything, but not the pages that they look at.
 */
export function guardOrigin(app: FastifyInstance, publicUrl: string | undefined): void {
  const own = publicUrl === undefined ? undefined : new URL(publicUrl);
  const known = new Set<string>();
  app.addHook('onRequest', (request, _reply, done) => {
    const { host, origin } = request.headers;
    if (host === undefined || !(known.has(host) || isOurs(host, own))) {
      const name = host === undefined ? 'no host' : JSON.stringify(host.slice(0, 100));
      return done(
        new LakeError(
          'request.misdirected',
          'invalid',
          `This server does not answer for ${name}: ask for localhost or SHOPSMART_PUBLIC_URL.`,
        ),
      );
    }
    if (known.size < MAX_KNOWN) known.add(host);
    if (origin === undefined || origin === `http://${host}` || origin === own?.origin) return done();
    done(new LakeError('request.cross_origin', 'forbidden', 'Pages of another origin may not ask.'));
  });
}

function isOurs(host: string, own: URL | undefined): boolean {
  const url = `http://${host}`;
  // a host is a name and a port: nothing that could change what follows it in a URL
  if (/[/?#@\\\s]/.test(host) || !URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return isLoopback(hostname.replace(/^\[|\]$/g, '')) || hostname === own?.hostname;
}
