import type { DailyFigures } from '#contracts';
import type { Engine, Value } from '#engine';
import { changedRows } from './changed-rows.js';
import type { ComputedRun } from './compute.js';
import type { ParentState } from './parent-state.js';
import { bindSides } from './plan-table.js';

/** Figures of days that would move: those whose first figure moves most come first. */
export interface MovedFigures {
  readonly table: string;
  /** Days and groups that would move; `moved` holds the first of them. */
  readonly total: number;
  readonly moved: readonly MovedFigure[];
}

export interface MovedFigure {
  /** `order_date`, `channel`. */
  readonly key: Readonly<Record<string, Value>>;
  /** Of the day by name, decimals as text; null where the day has no row. */
  readonly before: Readonly<Record<string, Value>> | null;
  readonly after: Readonly<Record<string, Value>> | null;
}

const MOST = 200;

export async function movedFigures(
  engine: Engine,
  daily: DailyFigures,
  state: ParentState,
  computed: ComputedRun,
): Promise<MovedFigures> {
  const outcome = computed.outcomes.find(({ table }) => table === daily.table);
  if (outcome?.change === undefined) return { table: daily.table, total: 0, moved: [] };
  const key = [daily.day, ...daily.by];
  const names = daily.figures.map(({ name }) => name);
  const [first = ''] = names;
  const sides = await bindSides(engine, state, outcome);
  const columns = [
    ...key.map((name) => `coalesce(a.${name}, b.${name}) AS ${name}`),
    'b._there AS _before',
    'a._there AS _after',
    ...names.flatMap((name) => [`b.${name} AS before_${name}`, `a.${name} AS after_${name}`]),
    'count(*) OVER () AS _total',
  ];
  try {
    const rows = await engine.query(
      `SELECT ${columns.join(', ')} FROM ${changedRows({ ...sides, contract: { key } })}
      ORDER BY abs(coalesce(a.${first}, 0) - coalesce(b.${first}, 0)) DESC, ${key.map((_, n) => n + 1).join(', ')} LIMIT ${MOST}`,
    );
    const pick = (row: (typeof rows)[number], side: string) =>
      row[`_${side}`] === null ? null : Object.fromEntries(names.map((name) => [name, row[`${side}_${name}`] ?? null]));
    return {
      table: daily.table,
      total: Number(rows[0]?.['_total'] ?? 0),
      moved: rows.map((row) => ({
        key: Object.fromEntries(key.map((name) => [name, row[name] ?? null])),
        before: pick(row, 'before'),
        after: pick(row, 'after'),
      })),
    };
  } finally {
    await engine.drop(sides.from);
    await engine.drop(sides.to);
  }
}
