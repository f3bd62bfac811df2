import type { Catalogue } from '#contracts';
import type { Snapshot } from '#delta';
import type { Engine } from '#engine';
import { lookBase, planBase, storePathOf, type Lake, type Release } from '#releases';
import { localCopy } from '#storage';
import { bindLive, type LiveTable } from './live-table.js';
import { lakeTables } from './lake-schema.js';
import { relationOf } from './sql-name.js';

/** What a run stands on: the parent release's tables, readable on this machine. */
export interface ParentState {
  readonly parent: Release | undefined;
  /** The log's head of each table, to stage on; none for who only looks. */
  readonly bases: ReadonlyMap<string, Snapshot>;
  readonly tables: ReadonlyMap<string, LiveTable>;
}

/**
 * Reads the parent release's tables and binds every table of the catalogue under its name; those not there yet are empty.
 * Whoever only looks needs no roll-forward.
 */
export async function openParent(
  lake: Lake,
  parent: Release | undefined,
  catalogue: Catalogue,
  engine: Engine,
  purpose: 'write' | 'look' = 'write',
): Promise<ParentState> {
  const bases = new Map<string, Snapshot>();
  const tables = new Map<string, LiveTable>();
  for (const { name, schema, partitionBy } of lakeTables(catalogue)) {
    const head = purpose === 'write' ? await planBase(lake, parent, name) : undefined;
    const base = purpose === 'write' ? head : await lookBase(lake, parent, name);
    if (base === undefined) {
      await bindLive(engine, relationOf(name), { schema, partitionBy, files: [] });
      continue;
    }
    const files = [];
    for (const add of base.files.values()) {
      const path = storePathOf(name, add.path);
      files.push({ add, localPath: await localCopy(lake.store, path, lake.cacheDir) });
    }
    const live = { schema: base.schema, partitionBy: base.metadata.partitionColumns, files };
    if (head !== undefined) bases.set(name, head);
    tables.set(name, live);
    await bindLive(engine, relationOf(name), live);
  }
  return { parent, bases, tables };
}
