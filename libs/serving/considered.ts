import { bronzeColumns, type Source } from '#contracts';
import { assert } from '#errors';
import type { OpenTables } from './open-tables.js';

const REPAIRS = 'bronze/repairs';

/** Where a record stands, by the columns of `bronze/repairs` that say where its original stood. */
const PLACE: Readonly<Record<string, string>> = {
  _batch_id: 'original_load',
  _source_file: 'original_file',
  _source_row: 'original_row',
  _source_line: 'original_line',
  _loaded_at: 'original_loaded_at',
  _as_of: 'original_as_of',
};

/**
 * The bronze records of a source that tables are computed from, as SQL to select from: none of withdrawn loads, and a
 * repaired record in the place of its original.
 */
export function consideredSql({ relationOf, release }: OpenTables, source: Source): string {
  const stored = relationOf(`bronze/${source.name}`);
  assert(stored !== undefined, `the release has the records of ${source.name}`);
  const counts = isCounted(release.withdrawn, source.name);
  const repaired = repairsSql({ relationOf, release }, source.name);
  if (repaired === undefined)
    return counts('b') === 'TRUE' ? stored : `(SELECT * FROM ${stored} b WHERE ${counts('b')})`;
  const columns = Object.keys(bronzeColumns(source));
  const atPlace = columns.map((name) => (name in PLACE ? `r.${PLACE[name]} AS ${name}` : `b.${name}`));
  return `(SELECT ${columns.map((name) => `b.${name}`).join(', ')} FROM ${stored} b
    ANTI JOIN ${relationOf(REPAIRS) ?? ''} l ON l.source = '${source.name}' AND l._batch_id = b._batch_id
    ANTI JOIN ${repaired} o ON o.original_load = b._batch_id AND o.original_file = b._source_file
      AND o.original_row = b._source_row
    WHERE ${counts('b')}
    UNION ALL
    SELECT ${atPlace.join(', ')} FROM ${stored} b
    JOIN ${repaired} r ON r._batch_id = b._batch_id AND r._source_row = b._source_row)`;
}

/** The repairs of a source's records that count, the latest of each original; undefined where there is none. */
export function repairsSql(
  { relationOf, release }: Pick<OpenTables, 'relationOf' | 'release'>,
  source: string,
): string | undefined {
  const repairs = relationOf(REPAIRS);
  if (repairs === undefined || (release.tables[REPAIRS]?.rows ?? 0) === 0) return undefined;
  const counts = isCounted(release.withdrawn, source);
  return `(SELECT * EXCLUDE (place) FROM (
      SELECT *, row_number() OVER (PARTITION BY original_load, original_file, original_row
        ORDER BY _batch_id DESC NULLS LAST, _source_row DESC NULLS LAST) AS place
      FROM ${repairs} r WHERE r.source = '${source}' AND ${counts('r')}
        AND ${counts('r', 'original_load')})
    WHERE place = 1)`;
}

/** A condition that a row's load is not withdrawn. */
function isCounted(withdrawn: OpenTables['release']['withdrawn'], source: string) {
  const loads = withdrawn.filter((load) => load.source === source).map(({ load }) => String(load));
  return (alias: string, column = '_batch_id') =>
    loads.length === 0 ? 'TRUE' : `${alias}.${column} NOT IN (${loads.join(', ')})`;
}
