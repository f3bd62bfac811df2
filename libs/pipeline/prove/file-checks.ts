import { readSnapshot } from '#delta';
import { LakeError } from '#errors';
import type { Engine } from '#engine';
import {
  APP_ID,
  planBase,
  planVacuum,
  storePathOf,
  type Clock,
  type Lake,
  type Release,
  type TableState,
} from '#releases';
import { statsRecords, type LiveTable } from '../live-table.js';
import { workName } from '../sql-name.js';
import type { ProofCheck } from './proof.js';

/** Files that a detail names. */
const NAMED = 5;

/** Whether the store has every file of a table in the size that the log says. */
export async function checkFilesPresent({ store }: Lake, { table, files }: TableState): Promise<ProofCheck> {
  const sizes = new Map<string, number>();
  for await (const { path, sizeBytes } of store.list(`${table}/`)) sizes.set(path, sizeBytes);
  const wrong = files.filter(({ add, storePath }) => sizes.get(storePath) !== add.size);
  const gone = wrong.map(({ storePath }) => `${storePath} ${sizes.has(storePath) ? 'has another size' : 'is gone'}`);
  return check(table, 'files_present', gone);
}

/**
 * Whether a table's newest log gives the release's rows: exactly its files, or those that another writer made of them
 * without changing data. Says nothing of a table that a later release changed. A log that is behind is a warning: a run
 * that was killed after it published leaves it to the next one.
 */
export async function checkLog(
  lake: Lake,
  newest: Release,
  { table, release, files }: TableState,
): Promise<ProofCheck | undefined> {
  if (newest.tables[table]?.release !== release) return undefined;
  const { parquet, cacheDir } = lake;
  const log = await readSnapshot(lake.store, table, { parquet, cacheDir });
  const done = log?.txns.get(APP_ID) ?? 0;
  // somebody published meanwhile
  if (done > release) return undefined;
  if (done < release) {
    const behind = `it is at release ${done}; the next run, changed or not, brings it up to date`;
    return { ...check(table, 'log_replays', [behind]), severity: 'warn' };
  }
  try {
    const head = await planBase(lake, newest, table);
    const live = new Set(head === undefined ? [] : [...head.files.keys()].map((path) => storePathOf(table, path)));
    const own = new Set(files.map(({ storePath }) => storePath));
    const isRewritten = [...live].some((path) => !own.has(path));
    const left = isRewritten ? [] : [...own].filter((path) => !live.has(path));
    return check(table, 'log_replays', left);
  } catch (error) {
    if (!(error instanceof LakeError) || error.kind === 'unavailable') throw error;
    return check(table, 'log_replays', [error.message]);
  }
}

/** Whether the log counts the rows of each file right: counts, pruning and Delta's readers trust it. */
export async function checkStats(
  engine: Engine,
  { table }: TableState,
  live: LiveTable,
  signal: AbortSignal,
): Promise<ProofCheck> {
  const name = workName('files', table);
  const column = '_file';
  // told apart by a partition column of our own: an engine knows no file names
  await engine.bind(name, {
    schema: [{ name: column, type: { kind: 'string' }, nullable: true }],
    partitionColumns: [column],
    files: live.files.map(({ localPath }, n) => ({ localPath, partitionValues: { [column]: String(n) } })),
  });
  const counted = new Map<number, number>();
  for await (const rows of engine.stream(`SELECT ${column}, count(*) AS n FROM ${name} GROUP BY ${column}`, [], signal))
    for (const row of rows) counted.set(Number(row[column]), Number(row['n']));
  await engine.drop(name);
  const wrong = live.files.flatMap(({ add }, n) => {
    const said = statsRecords(add);
    const rows = counted.get(n) ?? 0;
    return said === undefined || said === rows ? [] : [`${add.path} has ${rows} rows, the log says ${said}`];
  });
  return check(table, 'stats_true', wrong);
}

/** Files of ours that no kept release, log or running run needs: a warning, as `shopsmart vacuum` removes them. */
export async function checkUnreferenced(lake: Lake, clock: Clock): Promise<ProofCheck> {
  const { orphans } = await planVacuum(lake, clock);
  const paths = orphans.map(({ path }) => path);
  return { ...check(null, 'files_referenced', paths), severity: 'warn' };
}

/** An error check that fails if there is anything to name. */
export function check(table: string | null, name: string, wrong: readonly string[]): ProofCheck {
  const more = wrong.length > NAMED ? ` and ${wrong.length - NAMED} more` : '';
  const detail = wrong.length === 0 ? null : `${wrong.slice(0, NAMED).join('; ')}${more}`;
  return { table, name, severity: 'error', passed: wrong.length === 0, failing: wrong.length, detail };
}
