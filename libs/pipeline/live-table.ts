import type { Add, Schema } from '#delta';
import type { BoundTable, Engine } from '#engine';

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
  const bound: BoundTable = {
    schema: table.schema,
    partitionColumns: table.partitionBy,
    files: table.files.map(({ add, localPath }) => ({ localPath, partitionValues: add.partitionValues })),
  };
  await engine.bind(name, bound);
}

/** Same columns, types and nullability; comments may differ. */
export function sameSchema(left: Schema, right: Schema): boolean {
  const shape = (schema: Schema) => JSON.stringify(schema.map(({ name, type, nullable }) => [name, type, nullable]));
  return shape(left) === shape(right);
}

export function partitionKey(partitionBy: readonly string[], values: Readonly<Record<string, string | null>>): string {
  return JSON.stringify(partitionBy.map((name) => values[name] ?? null));
}
