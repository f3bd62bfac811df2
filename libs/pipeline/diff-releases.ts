import type { TableContract } from '#contracts';
import type { Engine } from '#engine';
import { tableAt, type Lake, type Release, type TableState } from '#releases';
import { localCopy } from '#storage';
import type { ComparisonParts } from './compare/comparison.js';
import { changedRows } from './changed-rows.js';
import { bindLive } from './live-table.js';
import { ownFiles } from './own-files.js';
import { workName } from './sql-name.js';

/** How a table differs between two releases. Rows are told apart by their key; the stamps of runs do not count. */
export interface TableDiff {
  readonly table: string;
  readonly rows_before: number;
  readonly rows_after: number;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** By name; rows are compared by the columns that both releases have. */
  readonly columns_added: readonly string[];
  readonly columns_removed: readonly string[];
}

/**
 * The tables in which two releases differ, in the catalogue's order. Only files that one of the releases has and the
 * other has not are read, so that it costs what changed.
 */
export async function diffReleases(
  { engine, lake, catalogue, signal }: ComparisonParts,
  before: Release,
  after: Release,
): Promise<readonly TableDiff[]> {
  const diffs: TableDiff[] = [];
  for (const contract of catalogue.contracts) {
    const [from, to] = [before, after].map((release) => release.tables[contract.name]);
    if (JSON.stringify(from) === JSON.stringify(to)) continue;
    const states = [
      from && (await tableAt(lake, before, contract.name)),
      to && (await tableAt(lake, after, contract.name)),
    ];
    signal?.throwIfAborted();
    const diff = await diffTable(engine, lake, contract, states[0], states[1], signal);
    if (isDifferent(diff)) diffs.push(diff);
  }
  return diffs;
}

async function diffTable(
  engine: Engine,
  lake: Lake,
  contract: TableContract,
  before: TableState | undefined,
  after: TableState | undefined,
  signal: AbortSignal | undefined,
): Promise<TableDiff> {
  const [from, to] = [workName('before', contract.name), workName('after', contract.name)];
  const names = (state: TableState | undefined) => (state?.schema ?? []).map(({ name }) => name);
  const counts = { table: contract.name, rows_before: before?.rows ?? 0, rows_after: after?.rows ?? 0 };
  // a table that one release lacks is an empty one
  const columns_added = before === undefined ? [] : names(after).filter((name) => !names(before).includes(name));
  const columns_removed = after === undefined ? [] : names(before).filter((name) => !names(after).includes(name));
  const columns = { columns_added, columns_removed };
  if (before === undefined || after === undefined) {
    return { ...counts, added: counts.rows_after, removed: counts.rows_before, changed: 0, ...columns };
  }
  try {
    await bindOwnFiles(engine, lake, from, before, after);
    await bindOwnFiles(engine, lake, to, after, before);
    const sides = { contract, from, before: before.schema, to, after: after.schema };
    const [found] = await engine.query(
      `SELECT count(*) FILTER (WHERE b._there IS NULL) AS added,
      count(*) FILTER (WHERE a._there IS NULL) AS removed, count(*) AS n FROM ${changedRows(sides)}`,
      [],
      signal === undefined ? {} : { signal },
    );
    const [added = 0, removed = 0, all = 0] = [found?.['added'], found?.['removed'], found?.['n']].map(Number);
    return { ...counts, added, removed, changed: all - added - removed, ...columns };
  } finally {
    await engine.drop(from);
    await engine.drop(to);
  }
}

async function bindOwnFiles(engine: Engine, lake: Lake, name: string, own: TableState, other: TableState) {
  const files = [];
  for (const { add, storePath } of ownFiles(own.files, other.files)) {
    files.push({ add, localPath: await localCopy(lake.store, storePath, lake.cacheDir) });
  }
  await bindLive(engine, name, { schema: own.schema, partitionBy: own.partitionColumns, files });
}

function isDifferent(diff: TableDiff): boolean {
  const { added, removed, changed, columns_added, columns_removed } = diff;
  return added + removed + changed + columns_added.length + columns_removed.length > 0;
}
