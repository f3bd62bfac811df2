/** A CSV header as the file has it, told apart by the contract. */
export interface CsvHeader {
  readonly width: number;
  /** By contract field: its column in the file, or -1. */
  readonly columns: readonly number[];
  /** Columns that the contract does not name. */
  readonly extra: readonly { readonly column: number; readonly name: string }[];
  /** Fields that no column has. */
  readonly missing: readonly string[];
}

/** Matches a header to the contract's fields. Of two columns with one name the first is meant; the others are kept as extra. */
export function parseCsvHeader(names: readonly string[], fields: readonly string[]): CsvHeader {
  const columns = fields.map(() => -1);
  const extra: { column: number; name: string }[] = [];
  const taken = new Set<string>();
  names.forEach((text, column) => {
    const name = text.trim();
    const field = fields.indexOf(name);
    if (field >= 0 && columns[field] === -1) {
      columns[field] = column;
      return;
    }
    let unique = name === '' || taken.has(name) || field >= 0 ? `${name}#${column + 1}` : name;
    while (taken.has(unique)) unique += '#';
    taken.add(unique);
    extra.push({ column, name: unique });
  });
  return { width: names.length, columns, extra, missing: fields.filter((_, at) => columns[at] === -1) };
}
