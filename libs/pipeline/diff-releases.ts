import type { Catalogue, TableContract } from '#contracts';
import type { Engine } from '#engine';
import { tableAt, type Lake, type Release, type TableState } from '#releases';
import { localCopy } from '#storage';
import { countOf } from './count-of.js';
import { bindLive } from './live-table.js';
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

/** They say which run wrote a row last, not what it says. */
const STAMPS: ReadonlySet<string> = new Set(['_processed_at', '_run_id']);

/**
 * The tables in which two releases differ, in the catalogue's order. Only files that one of the releases has and the
 * other has not are read, so that it costs what changed.
 */
export async function diffReleases(
  { engine, lake, catalogue }: { readonly engine: Engine; readonly lake: Lake; readonly catalogue: Catalogue },
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
    const diff = await diffTable(engine, lake, contract, states[0], states[1]);
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
    const on = contract.key.map((name) => `a.${name} IS NOT DISTINCT FROM b.${name}`).join(' AND ');
    const differs = names(after)
      .filter((name) => names(before).includes(name) && !contract.key.includes(name) && !STAMPS.has(name))
      .map((name) => `a.${name} IS DISTINCT FROM b.${name}`);
    const only = (one: string, other: string) =>
      `(SELECT 1 FROM ${one} a WHERE NOT EXISTS (SELECT 1 FROM ${other} b WHERE ${on}))`;
    const changed = `(SELECT 1 FROM ${to} a JOIN ${from} b ON ${on} WHERE ${differs.join(' OR ') || 'FALSE'})`;
    return {
      ...counts,
      added: await countOf(engine, only(to, from)),
      removed: await countOf(engine, only(from, to)),
      changed: await countOf(engine, changed),
      ...columns,
    };
  } finally {
    await engine.drop(from);
    await engine.drop(to);
  }
}

/** The files of a table that the other release does not have: rows of shared files are the same. */
async function bindOwnFiles(engine: Engine, lake: Lake, name: string, own: TableState, other: TableState) {
  const shared = new Set(other.files.map(({ storePath }) => storePath));
  const files = [];
  for (const { add, storePath } of own.files.filter((file) => !shared.has(file.storePath))) {
    files.push({ add, localPath: await localCopy(lake.store, storePath, lake.cacheDir) });
  }
  await bindLive(engine, name, { schema: own.schema, partitionBy: own.partitionColumns, files });
}

function isDifferent(diff: TableDiff): boolean {
  const { added, removed, changed, columns_added, columns_removed } = diff;
  return added + removed + changed + columns_added.length + columns_removed.length > 0;
}
