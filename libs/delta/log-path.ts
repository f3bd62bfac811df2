export function logFolder(table: string): string {
  return `${table}/_delta_log/`;
}

export function commitPath(table: string, version: number): string {
  return `${logFolder(table)}${digits(version)}.json`;
}

export function checkpointPath(table: string, version: number): string {
  return `${logFolder(table)}${digits(version)}.checkpoint.parquet`;
}

export function lastCheckpointPath(table: string): string {
  return `${logFolder(table)}_last_checkpoint`;
}

/** Sorts before every file of a version and after all of the versions before it. */
export function beforeVersion(table: string, version: number): string {
  return `${logFolder(table)}${digits(version)}`;
}

interface LogName {
  readonly version: number;
  /** Relative to the store's root. */
  readonly path: string;
}

export type LogPath =
  | (LogName & { readonly kind: 'commit' })
  | (LogName & { readonly kind: 'checkpoint'; readonly part: number; readonly parts: number });

/**
 * What a path in a table's log folder means; undefined for all that is no commit and no classic checkpoint (hints,
 * checksums, sidecars, folders of other writers).
 */
export function parseLogPath(table: string, path: string): LogPath | undefined {
  const name = path.slice(logFolder(table).length);
  const commit = /^(\d{20})\.json$/.exec(name);
  if (commit !== null) return { kind: 'commit', version: Number(commit[1]), path };
  const checkpoint = /^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$/.exec(name);
  if (checkpoint === null) return undefined;
  return {
    kind: 'checkpoint',
    version: Number(checkpoint[1]),
    path,
    part: Number(checkpoint[2] ?? 1),
    parts: Number(checkpoint[3] ?? 1),
  };
}

function digits(version: number): string {
  return String(version).padStart(20, '0');
}
