export const scopes = [
  'products:read',
  'pii:read',
  'events:write',
  'alerts:write',
  'runs:admin',
  'keys:admin',
  'metrics:read',
] as const;

export type Scope = (typeof scopes)[number];

/** Who asks. Checks look at the scopes alone, so keys change only where a caller comes from. */
export interface Caller {
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler runs. */
    caller: Caller;
  }
}

/** Everybody who reaches a loopback address, until there are keys. */
export const localCaller: Caller = { id: 'local', scopes: new Set(scopes) };
