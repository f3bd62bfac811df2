import type { DailyFigure, DailyFigures } from '#contracts';
import type { Row, Value } from '#engine';
import type { Release } from '#releases';
import { CAUSES, causeSql, type Cause } from './cause.js';
import { Comparison, type ComparisonParts } from './comparison.js';
import { stageLineChanges } from './line-changes.js';

/** How daily figures differ between two releases, and why. Figures are by name; their decimals are text. */
export interface DailyChanges {
  readonly table: string;
  /** Days and groups that differ. */
  readonly total: number;
  /** Over all of them, by cause; causes that moved nothing are left out. */
  readonly causes: readonly CauseChange[];
  /** Those of the page; the one whose first figure moved most comes first. */
  readonly days: readonly DayChange[];
}

export interface DayChange {
  /** `order_date`, `channel`. */
  readonly key: Figures;
  /** null where the day has no row. */
  readonly before: Figures | null;
  readonly after: Figures | null;
  /** The sum of its causes' changes, and after − before; no row counts as 0. */
  readonly change: Figures;
  readonly causes: readonly CauseChange[];
}

export interface CauseChange {
  readonly cause: Cause;
  readonly change: Figures;
}

type Figures = Readonly<Record<string, Value>>;

export interface DayPage {
  readonly limit: number;
  readonly offset?: number;
}

/** Compares two releases, in whichever order they are given: the other way round every change has the other sign. */
export async function dailyChanges(
  parts: ComparisonParts,
  from: Release,
  to: Release,
  { limit, offset = 0 }: DayPage,
): Promise<DailyChanges | undefined> {
  const { daily } = parts.catalogue;
  if (daily === undefined) return undefined;
  const isForward = from.number <= to.number;
  const comparison = isForward ? new Comparison(parts, from, to) : new Comparison(parts, to, from);
  if (comparison.isSame(daily.table) && comparison.isSame(daily.lines.table)) {
    return { table: daily.table, total: 0, causes: [], days: [] };
  }
  try {
    const ofLines = await stageCauses(comparison, daily);
    const days = await stageDays(comparison, daily, ofLines);
    const causes = await stageRest(comparison, daily, ofLines, days);
    return await read({ comparison, daily, causes, days, isForward, page: { limit, offset } });
  } finally {
    await comparison.close();
  }
}

function sameGroup({ day, by }: DailyFigures, left: string, right: string): string {
  return [day, ...by].map((name) => `${left}.${name} IS NOT DISTINCT FROM ${right}.${name}`).join(' AND ');
}

/** Day, group, cause, and by how much the lines moved each figure. */
async function stageCauses(comparison: Comparison, daily: DailyFigures): Promise<string> {
  const { day, by, figures, lines } = daily;
  const signed = await stageLineChanges(comparison, daily, lines.columns);
  const moved = figures.map((figure) => {
    const of = figure.kind === 'sum' ? `coalesce(${figure.of}, 0)` : figure.kind === 'rows' ? '1' : '0';
    return `sum(CASE WHEN _sign > 0 THEN ${of} ELSE - ${of} END) AS ${figure.name}`;
  });
  const parts = [
    `SELECT _day AS ${day}, ${[...by, '_cause', ...moved].join(', ')} FROM ${signed} GROUP BY ${['_day', ...by, '_cause'].join(', ')}`,
  ];
  const distinct = figures.filter((figure) => figure.kind === 'distinct');
  if (distinct.length > 0) {
    const sides = await stageTouchedDays(comparison, daily, signed, distinct);
    for (const figure of distinct) parts.push(distinctChange(daily, figure, signed, sides));
  }
  return comparison.stage('causes', daily.table, summed(daily, parts.join(' UNION ALL BY NAME ')));
}

/** Adds up a query's rows by day, group and cause, without what moves nothing. */
function summed({ day, by, figures }: DailyFigures, rows: string): string {
  const group = [day, ...by, '_cause'].join(', ');
  const sums = figures.map(({ name }) => `sum(${name}) AS ${name}`).join(', ');
  return `SELECT * FROM (SELECT ${group}, ${sums} FROM (${rows}) r GROUP BY ${group}) s WHERE ${anyMoves(figures)}`;
}

