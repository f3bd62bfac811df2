export interface TextColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** Rows under their titles, aligned by code points, without trailing blanks. */
export function tableText(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const line = rowLayout(columns, rows);
  return [line(columns.map(({ title }) => title)), ...rows.map(line)].join('\n');
}

/** How a row is laid out so that the titles and these rows fit; a longer cell sticks out. */
export function rowLayout(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
): (row: readonly string[]) => string {
  const widths = columns.map(({ title }, i) =>
    rows.reduce((most, row) => Math.max(most, width(row[i] ?? '')), width(title)),
  );
  return (row) =>
    columns
      .map(({ align }, i) => {
        const cell = row[i] ?? '';
        const gap = ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(cell)));
        return align === 'left' ? cell + gap : gap + cell;
      })
      .join('  ')
      .trimEnd();
}

/** `1234567` as `1,234,567`; null, where a figure has no meaning, as `-`. */
export function countText(value: number | null): string {
  return value === null ? '-' : value.toLocaleString('en-US');
}

function width(text: string): number {
  return [...text].length;
}
