import type { Column } from './column.js';

export type Layer = 'bronze' | 'silver' | 'gold';
export type Owner = 'batch' | 'stream';

/** A row that breaks a rule is quarantined. `broken` is SQL over the transform's columns; NULL counts as kept. */
export interface Rule {
  readonly name: string;
  readonly description: string;
  readonly broken: string;
  /** The source field that must be there. Where it was there and could not be read, only that is reported. */
  readonly requires?: string;
}

/** A statement about the staged table. `failing` is a query that returns the rows which contradict it. */
export interface Check {
  readonly name: string;
  readonly severity: 'error' | 'warn';
  readonly description: string;
  readonly failing: string;
  /**
   * Of a statement that holds if it holds for each unit by itself: the columns that name the unit, by relation that the
   * query reads (`gold.fact_sales`). Where the parent release passed, a run looks at the units that changed.
   */
  readonly units?: Readonly<Record<string, readonly string[]>>;
}

/** `columns` of this table name the `key` of another; NULL refers to nothing. */
export interface Relation {
  readonly name: string;
  readonly to: string;
  readonly columns: readonly string[];
  readonly references: readonly string[];
}

/** How source text of one field is read (grammar in the prelude). `json`: nested JSON kept as text. */
export type FieldParser =
  | { readonly kind: 'id' | 'text' | 'integer' | 'boolean' | 'date' | 'timestamp' | 'json' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number };

/** A landing source: what files it has, and how each field's text is read. */
export interface Source {
  /** `orders`; also the bronze table's name. */
  readonly name: string;
  readonly format: 'csv' | 'json';
  /** Default folder in the landing area: `source1_orders_pg`. */
  readonly folder: string;
  readonly describes?: string;
  /** Fields in order; bronze keeps each as the text that came. */
  readonly fields: Readonly<Record<string, FieldParser>>;
  /** Fields that identify a person. With any, the verbatim record does so too. */
  readonly pii?: readonly string[];
  /** Who writes its bronze table; `batch` unless said. A stream's records do not come from landing files. */
  readonly owner?: Owner;
  /** Columns of its bronze table beyond every source's: where in the stream a record stood. */
  readonly bronzeColumns?: Readonly<Record<string, Column>>;
}

/** How the rows of a table follow from rows of an input, so that a run can recompute only what a change touches. */
export interface KeyPath {
  /** `silver.orders`; of `bronze` and `valid` ones, `by` names fields of the source as they are parsed. */
  readonly input: string;
  /** Columns of the input that give the unit of recomputation, in the order of `recompute.by`; or `all`: any change recomputes everything. */
  readonly by: readonly string[] | 'all';
  /** Where `by` is `all`: a query for the units, in the columns of `recompute.by`, where `changed` names the input's changed rows, before and after. */
  readonly via?: string;
  /** The only columns of the input that the rows follow from, its key among them: a row of which others change touches nothing. */
  readonly reads?: readonly string[];
  /** Columns of the input by the columns of a row that they equal: the rows that it is made of, where `by` names more of them. */
  readonly own?: Readonly<Record<string, string>>;
  /** How the others that `by` names weigh in, where they do: shares, means, quintiles. A trace names them by this and their number. */
  readonly others?: string;
}

export interface Recompute {
  /** Columns that name the unit of recomputation: fact_sales is recomputed by order. Empty: only as a whole. */
  readonly by: readonly string[];
  readonly from: readonly KeyPath[];
  /**
   * Whether the rows also follow from the run's as_of. `rejects`: only in that a record which a rule rejects as lying in
   * the future comes in once as_of has passed it; no record is ever rejected because as_of moved forward.
   */
  readonly asOf: boolean | 'rejects';
  readonly measures?: Measures;
}

/**
 * For a table that compares its units with each other, and so can only be computed as a whole: what it compares is
 * measured unit by unit, from the rows that `own` of each input links to the unit, and kept in the table itself.
 */
export interface Measures {
  /** Columns of the table that name the unit. */
  readonly by: readonly string[];
  /** Columns of the table that the measuring query gives besides, as the table has them. */
  readonly columns: readonly string[];
}

/** How figures of a table come from single records: what an explanation goes by. */
export type Explained =
  | {
      /** Each row of this input gives one row, or finds no place: `silver.order_items`. */
      readonly each: string;
      /** The input's key, one column, … */
      readonly key: string;
      /** … and the table's columns that equal it, its key first. */
      readonly named: readonly string[];
      /** Columns that follow from other rows too: nobody knows them of a record that was left out. */
      readonly together: readonly string[];
    }
  | {
      /** Rows add up rows of this input, those that `recompute.from` says. */
      readonly adds: string;
      /** What each column adds up. */
      readonly sums: Readonly<Record<string, Sum>>;
    };

/** A column of the input (without one, its rows), in all rows but some. */
export interface Sum {
  readonly of?: string;
  /** SQL over the input's columns. */
  readonly unless?: { readonly reason: string; readonly when: string };
}

export interface TableContract {
  /** `gold/fact_sales` */
  readonly name: string;
  readonly layer: Layer;
  readonly version: number;
  readonly owner: Owner;
  readonly describes: string;
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, Column>>;
  /** Layout, which no row follows from: `partitionBy`, then ranges of `sortBy` in files of about `targetBytes`. */
  readonly partitionBy: readonly string[];
  readonly sortBy: readonly string[];
  readonly targetBytes: number;
  readonly relations: readonly Relation[];
  readonly checks: readonly Check[];
  readonly recompute: Recompute;
  /** Absent where rows do not come from single records: keys that are made up, versions over time. */
  readonly explained?: Explained;
}

/** A silver table keyed by its source: validated, the winner of each key kept, the rest counted. */
export interface SilverContract extends TableContract {
  readonly layer: 'silver';
  /** Bronze source it is made of; absent for tables made from other silver tables (sessions). */
  readonly source?: string;
  readonly rules: readonly Rule[];
  /** Which record of a key wins: the latest (updated_at, then position) or the first in bronze order. */
  readonly winner: { readonly keep: 'latest'; readonly by?: string } | { readonly keep: 'first' };
}

/** A table that a run computes: its contract and the query that gives its rows. */
export interface TableDefinition {
  readonly contract: TableContract | SilverContract;
  readonly sql: string;
  /** Where the contract has measures: the query that gives them. `sql` reads them as `measures.<table>`, and no table. */
  readonly measuresSql?: string;
  /** A query for inputs that found no place in the table, in the columns of a quarantine. */
  readonly orphansSql?: string;
}
