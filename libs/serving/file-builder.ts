import { copyFile, rename, rm } from 'node:fs/promises';
import type { TableContract } from '#contracts';
import type { DuckDbEngine } from '#engine';
import type { Lake, TableFile, TableState } from '#releases';
import { boundTable } from './bound-table.js';
import { buildPath, buildStatements, filePath, indexesFor, updateStatements } from './table-file.js';

/** A larger part of a table is sooner built than exchanged, and so is a file with many holes. */
const MAX_CHANGED_SHARE = 0.3;

/** A version of a table that a file is wanted of. */
export interface Wanted {
  readonly name: string;
  readonly contract: TableContract;
  readonly state: TableState;
  /** Needs no index. */
  readonly isSmall: boolean;
}

/** A file that a later version's may be made from. */
interface Base extends Omit<Wanted, 'isSmall'> {
  readonly indexed: readonly string[];
  /** Bytes of Parquet that were exchanged since the file was built from nothing. */
  readonly exchangedBytes: number;
}

interface BuilderOptions {
  readonly cacheDir: string;
  readonly openEngine: () => Promise<DuckDbEngine>;
  /** For the indexes of one table. */
  readonly indexBytes: number;
}

/** Makes files of table versions: under their names they are always whole. */
export class FileBuilder {
  #engine: Promise<DuckDbEngine> | undefined;
  readonly #bases = new Map<string, Base>();

  constructor(private readonly options: BuilderOptions) {}

  async build(wanted: Wanted, lake: Lake, signal: AbortSignal): Promise<void> {
    const { cacheDir } = this.options;
    const building = buildPath(cacheDir, wanted.name);
    try {
      if (!(await this.#update(wanted, lake, building, signal))) await this.#rebuild(wanted, lake, building, signal);
      await rename(building, filePath(cacheDir, wanted.name));
    } finally {
      for (const file of [building, `${building}.wal`]) await rm(file, { force: true });
    }
  }

  /** A file that is there: later versions of its table may be made from it. */
  remember(base: Base): void {
    this.#bases.set(base.contract.name, base);
  }

  /** Builds the table's next file from nothing. */
  forget(table: string): void {
    this.#bases.delete(table);
  }

  /** Gives back memory until the next build. */
  async rest(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    await (await engine)?.close();
  }

  async #rebuild(wanted: Wanted, lake: Lake, building: string, signal: AbortSignal): Promise<void> {
    const { contract, state } = wanted;
    const engine = await this.#open();
    await engine.bind('source', await boundTable(lake, contract, state, state.files));
    const indexBytes = wanted.isSmall ? 0 : this.options.indexBytes;
    const indexed = await indexesFor(engine, 'source', contract, state.rows, indexBytes);
    await engine.writeDatabase(building, buildStatements('source', contract, indexed), signal);
  }

  /** Exchanges the rows of the files that are not the same; false where a new build is the better way. */
  async #update(wanted: Wanted, lake: Lake, building: string, signal: AbortSignal): Promise<boolean> {
    const { contract, state } = wanted;
    const base = this.#bases.get(contract.name);
    if (base === undefined || schemaOf(base.state) !== schemaOf(state)) return false;
    const removed = without(base.state.files, state.files);
    const added = without(state.files, base.state.files);
    const exchangedBytes = base.exchangedBytes + bytesOf(removed) + bytesOf(added);
    if (exchangedBytes > MAX_CHANGED_SHARE * bytesOf(state.files)) return false;
    const isThere = await copyFile(filePath(this.options.cacheDir, base.name), building).then(
      () => true,
      () => false,
    );
    if (!isThere) return false;
    const engine = await this.#open();
    await engine.bind('removed', await boundTable(lake, contract, base.state, removed));
    await engine.bind('added', await boundTable(lake, contract, state, added));
    const statements = updateStatements('removed', 'added', contract, base.indexed, exchangedBytes);
    await engine.writeDatabase(building, statements, signal);
    return true;
  }

  #open(): Promise<DuckDbEngine> {
    return (this.#engine ??= this.options.openEngine());
  }
}

function without(files: readonly TableFile[], others: readonly TableFile[]): readonly TableFile[] {
  const paths = new Set(others.map(({ storePath }) => storePath));
  return files.filter(({ storePath }) => !paths.has(storePath));
}

function bytesOf(files: readonly TableFile[]): number {
  return files.reduce((sum, { add }) => sum + add.size, 0);
}

function schemaOf({ schema, partitionColumns }: TableState): string {
  return JSON.stringify([schema.map(({ name, type }) => [name, type]), partitionColumns]);
}
