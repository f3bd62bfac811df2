import { assert, LakeError } from '#errors';
import { inputTables, recomputedUnits, type Catalogue, type TableContract } from '#contracts';

/** What changed in one input of a table since the parent release. */
export type Change =
  | { readonly kind: 'none' }
  /**
   * Some rows; `relation` holds each that went or came under the input's own column names: a changed row twice, as it
   * was and as it is.
   */
  | { readonly kind: 'keys'; readonly relation: string }
  | { readonly kind: 'all' };

/** What of a table has to be computed again. */
export type Scope =
  { readonly kind: 'none' } | { readonly kind: 'units'; readonly sql: string } | { readonly kind: 'all' };

export interface ScopeQuestion {
  readonly contract: TableContract;
  readonly changes: ReadonlyMap<string, Change>;
  readonly asOfMoved: boolean;
  readonly logicChanged: boolean;
  /** Where only rejects follow from as_of: the records that the parent release rejects, in the input's columns. */
  readonly rejected?: string;
}

/**
 * The units of recomputation (contract.recompute.by, or those measured) that a change of its inputs touches, as a query; pure.
 * A table whose rows follow from as_of, whose logic changed, or which is global by nature is recomputed as a whole.
 */
export function planScope({ contract, changes, asOfMoved, logicChanged, rejected }: ScopeQuestion): Scope {
  const { asOf } = contract.recompute;
  const { by, from } = recomputedUnits(contract);
  if (logicChanged || (asOf === true && asOfMoved)) return { kind: 'all' };
  const units: string[] = [];
  for (const path of from) {
    const change = changes.get(path.input) ?? { kind: 'none' };
    if (change.kind === 'none') continue;
    if (change.kind === 'all' || by.length === 0) return { kind: 'all' };
    const changed = path.reads === undefined ? change.relation : `(${thatMatter(change.relation, path.reads)})`;
    if (path.by !== 'all') units.push(unitsOf(by, path.by, changed));
    else if (path.via !== undefined) units.push(path.via.replace(/\bchanged\b/g, changed));
    else return { kind: 'all' };
  }
  if (asOf === 'rejects' && asOfMoved) {
    const path = from.find(({ input }) => input.startsWith('bronze.'));
    if (path === undefined || path.by === 'all' || rejected === undefined) return { kind: 'all' };
    units.push(unitsOf(by, path.by, rejected));
  }
  return units.length === 0 ? { kind: 'none' } : { kind: 'units', sql: units.join(' UNION ') };
}

function unitsOf(by: readonly string[], path: readonly string[], changed: string): string {
  assert(path.length === by.length, 'an input maps to the units column by column');
  return `SELECT ${path.map((column, n) => `${column} AS ${by[n] ?? column}`).join(', ')} FROM ${changed}`;
}

/** Changed rows without those of which only other columns changed: such a row is there as it was and as it is. */
function thatMatter(relation: string, columns: readonly string[]): string {
  const list = columns.join(', ');
  return `SELECT ${list} FROM ${relation} GROUP BY ${list} HAVING count(*) % 2 = 1`;
}

/** The named tables and all that depends on them; pure. Throws `run.unknown_table`, whose message names the tables there are. */
export function withDependants(names: readonly string[], { tables }: Catalogue): ReadonlySet<string> {
  const computed = tables.filter(({ contract }) => contract.owner !== 'stream');
  const known = computed.map(({ contract }) => contract.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new LakeError(
      'run.unknown_table',
      'invalid',
      `No run computes ${unknown.join(', ')}. Name some of ${known.join(', ')}.`,
      { at: { table: unknown[0] ?? '' } },
    );
  }
  const chosen = new Set(names);
  // the catalogue has each table after what it reads
  for (const definition of computed) {
    if (inputTables(definition).some((input) => chosen.has(input))) chosen.add(definition.contract.name);
  }
  return chosen;
}
