import { bronzeColumns, type Source } from '#contracts';
import type { Engine } from '#engine';
import type { WithdrawnLoad } from '#releases';
import { countOf } from './count-of.js';
import { REPAIRS } from './lake-schema.js';
import { bindLive, type LiveTable } from './live-table.js';
import { literal, relationOf, workName } from './sql-name.js';

/**
 * Binds `bronze.<source>` as tables are computed from it: without withdrawn loads, and with each repaired record in the
 * place of its original (load, file, row, time and as_of), so that keys and history come out as if it had come so. Of
 * several repairs of one record the latest counts; withdrawn with its load, it gives the place back. Needs
 * `bronze.repairs`. Under another `name`: as it was before some loads.
 */
export async function bindConsidered(
  engine: Engine,
  source: Source,
  live: LiveTable,
  withdrawn: readonly WithdrawnLoad[],
  name = `bronze.${source.name}`,
): Promise<void> {
  const out = withdrawn.filter((load) => load.source === source.name).map(({ load }) => String(load));
  const ofSource = `${relationOf(REPAIRS)} r WHERE r.source = ${literal(source.name)}`;
  const repairs = await countOf(engine, ofSource);
  if (out.length === 0 && repairs === 0) return bindLive(engine, name, live);

  const stored = workName('stored', name.replace('.', '_'));
  const repaired = workName('repaired', name.replace('.', '_'));
  await bindLive(engine, stored, live);
  await engine.stage(repaired, `SELECT * FROM ${standingRepairs(withdrawn)} WHERE source = ${literal(source.name)}`);
  const columns = Object.keys(bronzeColumns(source));
  const atPlace = columns.map((name) => (name in PLACE ? `r.${PLACE[name]} AS ${name}` : `b.${name}`));
  await engine.define(
    name,
    `SELECT ${columns.map((name) => `b.${name}`).join(', ')} FROM ${stored} b
    WHERE ${isNone('b._batch_id', out)}
      AND NOT EXISTS (SELECT 1 FROM ${relationOf(REPAIRS)} r
        WHERE r.source = ${literal(source.name)} AND r._batch_id = b._batch_id)
      AND NOT EXISTS (SELECT 1 FROM ${repaired} r WHERE r.original_load = b._batch_id
        AND r.original_file = b._source_file AND r.original_row = b._source_row)
    UNION ALL
    SELECT ${atPlace.join(', ')} FROM ${stored} b
    JOIN ${repaired} r ON r._batch_id = b._batch_id AND r._source_row = b._source_row`,
  );
}

/** Where a record stands, by the columns of `bronze/repairs` that say where its original stood. */
const PLACE: Readonly<Record<string, string>> = {
  _batch_id: 'original_load',
  _source_file: 'original_file',
  _source_row: 'original_row',
  _source_line: 'original_line',
  _loaded_at: 'original_loaded_at',
  _as_of: 'original_as_of',
};

function isNone(column: string, loads: readonly string[]): string {
  return loads.length === 0 ? 'TRUE' : `${column} NOT IN (${loads.join(', ')})`;
}

/** A query, in brackets, for the rows of `bronze.repairs` that count: of each place the latest whose load and whose original's load do. */
export function standingRepairs(withdrawn: readonly WithdrawnLoad[]): string {
  const isOut = withdrawn.map(
    ({ source, load }) => `(r.source = ${literal(source)} AND (r._batch_id = ${load} OR r.original_load = ${load}))`,
  );
  return `(SELECT * FROM (
    SELECT r.*, row_number() OVER (PARTITION BY r.source, r.original_load, r.original_file, r.original_row
      ORDER BY r._batch_id DESC NULLS LAST, r._source_row DESC NULLS LAST) AS place
    FROM ${relationOf(REPAIRS)} r ${isOut.length === 0 ? '' : `WHERE NOT (${isOut.join(' OR ')})`})
  WHERE place = 1)`;
}

/** The list that a run publishes: the parent's, with what it withdraws and without what it restores. */
export function withdrawnAfter(
  before: readonly WithdrawnLoad[],
  { withdraw = [], restore = [] }: { withdraw?: readonly WithdrawnLoad[]; restore?: readonly WithdrawnLoad[] },
): readonly WithdrawnLoad[] {
  const nameOf = ({ source, load }: WithdrawnLoad) => `${source}/${load}`;
  const all = new Map([...before, ...withdraw].map((load) => [nameOf(load), load]));
  for (const load of restore) all.delete(nameOf(load));
  return [...all.values()].sort(compareLoads);
}

/** The order of a release's list: two lists of the same loads are the same. */
export function compareLoads(a: WithdrawnLoad, b: WithdrawnLoad): number {
  return a.source === b.source ? a.load - b.load : a.source < b.source ? -1 : 1;
}
