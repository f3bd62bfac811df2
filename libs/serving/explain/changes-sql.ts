import type { Catalogue } from '#contracts';
import { toDuckDbType } from '#engine';
import { repairsSql } from '../considered.js';
import type { OpenTables } from '../open-tables.js';
import type { Filter } from '../query.js';
import { quoted, type Bindings } from '../sql.js';
import { amountType, LineSql } from './line-sql.js';
import type { ExplainPlan } from './explain-plan.js';

/** Why a line counts otherwise than before; `rollback`: a load was withdrawn, or restored. */
export type Cause = 'new' | 'late' | 'repair' | 'as_of' | 'rule' | 'rollback';

interface Changes {
  readonly plan: ExplainPlan;
  readonly where: Filter;
  readonly catalogue: Catalogue;
  readonly now: OpenTables;
  readonly before: OpenTables;
  readonly bindings: Bindings;
}

/**
 * Lines that count otherwise in one release than in an earlier one, by cause: `cause, n, amount`. Each line has one
 * cause, by the records behind it in both, so amounts add up to the change exactly.
 */
export function changesSql({ plan, where, catalogue, now, before, bindings }: Changes): string {
  const { grain, beside } = plan;
  const day = dayOf(plan);
  const columns = [
    ...new Set([...(day === undefined ? [] : [day]), ...beside.flatMap(({ on }) => on.map(([, line]) => line))]),
  ];
  const [after, earlier] = [now, before].map((tables) => new LineSql(plan, where, catalogue, tables, bindings));
  const either = columns.map((name) => `coalesce(n.${quoted(name)}, w.${quoted(name)}) AS ${quoted(name)}`);
  const sources = [grain, ...beside].map(({ source }) => source.name);
  const isLate = day === undefined ? 'FALSE' : `CAST(${quoted(day)} AS DATE) < DATE '${before.release.as_of}'`;
  return `WITH is_now AS MATERIALIZED (${after?.counted(columns) ?? ''}), was AS MATERIALIZED (${earlier?.counted(columns) ?? ''}),
    changed AS MATERIALIZED (
      SELECT coalesce(n._line, w._line) AS _line, ${either.map((column) => `${column}, `).join('')}
        coalesce(n._amount, 0) - coalesce(w._amount, 0) AS amount
      FROM is_now n FULL JOIN was w ON n._line = w._line
      WHERE n._line IS NULL OR w._line IS NULL OR n._amount IS DISTINCT FROM w._amount),
    places AS (SELECT *, TRUE AS is_now FROM (${after?.places('changed') ?? ''})
      UNION ALL SELECT *, FALSE FROM (${earlier?.places('changed') ?? ''})),
    mended AS (${sources.map((source) => mendedSql(source, now, before)).join(' UNION ALL ')}),
    evidence AS (
      SELECT p._line, bool_or(m.source IS NOT NULL) AS is_repair, bool_or(${rolledBack(sources, now, before)}) AS is_rollback,
        bool_or(p.is_now AND (${sources.map((source) => `p.source = '${source}' AND p._batch_id > ${before.release.loads[source] ?? 0}`).join(' OR ')})) AS is_fresh
      FROM places p LEFT JOIN mended m
        ON m.source = p.source AND m.at_load = p._batch_id AND m.at_file = p._source_file AND m.at_row = p._source_row
      GROUP BY p._line)
    SELECT cause, count(*) AS n, CAST(sum(amount) AS ${toDuckDbType(amountType(plan))}) AS amount FROM (
      SELECT CASE WHEN is_repair THEN 'repair' WHEN is_rollback THEN 'rollback' WHEN is_fresh AND ${isLate} THEN 'late'
        WHEN is_fresh THEN 'new' ELSE '${otherwise(plan, now, before)}' END AS cause, amount
      FROM changed c LEFT JOIN evidence e ON e._line = c._line)
    GROUP BY cause ORDER BY cause ASC NULLS FIRST`;
}

/** The column that says which day a line is of. */
function dayOf({ lines: { contract } }: ExplainPlan): string | undefined {
  const [first = ''] = contract.sortBy;
  const kind = contract.columns[first]?.type.kind;
  return kind === 'date' || kind === 'timestamp' ? first : undefined;
}

/** Places whose record another one takes, or took. */
function mendedSql(source: string, now: OpenTables, before: OpenTables): string {
  const none = 'SELECT NULL AS at_load, NULL AS at_file, NULL AS at_row, NULL AS by_load, NULL AS by_row WHERE FALSE';
  const of = (tables: OpenTables) => {
    const repairs = repairsSql(tables, source);
    if (repairs === undefined) return none;
    return `SELECT original_load AS at_load, original_file AS at_file, original_row AS at_row, _batch_id AS by_load, _source_row AS by_row FROM ${repairs}`;
  };
  const sides = [now, before].map(of);
  return `SELECT DISTINCT '${source}' AS source, CAST(at_load AS BIGINT) AS at_load, CAST(at_file AS VARCHAR) AS at_file, CAST(at_row AS BIGINT) AS at_row FROM (
    (${sides.join(' EXCEPT ')}) UNION ALL (${sides.reverse().join(' EXCEPT ')}))`;
}

function rolledBack(sources: readonly string[], now: OpenTables, before: OpenTables): string {
  const conditions = sources.flatMap((source) => {
    const [here, there] = [now, before].map(({ release }) => {
      return new Set(release.withdrawn.filter((one) => one.source === source).map(({ load }) => load));
    });
    const differ = [...new Set([...(here ?? []), ...(there ?? [])])].filter(
      (load) => here?.has(load) !== there?.has(load),
    );
    return differ.length === 0 ? [] : [`(p.source = '${source}' AND p._batch_id IN (${differ.join(', ')}))`];
  });
  return conditions.length === 0 ? 'FALSE' : conditions.join(' OR ');
}

/** Of lines whose records are the same: what else a run goes by. */
function otherwise({ tables }: ExplainPlan, now: OpenTables, before: OpenTables): Cause {
  const logicOf = ({ release }: OpenTables) => tables.map((table) => release.tables[table]?.logic ?? '').join();
  if (logicOf(now) !== logicOf(before)) return 'rule';
  return now.release.as_of === before.release.as_of ? 'new' : 'as_of';
}
