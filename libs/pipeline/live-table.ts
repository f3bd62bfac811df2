import type { Add, Schema } from '#delta';
import type { BoundTable, Engine, Row, WrittenFile } from '#engine';
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

export async function bindLive(engine: Engine, name: string, table: LiveTable): Promise<void> {
  await engine.bind(name, boundOf(table));
}

/** The column that says in which of a table's files, from 0, a row stands. */
export const FILE_COLUMN = '_in_file';

/** Binds some of a table's files, or all of them, with `FILE_COLUMN` beside the table's columns. */
export async function bindNumbered(
  engine: Engine,
  name: string,
  table: LiveTable,
  only: readonly number[] = [...table.files.keys()],
): Promise<void> {
  const { files, ...bound } = boundOf(table);
  const numbered = only.flatMap((number) => files.slice(number, number + 1).map((file) => ({ ...file, number })));
  await engine.bind(name, { ...bound, files: numbered, fileColumn: FILE_COLUMN });
}

function boundOf({ schema, partitionBy, files }: LiveTable): BoundTable {
  return {
    schema,
    partitionColumns: partitionBy,
    files: files.map(({ add, localPath }) => ({ localPath, partitionValues: add.partitionValues })),
  };
}

/** Names a partition by its values as the log writes them; an empty one means NULL there. */
export function partitionOf(partitionBy: readonly string[], values: Row): string {
  return JSON.stringify(
    partitionBy.map((name) => {
      const value = values[name] ?? '';
      return value === '' ? null : String(value);
    }),
  );
}

/** Rows of a file by its statistics; a guess where another writer left them out. */
export function rowsOf({ add }: LiveFile): number {
  return statsOf(add).numRecords ?? Math.ceil(add.size / BYTES_A_ROW);
}

const BYTES_A_ROW = 100;

/** Same columns, types and nullability, and the same partitions; comments may differ. */
export function sameShape(left: Pick<LiveTable, 'schema' | 'partitionBy'>, right: typeof left): boolean {
  return (
    sameSchema(left.schema, right.schema) && JSON.stringify(left.partitionBy) === JSON.stringify(right.partitionBy)
  );
}

/** Same columns, types and nullability; comments may differ. */
function sameSchema(left: Schema, right: Schema): boolean {
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
