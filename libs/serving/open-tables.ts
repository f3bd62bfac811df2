import { sqlName } from '#contracts';
import type { Engine } from '#engine';
import type { Release, WithdrawnLoad } from '#releases';

/** Tables of one release, open for statements. */
export interface OpenTables {
  /** What a table's rows are selected from, as SQL; undefined where the release has no such table. */
  readonly relationOf: (table: string) => string | undefined;
  /** Loads whose bronze records are no input to anything. */
  readonly withdrawn: readonly WithdrawnLoad[];
  readonly query: Engine['query'];
}

/** Those of an engine that has all tables of a release bound under their names. */
export function boundTables(engine: Pick<Engine, 'query'>, { tables, withdrawn }: Release): OpenTables {
  return {
    relationOf: (table) => (Object.hasOwn(tables, table) ? sqlName(table) : undefined),
    withdrawn,
    query: (sql, parameters, options) => engine.query(sql, parameters, options),
  };
}
