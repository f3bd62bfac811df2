import type { Scalar } from './value.js';

/** Rows of a page unless the asker says otherwise, and at most. */
export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 10_000;
export const MAX_GROUPS = 10_000;

export const compareOperators = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const;
export const listOperators = ['in', 'nin'] as const;
export const matchOperators = ['like', 'contains', 'starts', 'ends', 'ilike', 'icontains', 'istarts', 'iends'] as const;
export const bucketUnits = ['year', 'quarter', 'month', 'week', 'day', 'hour'] as const;
export const measureFunctions = ['sum', 'avg', 'min', 'max', 'count', 'count_distinct'] as const;

export type CompareOperator = (typeof compareOperators)[number];
export type ListOperator = (typeof listOperators)[number];
export type MatchOperator = (typeof matchOperators)[number];
export type BucketUnit = (typeof bucketUnits)[number];
export type MeasureFunction = (typeof measureFunctions)[number];

/**
 * A two-valued filter: a comparison or match with NULL, on either side, is false; `ne`, `nin` and `not` are exact
 * negations, so they match NULL. `path` names a column of the table, one over relations, or (in having) an output.
 */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'null'; readonly path: string; readonly isNull: boolean }
  | {
      readonly kind: 'compare';
      readonly path: string;
      readonly operator: CompareOperator;
      readonly value: Scalar | null;
    }
  | {
      readonly kind: 'list';
      readonly path: string;
      readonly operator: ListOperator;
      readonly values: readonly Scalar[];
    }
  | {
      readonly kind: 'match';
      readonly path: string;
      readonly operator: MatchOperator;
      readonly text: string | null;
    };

export interface Sort {
  /** A column's path, or the name of an output of a group query. */
  readonly path: string;
  readonly descending: boolean;
}

interface Asked {
  readonly where: Filter;
  /** As asked. Every order goes on with the key (of groups: their columns), ascending. */
  readonly sort: readonly Sort[];
  /** `all` is for answers that are streamed. */
  readonly limit: number | 'all';
  /** Sealed; see cursor.ts. */
  readonly cursor?: string;
  /** The rows before the cursor (or the last ones), not those after it; still in the query's order. */
  readonly backward?: boolean;
}

/** Rows of a table. */
export interface RowsQuery extends Asked {
  readonly kind: 'rows';
  /** Paths; each is the name of its output too. */
  readonly select: readonly string[];
  /** Its cursors go on with any other selection: where a page ends, its columns have no say. */
  readonly anySelect?: boolean;
}

export interface GroupColumn {
  readonly name: string;
  readonly path: string;
  /** The column cut to a unit of time: the first day (for `hour` the first instant) of it; weeks begin on Monday. */
  readonly bucket?: BucketUnit;
}

export interface Measure {
  readonly name: string;
  readonly measure: MeasureFunction;
  /** Absent for the count of rows. */
  readonly path?: string;
}

/** Groups of rows with measures; without group columns, one group of all rows. */
export interface GroupsQuery extends Asked {
  readonly kind: 'groups';
  readonly group: readonly GroupColumn[];
  readonly measures: readonly Measure[];
  readonly having: Filter;
}

/** A question about one table in its one spelling: equal questions are equal values. Names are those of contracts. */
export type Query = RowsQuery | GroupsQuery;

/** The filter that every row passes. */
export const everything: Filter = { kind: 'and', of: [] };
