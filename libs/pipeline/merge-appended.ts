import type { Engine, WrittenFile } from '#engine';
import { filesToMerge } from './compaction.js';
import type { LakeTable } from './lake-schema.js';
import { bindNumbered, rowsOf, sameShape, type LiveTable } from './live-table.js';
import { workName } from './sql-name.js';

interface MergeRequest {
  readonly engine: Engine;
  readonly table: LakeTable;
  readonly before: LiveTable | undefined;
  readonly dir: string;
  readonly filePrefix: string;
  readonly signal: AbortSignal;
}

export interface Merged {
  readonly written: readonly WrittenFile[];
  /** `add.path` of the files that the written ones take the place of. */
  readonly removed: readonly string[];
}

/**
 * Puts small files together that earlier runs appended to a table which only grows. New rows are not among them: the log
 * can then say that these hold no change of the data, and who follows the table reads none of them again.
 */
export async function mergeAppended(request: MergeRequest): Promise<Merged> {
  const { engine, table, before, dir, filePrefix, signal } = request;
  const { schema, partitionBy, layout } = table;
  if (before === undefined || !sameShape(before, table)) return { written: [], removed: [] };
  const sized = before.files.map((file, at) => ({ at, path: file.add.path, rows: rowsOf(file), bytes: file.add.size }));
  const small = filesToMerge(sized, layout.targetBytes);
  if (small.length === 0) return { written: [], removed: [] };
  const name = workName('small', table.name);
  await bindNumbered(
    engine,
    name,
    before,
    small.map(({ at }) => at),
  );
  try {
    const columns = schema.map((field) => field.name).join(', ');
    const target = { dir, filePrefix, schema, partitionBy, layout };
    const written = await engine.materialise(`SELECT ${columns} FROM ${name}`, target, signal);
    return { written, removed: small.map(({ path }) => path) };
  } finally {
    await engine.drop(name);
  }
}
