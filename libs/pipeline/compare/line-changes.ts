import type { DailyFigures, LineRecord } from '#contracts';
import { logicCause, logicScore, scoreSql, causeSql, withInputs } from './cause.js';
import { stageChangedRecords } from './changed-records.js';
import type { Comparison } from './comparison.js';
import { literal } from '../sql-name.js';

/**
 * Stages the lines that differ in one of the columns: each as it was with `_sign` −1, and as it is with `_sign` 1, under
 * the table's own column names, so that Σ _sign · x over any filter is the change of Σ x. `_cause` says why, `_score`
 * how well that explains it (the smaller the better), `_day` is the line's day.
 */
export async function stageLineChanges(
  comparison: Comparison,
  daily: DailyFigures,
  columns: readonly string[],
): Promise<string> {
  const { lines } = daily;
  const { key, columns: all } = comparison.contract(lines.table);
  const from = await comparison.bind('before', lines.table, 'own');
  const to = await comparison.bind('after', lines.table, 'own');
  const sides = { before: new Set<string>(), after: new Set<string>() };
  for (const side of ['before', 'after'] as const) {
    for (const { name } of (await comparison.state(side, lines.table)).schema) sides[side].add(name);
  }
  const at = (side: 'before' | 'after', alias: string, name: string) =>
    sides[side].has(name) ? `${alias}.${name}` : 'NULL';
  const on = key.map((name) => `a.${name} IS NOT DISTINCT FROM b.${name}`).join(' AND ');
  const differs = columns.map((name) => `${at('after', 'a', name)} IS DISTINCT FROM ${at('before', 'b', name)}`);
  const changed = await comparison.stage(
    'keys',
    lines.table,
    `SELECT ${key.map((name) => `coalesce(a.${name}, b.${name}) AS ${name}`).join(', ')}
    FROM (SELECT *, TRUE AS _there FROM ${from}) b FULL JOIN (SELECT *, TRUE AS _there FROM ${to}) a ON ${on}
    WHERE a._there IS NULL OR b._there IS NULL OR ${differs.join(' OR ') || 'FALSE'}`,
  );
  const side = (which: 'before' | 'after', relation: string) =>
    `SELECT ${which === 'after' ? 1 : -1} AS _sign, ${lines.day} AS _day,
      ${Object.keys(all)
        .map((name) => `${at(which, 't', name)} AS ${name}`)
        .join(', ')}
    FROM ${relation} t
    WHERE EXISTS (SELECT 1 FROM ${changed} k WHERE ${key.map((name) => `k.${name} IS NOT DISTINCT FROM t.${name}`).join(' AND ')})`;
  const signed = await comparison.stage(
    'signed',
    lines.table,
    `${side('before', from)} UNION ALL BY NAME ${side('after', to)}`,
  );
  const scores = await stageScores(comparison, daily, columns, signed);
  return comparison.stage(
    'lines',
    lines.table,
    `SELECT s.*, c._score, ${causeSql('c._score')} AS _cause FROM ${signed} s
    JOIN ${scores} c ON ${key.map((name) => `c.${name} IS NOT DISTINCT FROM s.${name}`).join(' AND ')}`,
  );
}

/** The best explanation of each line. */
async function stageScores(
  comparison: Comparison,
  daily: DailyFigures,
  columns: readonly string[],
  signed: string,
): Promise<string> {
  const { lines } = daily;
  const { key } = comparison.contract(lines.table);
  const keys = key.map((name) => `s.${name}`).join(', ');
  const records = lines.records.filter(({ columns: own }) => own === undefined || own.some((c) => columns.includes(c)));
  const isLate = `s._day < DATE ${literal(await firstOpenDay(comparison, daily))}`;
  const candidates: string[] = [];
  for (const [table, paths] of groupByTable(records)) {
    const named = [...new Set(paths.flatMap(({ on }) => Object.keys(on)))];
    const changed = await stageChangedRecords(comparison, table, named);
    for (const { on, distance } of paths) {
      for (const side of ['before', 'after']) {
        const same = Object.entries(on).map(([record, line]) => `r.${side}_${record} = s.${line}`);
        candidates.push(
          `SELECT ${keys}, ${scoreSql('r.change', distance, isLate)} AS score FROM ${signed} s JOIN ${changed} r ON ${same.join(' AND ')}`,
        );
      }
    }
  }
  const tables = withInputs(lines.table, comparison.parts.catalogue);
  const otherwise = logicScore(logicCause(tables, comparison.before, comparison.after));
  candidates.push(`SELECT ${keys}, ${otherwise} AS score FROM ${signed} s`);
  return comparison.stage(
    'scores',
    lines.table,
    `SELECT ${key.join(', ')}, min(score) AS _score FROM (${candidates.join(' UNION ALL ')}) GROUP BY ${key.join(', ')}`,
  );
}

/**
 * The newest day that had figures in the earlier release, and not after its as_of: more of that day was to be expected, of
 * days before it not.
 */
async function firstOpenDay(comparison: Comparison, { table, day }: DailyFigures): Promise<string> {
  const asOf = comparison.before.as_of;
  const relation = await comparison.bind('before', table, 'all');
  const newest = `SELECT max(${day}) AS day FROM ${relation} WHERE ${day} <= DATE ${literal(asOf)}`;
  const [row] = await comparison.parts.engine.query(newest);
  return row?.['day'] === null || row === undefined ? asOf : String(row['day']);
}

function groupByTable(records: readonly LineRecord[]): ReadonlyMap<string, readonly LineRecord[]> {
  const tables = new Map<string, LineRecord[]>();
  for (const record of records) tables.set(record.table, [...(tables.get(record.table) ?? []), record]);
  return tables;
}
