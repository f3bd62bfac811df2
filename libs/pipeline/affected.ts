import { assert, LakeError } from '#errors';
import { inputTables, type Catalogue, type TableContract } from '#contracts';

/** What changed in one input of a table since the parent release. */
export type Change =
  | { readonly kind: 'none' }
  /** Some keys; `relation` holds them under the input's own column names. */
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
}

/**
 * The units of recomputation (contract.recompute.by) that a change of its inputs touches, as a query; pure.
 * A table whose rows follow from as_of, whose logic changed, or which is global by nature is recomputed as a whole.
 */
export function planScope({ contract, changes, asOfMoved, logicChanged }: ScopeQuestion): Scope {
  const { by, from, asOf } = contract.recompute;
  if (logicChanged || (asOf && asOfMoved)) return { kind: 'all' };
  const units: string[] = [];
  for (const path of from) {
    const change = changes.get(path.input) ?? { kind: 'none' };
    if (change.kind === 'none') continue;
    if (change.kind === 'all' || path.by === 'all' || by.length === 0) return { kind: 'all' };
    assert(path.by.length === by.length, `${contract.name} maps ${path.input} to its units column by column`);
    units.push(
      `SELECT ${path.by.map((column, n) => `${column} AS ${by[n] ?? column}`).join(', ')} FROM ${change.relation}`,
    );
  }
  return units.length === 0 ? { kind: 'none' } : { kind: 'units', sql: units.join(' UNION ') };
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
