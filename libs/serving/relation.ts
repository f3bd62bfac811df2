import type { DayCounts } from './day-counts.js';
import type { Filter, Query } from './query.js';

/** Where the rows of a table version are read from, and what is known of them. */
export interface ServedRelation {
  readonly sql: string;
  /** Has so few rows that whatever is asked of it takes little. */
  readonly isSmall: boolean;
  /** Columns with an index, and the most rows that one value has. */
  readonly indexed: ReadonlyMap<string, number>;
  readonly days?: DayCounts;
}

/** Lists of this length are spelled in SQL, and engines look each value up. */
const MAX_VALUES = 100;
/** More rows are better scanned. */
const MAX_FOUND = 10_000;

/** The most rows that pass, where an index finds them all; undefined where none does. */
export function lookedUpRows(query: Query, { indexed }: ServedRelation): number | undefined {
  const { where } = query;
  const parts: readonly Filter[] = where.kind === 'and' ? where.of : [where];
  for (const part of parts) {
    if (part.kind !== 'compare' && part.kind !== 'list') continue;
    const perValue = indexed.get(part.path);
    const values = part.kind === 'list' ? part.values.length : 1;
    if (perValue === undefined || (part.operator !== 'eq' && part.operator !== 'in') || values > MAX_VALUES) continue;
    if (perValue * values <= MAX_FOUND) return perValue * values;
  }
  return undefined;
}
