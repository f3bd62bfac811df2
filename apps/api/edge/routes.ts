import type { FastifyInstance } from 'fastify';

/** Remembers which methods each path has, so that a wrong one is told from a wrong path. */
export class Routes {
  readonly #methods = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      const found = this.#methods.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
      for (const name of [method].flat()) found.methods.add(name);
      this.#methods.set(url, found);
    });
  }

  /** The methods that work at a URL; none if nothing is there. */
  methodsAt(url: string): readonly string[] {
    const path = url.split('?', 1)[0] ?? url;
    const found = [...this.#methods.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
  }
}

/** `/v1/products/:name/rows` as an expression; a parameter is not empty. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${parts.join('/')}$`);
}
