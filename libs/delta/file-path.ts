/**
 * A file's path as `add.path` holds it: percent-encoded once more than its name, `=` literal. A reader takes any
 * encoding; delta-rs' optimize finds only files that are written so.
 */
export function encodePath(path: string): string {
  return encodeURI(path).replaceAll('#', '%23').replaceAll('?', '%3F');
}

/** The same for every spelling of a path in a log: another writer may have encoded more or fewer characters than we do. */
export function fileIdentity(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    // Not encoded at all: such a path is equal to itself only.
    return path;
  }
}
