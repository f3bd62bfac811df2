import type { Engine } from '#engine';

/** A relation as queries name it. In a text or a path the same letters do no harm. */
const RELATION = /\b(?:bronze|silver|gold|quarantine|parsed|valid|measures|work)\.[a-z_][a-z0-9_]*/g;

/**
 * An engine that binds a table, or defines a view, when the first query names it: a run knows of many tables and opens
 * few. A mistake in a definition shows with that query.
 */
export function lazyEngine(engine: Engine): Engine {
  const waiting = new Map<string, () => Promise<void>>();
  const later = (name: string, make: () => Promise<void>): Promise<void> => {
    let made: Promise<void> | undefined;
    const once = (): Promise<void> =>
      (made ??= make().then(() => {
        if (waiting.get(name) === once) waiting.delete(name);
      }));
    waiting.set(name, once);
    return Promise.resolve();
  };
  const need = async (sql: string): Promise<void> => {
    for (const name of new Set(sql.match(RELATION))) await waiting.get(name)?.();
  };
  return {
    name: engine.name,
    bind: (name, table) => later(name, () => engine.bind(name, table)),
    define: (name, sql) =>
      later(name, async () => {
        await need(sql);
        await engine.define(name, sql);
      }),
    async stage(name, sql, signal) {
      await need(sql);
      waiting.delete(name);
      return engine.stage(name, sql, signal);
    },
    async drop(name) {
      waiting.delete(name);
      await engine.drop(name);
    },
    async *stream(sql, parameters, signal) {
      await need(sql);
      yield* engine.stream(sql, parameters, signal);
    },
    async query(sql, parameters, options) {
      await need(sql);
      return engine.query(sql, parameters, options);
    },
    async materialise(sql, target, signal) {
      await need(sql);
      return engine.materialise(sql, target, signal);
    },
    close: () => engine.close(),
  };
}
