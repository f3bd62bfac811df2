import { inputTables, type Catalogue } from '#contracts';
import { toDuckDbType } from '#engine';
import { assert } from '#errors';
import { repairsSql } from '../considered.js';
import type { OpenTables } from '../open-tables.js';
import type { Filter } from '../query.js';
import { quoted, type Bindings } from '../sql.js';
import { amountType, LineSql } from './line-sql.js';
import type { ExplainPlan, OfSource } from './explain-plan.js';

/**
 * Why a line counts otherwise than before, as `shopsmart diff` says it. `late`: a record of a new key, for a day that was
 * over. `new`: any other record that came since. `withdrawn`: a load was withdrawn, or restored. `rule`, `as_of`: its
 * records are the same.
 */
export type Cause = (typeof CAUSES)[number];

/** The first of them explains a line that several would. */
const CAUSES = ['repair', 'withdrawn', 'late', 'new', 'rule', 'as_of'] as const;

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
  const { grain, beside, each } = plan;
  const day = dayOf(plan);
  const on = beside.flatMap((input) => input.on.map(([, line]) => line));
  const columns = [...new Set([...(day === undefined ? [] : [day]), ...on])];
  const [after, earlier] = [now, before].map((tables) =>
    new LineSql(plan, where, catalogue, tables, bindings).counted(columns),
  );
  const sides = columns.flatMap((name) => [
    `n.${quoted(name)} AS ${quoted(`n_${name}`)}`,
    `w.${quoted(name)} AS ${quoted(`w_${name}`)}`,
  ]);
  const otherwise = logicCause(plan, catalogue, now, before);
  const records = [
    { of: grain, lines: [`r.${quoted(each.key)} = d._line`] },
    ...beside.map((input) => ({
      of: input,
      lines: ['n_', 'w_'].map((side) =>
        input.on.map(([own, line]) => `r.${quoted(own)} = d.${quoted(`${side}${line}`)}`).join(' AND '),
      ),
    })),
  ];
  const changed = records.map(({ of, lines }, n) => {
    const keys = lines.map((line) => `SELECT r.* FROM r SEMI JOIN changed d ON ${line}`).join(' UNION ');
    return `records_${n} AS MATERIALIZED (${recordsSql(of, keys, otherwise, now, before)})`;
  });
  const evidence = records.flatMap(({ lines }, n) =>
    lines.map(
      (line) =>
        `SELECT d._line, r.change, ${lateSql(plan, day, before)} AS is_late FROM changed d JOIN records_${n} r ON ${line}`,
    ),
  );
  const ranked = CAUSES.map((cause, n) => `WHEN '${cause}' THEN ${n}`).join(' ');
  const named = CAUSES.map((cause, n) => `WHEN ${n} THEN '${cause}'`).join(' ');
  return `WITH is_now AS MATERIALIZED (${after ?? ''}), was AS MATERIALIZED (${earlier ?? ''}),
    changed AS MATERIALIZED (
      SELECT coalesce(n._line, w._line) AS _line, ${sides.map((column) => `${column}, `).join('')}
        coalesce(n._amount, 0) - coalesce(w._amount, 0) AS amount
      FROM is_now n FULL JOIN was w ON n._line = w._line
      WHERE n._line IS NULL OR w._line IS NULL OR n._amount IS DISTINCT FROM w._amount),
    ${changed.join(',\n')},
    ranked AS (
      SELECT _line, min(CASE CASE WHEN change <> 'new_key' THEN change WHEN is_late THEN 'late' ELSE 'new' END ${ranked} END) AS place
      FROM (${evidence.join(' UNION ALL ')}) GROUP BY _line)
    SELECT cause, count(*) AS n, CAST(sum(amount) AS ${toDuckDbType(amountType(plan))}) AS amount FROM (
      SELECT CASE e.place ${named} ELSE '${otherwise}' END AS cause, amount
      FROM changed c LEFT JOIN ranked e ON e._line = c._line)
    GROUP BY cause ORDER BY cause ASC NULLS FIRST`;
}

