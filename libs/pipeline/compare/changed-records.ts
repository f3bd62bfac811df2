import { assert } from '#errors';
import { REPAIRS } from '../lake-schema.js';
import { literal } from '../sql-name.js';
import { logicCause } from './cause.js';
import type { Comparison } from './comparison.js';

/**
 * Stages the records of a silver table that say something else, wherever they stand now: `change` (as `scoreSql` takes it), and
 * `before_<column>`, `after_<column>` of the columns. Of records that are the same and only came again, nothing follows.
 */
export async function stageChangedRecords(
  comparison: Comparison,
  table: string,
  columns: readonly string[],
): Promise<string> {
  const { before, after } = comparison;
  const contract = comparison.contract(table);
  assert('source' in contract && typeof contract.source === 'string', `${table} holds records of a source`);
  const { source } = contract;
  const repaired = await stageRepaired(comparison, table, source);
  const from = await comparison.bind('before', table, 'own');
  const to = await comparison.bind('after', table, 'own');
  const both = new Set((await comparison.state('before', table)).schema.map(({ name }) => name));
  const says = Object.keys(contract.columns)
    .filter((name) => both.has(name) && !contract.key.includes(name))
    .map((name) => `a.${name} IS DISTINCT FROM b.${name}`);
  const moved = withdrawnOrRestored(comparison, source);
  const isMoved = (side: string) => (moved.length === 0 ? 'FALSE' : `${side}._batch_id IN (${moved.join(', ')})`);
  const isRepaired = (side: string) =>
    `EXISTS (SELECT 1 FROM ${repaired} r WHERE r.original_load = ${side}._batch_id
      AND r.original_file = ${side}._source_file AND r.original_row = ${side}._source_row)`;
  const here = (relation: string) => `(SELECT *, TRUE AS _there FROM ${relation})`;
  return comparison.stage(
    'records',
    table,
    `SELECT ${columns.map((name) => `b.${name} AS before_${name}, a.${name} AS after_${name}`).join(', ')},
      CASE
        WHEN ${isRepaired('b')} OR ${isRepaired('a')} THEN 'repair'
        WHEN a._batch_id > ${String(before.loads[source] ?? 0)} THEN CASE WHEN b._there IS NULL THEN 'new_key' ELSE 'new' END
        WHEN ${isMoved('b')} OR ${isMoved('a')} THEN 'withdrawn'
        ELSE ${literal(logicCause([table], before, after))}
      END AS change
    FROM ${here(from)} b
    FULL JOIN ${here(to)} a ON ${contract.key.map((name) => `a.${name} = b.${name}`).join(' AND ')}
    WHERE a._there IS NULL OR b._there IS NULL OR ${says.join(' OR ') || 'FALSE'}`,
  );
}

/** Places whose record is another one, because a repair came or went; a repaired record stands in the place of its original. */
async function stageRepaired(comparison: Comparison, table: string, source: string): Promise<string> {
  const repairs = async (side: 'before' | 'after') => {
    const relation = await comparison.bind(side, REPAIRS, 'all');
    const out = comparison[side].withdrawn.filter((load) => load.source === source).map(({ load }) => String(load));
    const isIn = out.length === 0 ? 'TRUE' : `_batch_id NOT IN (${out.join(', ')})`;
    return `(SELECT original_load, original_file, original_row, max(concat_ws('/', repair, _source_row)) AS repair
      FROM ${relation} WHERE source = ${literal(source)} AND ${isIn}
      GROUP BY original_load, original_file, original_row)`;
  };
  const place = ['original_load', 'original_file', 'original_row'];
  return comparison.stage(
    'repaired',
    table,
    `SELECT ${place.join(', ')} FROM ${await repairs('before')} b FULL JOIN ${await repairs('after')} a
      USING (${place.join(', ')}) WHERE a.repair IS DISTINCT FROM b.repair`,
  );
}

function withdrawnOrRestored({ before, after }: Comparison, source: string): readonly string[] {
  const loads = (withdrawn: typeof before.withdrawn) =>
    new Set(withdrawn.filter((load) => load.source === source).map(({ load }) => String(load)));
  const [out, then] = [loads(before.withdrawn), loads(after.withdrawn)];
  return [...new Set([...out, ...then])].filter((load) => out.has(load) !== then.has(load));
}