/** All lines, of both sides, of the days and groups in which some line differs: what they count once is seen only in all of them. */
async function stageTouchedDays(
  comparison: Comparison,
  daily: DailyFigures,
  signed: string,
  distinct: readonly (DailyFigure & { readonly kind: 'distinct' })[],
): Promise<{ readonly before: string; readonly after: string }> {
  const { day, by, lines } = daily;
  const { partitionBy } = comparison.contract(lines.table);
  const tuple = (values: Readonly<Record<string, Value | undefined>>) =>
    JSON.stringify(partitionBy.map((name) => (values[name] === null ? null : String(values[name]))));
  const found =
    partitionBy.length === 0
      ? [{}]
      : await comparison.parts.engine.query(`SELECT DISTINCT ${partitionBy.join(', ')} FROM ${signed}`, [], {
          maxRows: MOST_PARTITIONS,
        });
  const touched = new Set(found.map(tuple));
  const values = distinct.map((figure) => {
    const value = figure.where === undefined ? figure.of : `CASE WHEN ${figure.where} THEN ${figure.of} END`;
    return `${value} AS _${figure.name}`;
  });
  const side = async (which: 'before' | 'after') => {
    const files = await comparison.bind(which, lines.table, ({ add }) => touched.has(tuple(add.partitionValues)));
    const groups = `(SELECT DISTINCT _day AS ${day}, ${by.join(', ')} FROM ${signed})`;
    return comparison.stage(
      `touched_${which}`,
      lines.table,
      `SELECT l.* FROM (SELECT ${lines.day} AS ${day}, ${[...by, ...values].join(', ')} FROM ${files} t) l
      WHERE EXISTS (SELECT 1 FROM ${groups} g WHERE ${sameGroup(daily, 'g', 'l')})`,
    );
  };
  return { before: await side('before'), after: await side('after') };
}

const MOST_PARTITIONS = 100_000;

/** A value that a day has gained or lost did so by a line that differs: the best explained of them says why. */
function distinctChange(
  daily: DailyFigures,
  figure: DailyFigure & { readonly kind: 'distinct' },
  signed: string,
  sides: { readonly before: string; readonly after: string },
): string {
  const { day, by, figures } = daily;
  const group = [day, ...by].join(', ');
  const value = `_${figure.name}`;
  const there = (relation: string, other: string, sign: number) =>
    `SELECT DISTINCT ${group}, ${value} AS value, ${sign} AS moved FROM ${relation} t WHERE ${value} IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM ${other} o WHERE ${sameGroup(daily, 'o', 't')} AND o.${value} = t.${value})`;
  const best = `SELECT _day AS ${day}, ${by.join(', ')}, ${figure.of} AS value, min(_score) AS score FROM ${signed}
    GROUP BY _day, ${[...by, figure.of].join(', ')}`;
  const columns = figures.map(({ name }) => `${name === figure.name ? 'sum(m.moved)' : '0'} AS ${name}`);
  const keys = [day, ...by].map((name) => `m.${name}`);
  return `SELECT ${keys.join(', ')}, ${causeSql('s.score')} AS _cause, ${columns.join(', ')}
    FROM (${there(sides.after, sides.before, 1)} UNION ALL ${there(sides.before, sides.after, -1)}) m
    JOIN (${best}) s ON ${sameGroup(daily, 's', 'm')} AND s.value = m.value
    GROUP BY ${[...keys, '_cause'].join(', ')}`;
}

/** Every day and group that differs, with its figures on both sides and their change; `_at` is its place in the order. */
async function stageDays(comparison: Comparison, daily: DailyFigures, causes: string): Promise<string> {
  const { table, day, by, figures } = daily;
  const [from, to] = [await comparison.bind('before', table, 'all'), await comparison.bind('after', table, 'all')];
  const names = figures.map(({ name }) => name);
  const [first = ''] = names;
  const key = [day, ...by];
  const here = (relation: string) => `(SELECT *, TRUE AS _there FROM ${relation})`;
  const figuresOf = names.flatMap((name) => [
    `b.${name} AS before_${name}`,
    `a.${name} AS after_${name}`,
    `coalesce(a.${name}, 0) - coalesce(b.${name}, 0) AS ${name}`,
  ]);
  return comparison.stage(
    'days',
    table,
    `WITH days AS (
      SELECT ${key.map((name) => `coalesce(a.${name}, b.${name}) AS ${name}`).join(', ')},
        b._there AS _before, a._there AS _after, ${figuresOf.join(', ')}
      FROM ${here(from)} b FULL JOIN ${here(to)} a ON ${sameGroup(daily, 'a', 'b')}),
    weights AS (SELECT ${key.join(', ')}, sum(abs(${first})) AS _weight FROM ${causes} GROUP BY ${key.join(', ')})
    SELECT d.*, row_number() OVER (ORDER BY abs(d.${first}) DESC, w._weight DESC, ${key.map((name) => `d.${name}`).join(', ')}) AS _at
    FROM days d LEFT JOIN weights w ON ${sameGroup(daily, 'w', 'd')}
    WHERE w._weight IS NOT NULL OR _before IS DISTINCT FROM _after OR ${anyMoves(figures, 'd.')}`,
  );
}

