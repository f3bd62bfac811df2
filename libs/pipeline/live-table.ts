import type { Add, Schema } from '#delta';
import type { BoundTable, Engine, WrittenFile } from '#engine';
import { countOf } from './count-of.js';

/** A live file: what the log says of it, and where this machine can read it. */
export interface LiveFile {
  readonly add: Add;
  readonly localPath: string;
}

/** A table's state as a run sees it: the parent release's files, then with what the run wrote on top. */
export interface LiveTable {
  readonly schema: Schema;
  readonly partitionBy: readonly string[];
  readonly files: readonly LiveFile[];
}

/** `fileColumn`: a column that says which of the table's files, from 0, a row stands in. */
export async function bindLive(engine: Engine, name: string, table: LiveTable, fileColumn?: string): Promise<void> {
  const bound: BoundTable = {
    ...(fileColumn === undefined ? {} : { fileColumn }),
    schema: table.schema,
    partitionColumns: table.partitionBy,
    files: table.files.map(({ add, localPath }) => ({ localPath, partitionValues: add.partitionValues })),
  };
  await engine.bind(name, bound);
}

/** Same columns, types and nullability; comments may differ. */
export function sameSchema(left: Schema, right: Schema): boolean {
  return schemaShape(left) === schemaShape(right);
}

/** What makes two schemas the same, as text. */
export function schemaShape(schema: Schema): string {
  return JSON.stringify(schema.map(({ name, type, nullable }) => [name, type, nullable]));
}

/** The log entry of a written file. Delta readers want a time: the run's own, so that the same run writes the same log. */
export function addOf(file: WrittenFile, modificationTime: number): Add {
  return {
    path: file.addPath,
    partitionValues: file.partitionValues,
    size: file.sizeBytes,
    modificationTime,
    dataChange: true,
    stats: file.stats,
  };
}

/** A file that a run wrote, as part of the table's new state. */
export function liveFile(file: WrittenFile): LiveFile {
  return { add: addOf(file, 0), localPath: file.localPath };
}

interface FileStats {
  readonly numRecords?: number;
  readonly minValues?: Readonly<Record<string, unknown>>;
  readonly maxValues?: Readonly<Record<string, unknown>>;
  readonly nullCount?: Readonly<Record<string, number>>;
}

/** Rows of a bound table: by its files' statistics, which spares opening them, unless another writer left them out. */
export async function countRows(engine: Engine, relation: string, live: LiveTable): Promise<number> {
  return countByStats(live) ?? countOf(engine, relation);
}

function countByStats({ files }: LiveTable): number | undefined {
  let rows = 0;
  for (const { add } of files) {
    const numRecords = statsRecords(add);
    if (numRecords === undefined) return undefined;
    rows += numRecords;
  }
  return rows;
}

/** Whether the files' statistics say that none of the columns has a NULL. False only means that rows must be looked at. */
export function isFilledByStats({ files }: LiveTable, columns: readonly string[]): boolean {
  return files.every(({ add }) => {
    const { nullCount = {} } = statsOf(add);
    return columns.every((name) => (add.partitionValues[name] ?? null) !== null || nullCount[name] === 0);
  });
}

/** Rows of a file as the log counts them; undefined where another writer left that out. */
export function statsRecords(add: Add): number | undefined {
  return statsOf(add).numRecords;
}

/** What the log says of a file's values; numbers beyond 2^53 are rounded. */
export function statsOf({ stats }: Add): FileStats {
  return stats === undefined ? {} : (JSON.parse(stats) as FileStats);
}
