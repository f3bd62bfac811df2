import { readSnapshot, readState, writeState, type Snapshot } from '#delta';
import { LakeError } from '#errors';
import type { Lake } from './lake.js';
import { SEALED } from './release.js';

/** Where the state of a version of a table's log is kept for the releases that stand on it, once the log is cleaned. */
export function sealedPath(table: string, version: number): string {
  return `${SEALED}${table}@${version}.parquet`;
}

/** Keeps a version's live files, with their statistics; must be done before the log loses that version. */
export async function sealVersion(lake: Lake, table: string, version: number): Promise<void> {
  const { store, parquet, cacheDir } = lake;
  const snapshot = await versionAt(lake, table, version);
  if (snapshot !== undefined) await writeState(store, sealedPath(table, version), snapshot, parquet, cacheDir);
}

/** A version of a table's log: from the log while it has it, then from its sealed state. undefined: from neither. */
export async function versionAt(lake: Lake, table: string, version: number): Promise<Snapshot | undefined> {
  const { store, parquet, cacheDir } = lake;
  const logged = await readSnapshot(store, table, { version, parquet, cacheDir }).catch((error: unknown) => {
    if (error instanceof LakeError && error.code === 'delta.no_version') return undefined;
    throw error;
  });
  return logged ?? readState(store, sealedPath(table, version), { table, version }, { parquet, cacheDir });
}
