import type { KeyPath, Recompute, TableContract } from './contract.js';

/** The relation of a table's measures: `gold/ml_customer_rfm` reads `measures.ml_customer_rfm`. */
export function measuresOf(table: string): string {
  return `measures.${table.split('/').at(-1) ?? table}`;
}

/** The units that a run recomputes, and how they follow from each input: of a table that compares its units, those it measures. */
export function recomputedUnits({ recompute }: TableContract): Pick<Recompute, 'by' | 'from'> {
  const { by, from, measures } = recompute;
  if (measures === undefined) return { by, from };
  return {
    by: measures.by,
    from: from.map((path) => ({ ...path, by: measures.by.map((unit) => linkedTo(unit, path)) })),
  };
}

function linkedTo(unit: string, { own = {} }: KeyPath): string {
  return Object.keys(own).find((column) => own[column] === unit) ?? unit;
}
