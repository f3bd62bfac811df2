import { inputTables, type Catalogue } from '#contracts';
import type { Release } from '#releases';

/**
 * Why a line came, went or changed. `new`: a record that came after the earlier release. `late`: such a record of a key
 * that was not there, for a day that was complete. `repair`: a repair, or its withdrawal. `withdrawn`: a load that was
 * withdrawn or restored. `rule`: no record changed, the logic did. `as_of`: neither did, as_of moved.
 */
export const CAUSES = ['new', 'late', 'repair', 'withdrawn', 'as_of', 'rule'] as const;

export type Cause = (typeof CAUSES)[number];

/** Of several changes at one distance the first explains a line; logic explains only what no record does. */
const AT_DISTANCE = ['repair', 'withdrawn', 'late', 'new'] as const;
const DISTANCES = 10;
const LOGIC = { rule: 1000, as_of: 1001 } as const;

/**
 * SQL: how well the change of a record (a cause, or `new_key`: new under a key that was not there) explains a line, the
 * smaller the better. `isLate` tells whether the line's day was complete.
 */
export function scoreSql(change: string, distance: number, isLate: string): string {
  const at = (cause: (typeof AT_DISTANCE)[number]) => distance * DISTANCES + AT_DISTANCE.indexOf(cause);
  return `CASE ${change} WHEN 'repair' THEN ${at('repair')} WHEN 'withdrawn' THEN ${at('withdrawn')}
    WHEN 'new_key' THEN CASE WHEN ${isLate} THEN ${at('late')} ELSE ${at('new')} END WHEN 'new' THEN ${at('new')}
    WHEN 'rule' THEN ${LOGIC.rule} ELSE ${LOGIC.as_of} END`;
}

/** SQL: the cause that a score stands for. */
export function causeSql(score: string): string {
  const byScore = AT_DISTANCE.map((cause, n) => `WHEN ${n} THEN '${cause}'`).join(' ');
  return `CASE WHEN ${score} = ${LOGIC.rule} THEN 'rule' WHEN ${score} = ${LOGIC.as_of} THEN 'as_of'
    ELSE CASE ${score} % ${DISTANCES} ${byScore} END END`;
}

/** The score of a line that no record explains. */
export function logicScore(cause: 'rule' | 'as_of'): number {
  return LOGIC[cause];
}

/** What changed rows of tables whose inputs are the same. Changed logic explains it before a moved as_of does. */
export function logicCause(tables: Iterable<string>, before: Release, after: Release): 'rule' | 'as_of' {
  for (const table of tables) {
    if (before.tables[table]?.logic !== after.tables[table]?.logic) return 'rule';
  }
  return before.as_of === after.as_of ? 'rule' : 'as_of';
}

/** A table and all that it follows from. */
export function withInputs(table: string, { byName }: Catalogue): ReadonlySet<string> {
  const found = new Set([table]);
  // a set that grows while it is walked is walked to its end
  for (const name of found) {
    const definition = byName.get(name);
    if (definition !== undefined) for (const input of inputTables(definition)) found.add(input);
  }
  return found;
}
