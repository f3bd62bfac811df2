/**
 * The figures of days that people compare: a table of one row for each day and group, whose sums add up over the rows
 * (lines) of another table. Plans and comparisons of releases speak in them.
 */
export interface DailyFigures {
  /** Its key is `day` and `by`, in this order. */
  readonly table: string;
  readonly day: string;
  readonly by: readonly string[];
  /** The first is the one that days are ordered by: those that moved most come first. */
  readonly figures: readonly DailyFigure[];
}

export interface DailyFigure {
  /** Column of the table. */
  readonly name: string;
}