/** What the lines do not explain: the table itself is made by another rule. */
async function stageRest(comparison: Comparison, daily: DailyFigures, causes: string, days: string): Promise<string> {
  const { table, day, by, figures } = daily;
  const key = [day, ...by];
  const explained = `(SELECT ${key.join(', ')}, ${figures.map(({ name }) => `sum(${name}) AS ${name}`).join(', ')}
    FROM ${causes} GROUP BY ${key.join(', ')})`;
  const columns = [...key, '_cause', ...figures.map(({ name }) => name)].join(', ');
  const rest = `SELECT ${key.map((name) => `d.${name}`).join(', ')}, 'rule' AS _cause,
    ${figures.map(({ name }) => `d.${name} - coalesce(e.${name}, 0) AS ${name}`).join(', ')}
    FROM ${days} d LEFT JOIN ${explained} e ON ${sameGroup(daily, 'e', 'd')}`;
  const rows = `SELECT ${columns} FROM ${causes} UNION ALL SELECT ${columns} FROM (${rest}) d`;
  return comparison.stage('all_causes', table, summed(daily, rows));
}

function anyMoves(figures: readonly DailyFigure[], alias = ''): string {
  return figures.map(({ name }) => `${alias}${name} <> 0`).join(' OR ');
}

interface Reading {
  readonly comparison: Comparison;
  readonly daily: DailyFigures;
  readonly causes: string;
  readonly days: string;
  readonly isForward: boolean;
  readonly page: Required<DayPage>;
}

async function read({ comparison, daily, causes, days, isForward, page }: Reading): Promise<DailyChanges> {
  const { table, day, by, figures } = daily;
  const { engine, signal } = comparison.parts;
  const ask = (sql: string, maxRows?: number) =>
    engine.query(sql, [], {
      ...(maxRows === undefined ? {} : { maxRows }),
      ...(signal === undefined ? {} : { signal }),
    });
  const names = figures.map(({ name }) => name);
  const signed = (of: (name: string) => string) =>
    names.map((name) => `${isForward ? '' : '- '}${of(name)} AS ${name}`).join(', ');
  const pick = (row: Row, prefix = ''): Figures =>
    Object.fromEntries(names.map((name) => [name, row[`${prefix}${name}`] ?? null]));
  const totals = await ask(`SELECT _cause, ${signed((name) => `sum(${name})`)} FROM ${causes} GROUP BY _cause`);
  const [counted] = await ask(`SELECT count(*) AS n FROM ${days}`);
  const inPage = `_at > ${page.offset} AND _at <= ${page.offset + page.limit}`;
  const rows = await ask(
    `SELECT ${[day, ...by].join(', ')}, _at, _before, _after, ${signed((name) => name)},
      ${names.flatMap((name) => [`before_${name}`, `after_${name}`]).join(', ')}
    FROM ${days} WHERE ${inPage} ORDER BY _at`,
    page.limit,
  );
  const why = await ask(
    `SELECT d._at, c._cause, ${signed((name) => `c.${name}`)} FROM ${causes} c
    JOIN ${days} d ON ${sameGroup(daily, 'd', 'c')} WHERE ${inPage}`,
    page.limit * CAUSES.length,
  );
  const causesAt = new Map<Value | undefined, Row[]>();
  for (const row of why) causesAt.set(row['_at'], [...(causesAt.get(row['_at']) ?? []), row]);
  const [was, is] = isForward ? ['before', 'after'] : ['after', 'before'];
  return {
    table,
    total: Number(counted?.['n'] ?? 0),
    causes: byCause(totals, pick),
    days: rows.map((row) => ({
      key: Object.fromEntries([day, ...by].map((name) => [name, row[name] ?? null])),
      before: row[`_${was}`] === null ? null : pick(row, `${was}_`),
      after: row[`_${is}`] === null ? null : pick(row, `${is}_`),
      change: pick(row),
      causes: byCause(causesAt.get(row['_at']) ?? [], pick),
    })),
  };
}

function byCause(rows: readonly Row[], pick: (row: Row) => Figures): readonly CauseChange[] {
  return CAUSES.flatMap((cause) =>
    rows.filter((row) => row['_cause'] === cause).map((row) => ({ cause, change: pick(row) })),
  );
}
