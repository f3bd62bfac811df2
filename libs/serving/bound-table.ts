import { lakeColumns, type TableContract } from '#contracts';
import type { BoundTable } from '#engine';
import type { Lake, TableFile, TableState } from '#releases';
import { localCopy } from '#storage';

/** Files of a table version as an engine binds them, in the columns of today's contract: a release before a column was there has NULL in it. */
export async function boundTable(
  lake: Lake,
  contract: TableContract,
  { partitionColumns }: TableState,
  files: readonly TableFile[],
): Promise<BoundTable> {
  const live = [];
  for (const { add, storePath } of files) {
    live.push({
      localPath: await localCopy(lake.store, storePath, lake.cacheDir),
      partitionValues: add.partitionValues,
    });
  }
  const columns = Object.entries(lakeColumns(contract));
  return {
    schema: columns.map(([name, { type, nullable }]) => ({ name, type, nullable })),
    partitionColumns,
    files: live,
  };
}
