import type { Add, Schema } from '#delta';
import type { WrittenFile } from '#engine';
import { liveFile, sameShape, type LiveFile, type LiveTable } from './live-table.js';
import type { WriteResult } from './write-table.js';

/** What a run wants to publish for one table: files that come, files that go, and a new schema where it changed. */
export interface TableChange {
  readonly table: string;
  readonly schema: Schema;
  readonly partitionBy: readonly string[];
  /** The table is new, or its schema changed: its metadata belongs to the commit. */
  readonly redefines: 'creates' | 'alters' | 'keeps';
  readonly added: readonly WrittenFile[];
  readonly removed: readonly Add[];
  /** `add.path` of those of both that hold the same rows: small files that were put together. */
  readonly moved: readonly string[];
}

export interface Written {
  readonly table: string;
  readonly shape: { readonly schema: Schema; readonly partitionBy: readonly string[] };
  /** The table in the parent release, when rows were compared with it. */
  readonly before: LiveTable | undefined;
  /** The table in the parent release, compared or not. */
  readonly replaced: LiveTable | undefined;
  readonly result: Pick<WriteResult, 'written' | 'removed' | 'moved'>;
}

/** Pure: the table's new state, and the change that leads to it (undefined when there is none). */
export function applyWrite({ table, shape, before, replaced, result }: Written): {
  readonly change: TableChange | undefined;
  readonly live: LiveTable;
} {
  const old = replaced?.files ?? [];
  const gone = new Set(result.removed === 'all' ? old.map(({ add }) => add.path) : result.removed);
  const goes = ({ add }: LiveFile) => gone.has(add.path);
  const removed = old.filter(goes);
  const kept = before === undefined ? [] : old.filter((file) => !goes(file));
  const live: LiveTable = { ...shape, files: [...kept, ...result.written.map(liveFile)] };
  const alters = replaced !== undefined && !sameShape(replaced, shape);
  if (replaced !== undefined && !alters && removed.length + result.written.length === 0)
    return { change: undefined, live };
  return {
    live,
    change: {
      table,
      ...shape,
      redefines: replaced === undefined ? 'creates' : alters ? 'alters' : 'keeps',
      added: result.written,
      removed: removed.map(({ add }) => add),
      moved: result.moved ?? [],
    },
  };
}