/** Rows of a silver table that say something else than before, and `change`. `keys`: those of `r` that are looked at. */
function recordsSql(
  { definition: { contract }, source }: OfSource,
  keys: string,
  otherwise: Cause,
  now: OpenTables,
  before: OpenTables,
): string {
  const relation = (tables: OpenTables) => {
    const found = tables.relationOf(contract.name);
    assert(found !== undefined, `${contract.name} is in the release`);
    return `(WITH r AS (SELECT *, TRUE AS _there FROM ${found}) ${keys})`;
  };
  const columns = Object.keys(contract.columns);
  const says = columns
    .filter((name) => !contract.key.includes(name))
    .map((name) => `a.${quoted(name)} IS DISTINCT FROM b.${quoted(name)}`);
  const mended = mendedSql(source.name, now, before);
  const isMended = (side: string) =>
    mended === undefined
      ? 'FALSE'
      : `EXISTS (SELECT 1 FROM ${mended} m WHERE m.original_load = ${side}._batch_id AND m.original_file = ${side}._source_file AND m.original_row = ${side}._source_row)`;
  const moved = movedLoads(source.name, now, before);
  const isMoved = (side: string) => (moved.length === 0 ? 'FALSE' : `${side}._batch_id IN (${moved.join(', ')})`);
  return `SELECT ${columns.map((name) => `coalesce(a.${quoted(name)}, b.${quoted(name)}) AS ${quoted(name)}`).join(', ')},
      CASE WHEN ${isMended('b')} OR ${isMended('a')} THEN 'repair'
        WHEN a._batch_id > ${before.release.loads[source.name] ?? 0} THEN CASE WHEN b._there IS NULL THEN 'new_key' ELSE 'new' END
        WHEN ${isMoved('b')} OR ${isMoved('a')} THEN 'withdrawn'
        ELSE '${otherwise}' END AS change
    FROM ${relation(before)} b FULL JOIN ${relation(now)} a
      ON ${contract.key.map((name) => `a.${quoted(name)} = b.${quoted(name)}`).join(' AND ')}
    WHERE a._there IS NULL OR b._there IS NULL OR ${says.join(' OR ') || 'FALSE'}`;
}

/** The column that says which day a line is of. */
function dayOf({ lines: { contract } }: ExplainPlan): string | undefined {
  const [first = ''] = contract.sortBy;
  const kind = contract.columns[first]?.type.kind;
  return kind === 'date' || kind === 'timestamp' ? first : undefined;
}

/** Whether the line's day was over: before the newest that had lines and was no day to come. */
function lateSql(
  { lines: { contract } }: ExplainPlan,
  day: string | undefined,
  { relationOf, release }: OpenTables,
): string {
  if (day === undefined) return 'FALSE';
  const name = quoted(day);
  const asOf = `DATE '${release.as_of}'`;
  const newest = `SELECT max(CAST(${name} AS DATE)) FROM ${relationOf(contract.name) ?? ''} WHERE CAST(${name} AS DATE) <= ${asOf}`;
  return `CAST(coalesce(d.${quoted(`n_${day}`)}, d.${quoted(`w_${day}`)}) AS DATE) < coalesce((${newest}), ${asOf})`;
}

/** Places whose record is another one, because a repair came or went; undefined where there are no repairs. */
function mendedSql(source: string, now: OpenTables, before: OpenTables): string | undefined {
  const sides = [now, before].flatMap((tables) => {
    const repairs = repairsSql(tables, source);
    return repairs === undefined
      ? []
      : [`SELECT original_load, original_file, original_row, repair, _source_row FROM ${repairs}`];
  });
  if (sides.length === 0) return undefined;
  // what only one of them has
  return `(SELECT original_load, original_file, original_row FROM (${sides.join(' UNION ALL ')})
    GROUP BY original_load, original_file, original_row, repair, _source_row HAVING count(*) = 1)`;
}

/** Loads that are withdrawn in one of them only. */
function movedLoads(source: string, now: OpenTables, before: OpenTables): readonly number[] {
  const [here, there] = [now, before].map(
    ({ release }) => new Set(release.withdrawn.filter((one) => one.source === source).map(({ load }) => load)),
  );
  return [...new Set([...(here ?? []), ...(there ?? [])])].filter((load) => here?.has(load) !== there?.has(load));
}

/** What explains lines whose records are the same. */
function logicCause({ contract }: ExplainPlan, { byName }: Catalogue, now: OpenTables, before: OpenTables): Cause {
  const tables = new Set([contract.name]);
  // a set that grows while it is walked is walked to its end
  for (const name of tables) {
    const definition = byName.get(name);
    if (definition !== undefined) for (const input of inputTables(definition)) tables.add(input);
  }
  const isOther = [...tables].some((name) => now.release.tables[name]?.logic !== before.release.tables[name]?.logic);
  return isOther || now.release.as_of === before.release.as_of ? 'rule' : 'as_of';
}
