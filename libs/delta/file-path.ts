/** Characters that Hive-style folder names escape, as every writer of Delta does. */
// eslint-disable-next-line no-control-regex -- control characters are what is escaped
const ESCAPED = /[\u0000-\u001f"#%'*/:=?\\\u007f{[\]^]/g;
const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__';

/**
 * A file's path as `add.path` holds it: percent-encoded once more than its name, `=` literal. A reader takes any
 * encoding; delta-rs' optimize finds only files that are written so.
 */
export function encodePath(path: string): string {
  return encodeURI(path).replaceAll('#', '%23').replaceAll('?', '%3F');
}

/** The folder of a partition, `order_year=2026/order_month=2`. Readers trust the log's values, not this name. */
export function partitionFolder(columns: readonly string[], values: Readonly<Record<string, string | null>>): string {
  return columns.map((name) => `${name}=${folderValue(values[name] ?? null)}`).join('/');
}

function folderValue(value: string | null): string {
  if (value === null || value === '') return NULL_FOLDER;
  return value.replaceAll(ESCAPED, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
