import type { TableContract } from '#contracts';
import type { Schema } from '#delta';

/** They say which run wrote a row last, not what it says. */
const STAMPS: ReadonlySet<string> = new Set(['_processed_at', '_run_id']);

export interface Sides {
  readonly contract: Pick<TableContract, 'key'>;
  /** Relation of the rows before, and its schema. */
  readonly from: string;
  readonly before: Schema;
  readonly to: string;
  readonly after: Schema;
}

/** Rows that differ, as a FROM clause: `b` holds the row before and `a` the row after; `b._there` or `a._there` is NULL where it lacks. Compared by the columns of both sides, without stamps. */
export function changedRows({ contract, from, before, to, after }: Sides): string {
  const names = new Set(before.map(({ name }) => name));
  const on = contract.key.map((name) => `a.${name} IS NOT DISTINCT FROM b.${name}`).join(' AND ');
  const differs = after
    .filter(({ name }) => names.has(name) && !contract.key.includes(name) && !STAMPS.has(name))
    .map(({ name }) => `a.${name} IS DISTINCT FROM b.${name}`);
  return `(SELECT *, TRUE AS _there FROM ${from}) b FULL JOIN (SELECT *, TRUE AS _there FROM ${to}) a ON ${on}
    WHERE a._there IS NULL OR b._there IS NULL OR ${differs.join(' OR ') || 'FALSE'}`;
}
