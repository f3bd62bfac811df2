import type { TableContract } from '#contracts';
import type { Position } from './keyset.js';
import type { Filter, Query } from './query.js';

/** How many rows of a table each day has, by the date or instant that the table is sorted by. Days without rows are not named. */
export interface DayCounts {
  readonly column: string;
  /** `2026-01-31`, ascending. */
  readonly days: readonly string[];
  readonly rows: readonly number[];
}

/** Some days in a row; the first one in it, the last one not. */
export interface DayRange {
  readonly column: string;
  readonly from?: string;
  readonly to?: string;
}

/** A table is not expected to have more; beyond, its days are not counted. */
export const MAX_DAYS = 40_000;

/** Each try looks at so many times the rows that are wanted, as other conditions may leave some out. */
const TRIES = [32, 1024];

/** The column that days are counted by: a table sorted by time, which is never NULL. */
export function dayColumn({ sortBy, columns }: TableContract): string | undefined {
  const [first = ''] = sortBy;
  const column = columns[first];
  const isTime = column?.type.kind === 'date' || column?.type.kind === 'timestamp';
  return isTime && !column.nullable ? first : undefined;
}

/**
 * Day ranges to look for the first `wanted` rows in, each wider than the one before: as soon as a range gives that many
 * rows they are the right ones. None if the order does not begin with the days, or nothing is gained.
 */
export function dayRanges(
  query: Query,
  contract: TableContract,
  counts: DayCounts | undefined,
  wanted: number,
  after?: Position,
): readonly DayRange[] {
  const walk = counts === undefined ? undefined : walkOf(query, contract, counts, after);
  if (counts === undefined || walk === undefined) return [];
  const factors = walk.othersFilter ? TRIES : [1];
  const found: DayRange[] = [];
  for (const factor of factors) {
    const range = firstDays(counts, walk, wanted * factor);
    if (range === undefined) break;
    found.push(range);
  }
  return found;
}

/** The days that a query can reach, in its order, cut into ranges of about `rows` rows; undefined as for `dayRanges`. */
export function dayChunks(
  query: Query,
  contract: TableContract,
  counts: DayCounts | undefined,
  rows: number,
  after?: Position,
): readonly DayRange[] | undefined {
  const walk = counts === undefined ? undefined : walkOf(query, contract, counts, after);
  if (counts === undefined || walk === undefined) return undefined;
  const { column, days } = counts;
  const cuts: string[] = [];
  let held = 0;
  days.forEach((day, at) => {
    if (held >= rows) {
      cuts.push(day);
      held = 0;
    }
    held += counts.rows[at] ?? 0;
  });
  const ranges = [...cuts, undefined].map((to, at): DayRange => {
    const from = cuts[at - 1];
    return { column, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  });
  const reached = ranges.filter(
    ({ from, to }) =>
      (from === undefined || walk.last === undefined || from <= walk.last) &&
      (to === undefined || walk.first === undefined || to > walk.first),
  );
  return walk.descending ? reached.reverse() : reached;
}

/** How a query goes through the days. */
interface Walk {
  readonly descending: boolean;
  /** The days of the least and the greatest value that can pass. */
  readonly first?: string;
  readonly last?: string;
  /** Whether conditions on other columns, or other ones on this, may leave out rows between. */
  readonly othersFilter: boolean;
}

function walkOf(query: Query, contract: TableContract, { column }: DayCounts, after?: Position): Walk | undefined {
  if (query.kind !== 'rows') return undefined;
  const [sort = { path: contract.key[0], descending: false }] = query.sort;
  if (sort.path !== column) return undefined;
  const descending = sort.descending !== (query.backward === true);
  const bounds = boundsOf(query.where, column);
  let { first, last } = bounds;
  const [at] = after ?? [];
  if (typeof at === 'string') {
    if (descending) last = least(last, at.slice(0, 10));
    else first = greatest(first, at.slice(0, 10));
  }
  return {
    descending,
    othersFilter: bounds.othersFilter,
    ...(first === undefined ? {} : { first }),
    ...(last === undefined ? {} : { last }),
  };
}

function boundsOf(where: Filter, column: string): Pick<Walk, 'first' | 'last' | 'othersFilter'> {
  const parts = where.kind === 'and' ? where.of : [where];
  let first: string | undefined;
  let last: string | undefined;
  let othersFilter = false;
  for (const part of parts) {
    if (part.kind !== 'compare' || part.path !== column || typeof part.value !== 'string' || part.operator === 'ne') {
      othersFilter = true;
      continue;
    }
    const day = part.value.slice(0, 10);
    if (part.operator !== 'lt' && part.operator !== 'lte') first = greatest(first, day);
    if (part.operator !== 'gt' && part.operator !== 'gte') last = least(last, day);
  }
  return {
    othersFilter,
    ...(first === undefined ? {} : { first }),
    ...(last === undefined ? {} : { last }),
  };
}

/** The least days at the walk's start that surely hold so many rows: of the first and the last one only a part may pass. */
function firstDays({ column, days, rows }: DayCounts, walk: Walk, wanted: number): DayRange | undefined {
  const { first, last, descending } = walk;
  let held = 0;
  const step = descending ? -1 : 1;
  for (let at = descending ? days.length - 1 : 0; at >= 0 && at < days.length; at += step) {
    const day = days[at] ?? '';
    if ((first !== undefined && day <= first) || (last !== undefined && day >= last)) continue;
    held += rows[at] ?? 0;
    const next = descending ? day : days[at + 1];
    if (held >= wanted) return next === undefined ? undefined : { column, [descending ? 'from' : 'to']: next };
  }
  return undefined;
}

function least(a: string | undefined, b: string): string {
  return a === undefined || b < a ? b : a;
}

function greatest(a: string | undefined, b: string): string {
  return a === undefined || b > a ? b : a;
}
