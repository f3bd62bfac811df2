import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { assert, LakeError } from '#errors';
import type { Scope } from './caller.js';

/** What a caller must hold for a route; `public` routes tell nothing of the shop. */
export type RouteScope = Scope | 'public';

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: RouteScope;
    /** Its answers are kept and given again without asking the handler. */
    answersKept?: boolean;
  }
}

/** The scope that a route of a controller needs. */
export const Needs = (scope: RouteScope) => RouteConfig({ scope });

/** A route that answers questions about products: the same question of the same release has the same answer. */
export const Reads = () => RouteConfig({ scope: 'products:read', answersKept: true });

/** Routes that packages register, by the beginning of their path. */
const packageRoutes: readonly { readonly path: string; readonly scope: RouteScope }[] = [
  { path: '/docs', scope: 'public' },
  { path: '/graphql', scope: 'products:read' },
];

/** Checks every request against its route's scope. An app with a route that declares none does not start. */
export function guardScopes(app: FastifyInstance): void {
  const undeclared = new Set<string>();
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope ?? packageRoutes.find(({ path }) => route.url.startsWith(path))?.scope;
    if (scope === undefined) undeclared.add(route.url);
    else route.config = { ...route.config, scope };
  });
  app.addHook('onReady', (done) => {
    const routes = [...undeclared].join(', ');
    done(undeclared.size === 0 ? undefined : new Error(`routes without a scope: ${routes}. Declare one with @Needs`));
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.is404) return done();
    const { scope } = request.routeOptions.config;
    assert(scope !== undefined, 'the app started, so every route has a scope');
    if (scope === 'public' || request.caller.scopes.has(scope)) return done();
    done(new LakeError('request.scope_required', 'forbidden', `This needs the scope ${scope}.`));
  });
}
