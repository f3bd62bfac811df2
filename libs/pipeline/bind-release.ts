import type { Engine } from '#engine';
import { tableAt, type Lake, type Release } from '#releases';
import { localCopy } from '#storage';
import { bindLive } from './live-table.js';
import { relationOf } from './sql-name.js';

/** Makes every table of a release readable under its name (`silver.orders`, `quarantine.orders`); reads only. */
export async function bindRelease(engine: Engine, lake: Lake, release: Release): Promise<void> {
  for (const table of Object.keys(release.tables)) await bindTable(engine, lake, release, table, relationOf(table));
}

/** Makes one table of a release readable. */
export async function bindTable(
  engine: Engine,
  lake: Lake,
  release: Release,
  table: string,
  name: string,
): Promise<void> {
  const { schema, partitionColumns, files } = await tableAt(lake, release, table);
  const live = [];
  for (const { add, storePath } of files) {
    live.push({ add, localPath: await localCopy(lake.store, storePath, lake.cacheDir) });
  }
  await bindLive(engine, name, { schema, partitionBy: partitionColumns, files: live });
}
