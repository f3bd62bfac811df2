import type { Catalogue, TableContract } from '#contracts';
import type { Engine } from '#engine';
import { assert } from '#errors';
import { tableAt, type Lake, type Release, type TableFile, type TableState } from '#releases';
import { localCopy } from '#storage';
import { bindLive } from '../live-table.js';
import { ownFiles } from '../own-files.js';
import { schemaOf } from '../lake-schema.js';
import { lakeColumns } from '#contracts';
import { workName } from '../sql-name.js';

export interface ComparisonParts {
  readonly engine: Engine;
  readonly lake: Lake;
  readonly catalogue: Catalogue;
  readonly signal?: AbortSignal;
}

type Side = 'before' | 'after';

/**
 * Two releases side by side in an engine, the earlier one as `before`; what is bound and staged is gone with `close`. One
 * at a time in an engine.
 */
export class Comparison {
  readonly #names = new Set<string>();
  readonly #states = new Map<string, Promise<TableState>>();

  constructor(
    readonly parts: ComparisonParts,
    readonly before: Release,
    readonly after: Release,
  ) {
    assert(before.number <= after.number, 'a comparison goes forward');
  }

  contract(table: string): TableContract {
    const contract = this.parts.catalogue.contracts.find(({ name }) => name === table);
    assert(contract !== undefined, `${table} is in the catalogue`);
    return contract;
  }

  /** A table that a release lacks is an empty one. */
  state(side: Side, table: string): Promise<TableState> {
    const key = `${side} ${table}`;
    const state = this.#states.get(key) ?? this.#read(this[side], table);
    this.#states.set(key, state);
    return state;
  }

  isSame(table: string): boolean {
    return JSON.stringify(this.before.tables[table]) === JSON.stringify(this.after.tables[table]);
  }

  /** Binds the files of one side, of one that the other side does not have, or those that `wanted` says; returns the relation. */
  async bind(side: Side, table: string, which: 'all' | 'own' | ((file: TableFile) => boolean)): Promise<string> {
    const { engine, lake } = this.parts;
    const state = await this.state(side, table);
    const other = await this.state(side === 'before' ? 'after' : 'before', table);
    const chosen =
      which === 'all' ? state.files : which === 'own' ? ownFiles(state.files, other.files) : state.files.filter(which);
    const files = [];
    for (const { add, storePath } of chosen) {
      files.push({ add, localPath: await localCopy(lake.store, storePath, lake.cacheDir) });
    }
    const name = this.#name(`${side}_${typeof which === 'string' ? which : 'some'}`, table);
    await bindLive(engine, name, { schema: state.schema, partitionBy: state.partitionColumns, files });
    return name;
  }

  /** Computes a query once; returns the relation. */
  async stage(role: string, table: string, sql: string): Promise<string> {
    const name = this.#name(role, table);
    await this.parts.engine.stage(name, sql, this.parts.signal);
    return name;
  }

  async close(): Promise<void> {
    for (const name of [...this.#names].reverse()) await this.parts.engine.drop(name);
  }

  async #read(release: Release, table: string): Promise<TableState> {
    if (release.tables[table] !== undefined) return tableAt(this.parts.lake, release, table);
    const contract = this.contract(table);
    const shape = { schema: schemaOf(lakeColumns(contract)), partitionColumns: contract.partitionBy };
    return { table, release: release.number, ...shape, files: [], rows: 0 };
  }

  #name(role: string, table: string): string {
    const name = workName(`compared_${role}`, table);
    this.#names.add(name);
    return name;
  }
}
