import type { ColumnType } from '#delta';

export interface OddValue {
  readonly name: string;
  readonly type: ColumnType;
  /** As our engine returns it. */
  readonly value: string | number | null;
  /** In SQL. */
  readonly sql: string;
  /** In `partitionValues`. */
  readonly text: string | null;
}

function text(name: string, value: string): OddValue {
  return { name, type: { kind: 'string' }, value, sql: `'${value}'`, text: value };
}

/** Partition values that writers encode in folder names, in paths, or not at all. */
export const oddValues: readonly OddValue[] = [
  text('a plain text', 'plain'),
  text('a space', 'a b'),
  text('a slash', 'a/b'),
  text('a percent sign', '50%25'),
  text('an accent', 'crème'),
  text('an emoji', 'ship 🚢'),
  text('an equals sign', 'a=b'),
  text('signs of a URL', '#a?b&c+d'),
  { name: 'NULL', type: { kind: 'string' }, value: null, sql: 'NULL::VARCHAR', text: null },
  { name: 'a date', type: { kind: 'date' }, value: '2026-02-17', sql: "DATE '2026-02-17'", text: '2026-02-17' },
  {
    name: 'a timestamp',
    type: { kind: 'timestamp' },
    value: '2026-02-17T10:20:30.123456Z',
    sql: "TIMESTAMPTZ '2026-02-17 10:20:30.123456+00'",
    text: '2026-02-17 10:20:30.123456',
  },
  { name: 'an integer', type: { kind: 'integer' }, value: -7, sql: '-7', text: '-7' },
];
