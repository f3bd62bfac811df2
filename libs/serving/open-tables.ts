import { sqlName } from '#contracts';
import type { Engine } from '#engine';
import type { Release } from '#releases';

/** Tables of one release, open for statements. */
export interface OpenTables {
  /** What a table's rows are selected from, as SQL; undefined where the release has no such table. */
  readonly relationOf: (table: string) => string | undefined;
  readonly release: Release;
  readonly query: Engine['query'];
}

/** Those of an engine that has all tables of a release bound under their names. */
export function boundTables(engine: Pick<Engine, 'query'>, release: Release): OpenTables {
  return {
    relationOf: (table) => (Object.hasOwn(release.tables, table) ? sqlName(table) : undefined),
    release,
    query: (sql, parameters, options) => engine.query(sql, parameters, options),
  };
}
