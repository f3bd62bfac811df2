/**
 * The figures of days that people compare: a table of one row for each day and group, and the lines that it adds up.
 * Plans and comparisons of releases speak in them.
 */
export interface DailyFigures {
  /** Its key is `day` and `by`, in this order. */
  readonly table: string;
  readonly day: string;
  readonly by: readonly string[];
  /** The first is the one that days are ordered by: those that moved most come first. */
  readonly figures: readonly DailyFigure[];
  readonly lines: DailyLines;
}

/** A column of the table: how it follows from the lines of the day and group. */
export type DailyFigure = { readonly name: string } & (
  | { readonly kind: 'sum'; readonly of: string }
  | { readonly kind: 'rows' }
  /** How many different values the column has in lines that fulfil `where`; they have it on that day in that group alone. */
  | { readonly kind: 'distinct'; readonly of: string; readonly where?: string }
);

export interface DailyLines {
  /** Where it is partitioned, a day's partition follows from its day and group. The groups' columns have the same names. */
  readonly table: string;
  /** The day of a line, as SQL over its columns. */
  readonly day: string;
  /** Columns that days, groups and figures follow from. */
  readonly columns: readonly string[];
  readonly records: readonly LineRecord[];
}

/** Records that a line is made of. */
export interface LineRecord {
  /** A silver table of a source. */
  readonly table: string;
  /** The record's columns, and those of the line that equal them. */
  readonly on: Readonly<Record<string, string>>;
  /** Of two records that both changed, the one at the smaller distance explains the line. */
  readonly distance: number;
  /** Columns of the line that follow from the record; all unless said. */
  readonly columns?: readonly string[];
}
