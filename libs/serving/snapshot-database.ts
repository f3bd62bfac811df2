import { access, mkdir, rm } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { LakeError } from '#errors';
import type { TableContract } from '#contracts';
import { DuckDbEngine } from '#engine';
import { tableAt, type Clock, type Lake, type Release, type TableState } from '#releases';
import { boundTable } from './bound-table.js';
import type { Tables } from './field.js';
import { FileBuilder } from './file-builder.js';
import type { ServedRelation } from './relation.js';
import { quoted } from './sql.js';
import { cleanFolder, countDays, fileName, filePath, readTableFile } from './table-file.js';

export interface SnapshotOptions {
  readonly tables: Tables;
  readonly lake: Lake;
  readonly clock: Clock;
  /** Files made of tables; may be deleted while nothing runs, and shared by processes. */
  readonly cacheDir: string;
  /** Spilled data goes below it. */
  readonly workDir: string;
  /** At most 1 GB of it is used. */
  readonly memoryLimitBytes: number;
  readonly threads: number;
  /** Tables with fewer rows have no index: 100,000 unless told. */
  readonly smallTableRows?: number;
}

/** Shares of the memory: indexes stay in that of short questions. */
const MOST_MEMORY_BYTES = 1e9;
const SHORT_SHARE = 0.4;
const SCAN_SHARE = 0.25;
const BUILD_SHARE = 0.35;
const INDEX_SHARE = 0.3;

const SMALL_TABLE_ROWS = 100_000;
/** Versions of earlier releases that stay readable after nobody reads them. */
const MAX_IDLE_VERSIONS = 64;
const RETRY_BUILD_AFTER_MS = 30_000;

/** A table as some release has it, readable in both engines until it is closed. */
interface Version {
  readonly key: string;
  readonly contract: TableContract;
  readonly state: TableState;
  /** Of its file. */
  readonly name: string;
  /** What its file is attached as; no two versions share one, as one may be opened while an earlier one closes. */
  readonly alias: string;
  readonly viewName: string;
  readonly isSmall: boolean;
  relation: ServedRelation;
  users: number;
  isClosed: boolean;
  isAttached: boolean;
  view: Promise<void> | undefined;
  /** On its way from a damaged file to the lake's own, or there. */
  moving: Promise<void> | undefined;
  notBeforeMs: number;
}

/** A table version held for reading. What `relation` says may change to another place with the same rows. */
export interface HeldTable {
  relation(): ServedRelation;
  /** Reads the lake's own files from now on, and builds the file anew. False where it was not read from a file. */
  distrust(): Promise<boolean>;
  release(): void;
}

/**
 * Table versions in two engines: one thread for short questions, all for scans. A version is read from its Parquet
 * files at once, and from a database file as soon as that is built; only the newest release's tables get files.
 */
export class SnapshotDatabase {
  readonly #versions = new Map<string, Promise<Version>>();
  readonly #idle = new LRUCache<string, Version>({
    max: MAX_IDLE_VERSIONS,
    dispose: (version, _, reason) => {
      if (reason === 'evict') void this.#close(version);
    },
  });
  /** The newest release's. */
  #served = new Map<string, Version>();
  #building: Promise<void> | undefined;
  #buildError: unknown;
  #isUntidy = false;
  #opened = 0;
  /** DuckDB opens no file twice. */
  readonly #detaching = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  private constructor(
    private readonly options: SnapshotOptions,
    readonly short: DuckDbEngine,
    readonly scan: DuckDbEngine,
    private readonly builder: FileBuilder,
  ) {}

  static async open(options: SnapshotOptions, connections: { short: number; scan: number }): Promise<SnapshotDatabase> {
    const { cacheDir, workDir, threads } = options;
    const memoryBytes = Math.min(options.memoryLimitBytes, MOST_MEMORY_BYTES);
    const memoryLimit = (share: number) => `${Math.floor((share * memoryBytes) / 1e6)}MB`;
    await mkdir(cacheDir, { recursive: true });
    const short = await DuckDbEngine.open({
      workDir,
      memoryLimit: memoryLimit(SHORT_SHARE),
      threads: 1,
      connections: connections.short,
    });
    const scan = await DuckDbEngine.open({
      workDir,
      memoryLimit: memoryLimit(SCAN_SHARE),
      threads,
      connections: connections.scan,
    });
    const builder = new FileBuilder({
      cacheDir,
      openEngine: () =>
        DuckDbEngine.open({ workDir, memoryLimit: memoryLimit(BUILD_SHARE), threads: 1, connections: 2 }),
      indexBytes: INDEX_SHARE * memoryBytes,
    });
    return new SnapshotDatabase(options, short, scan, builder);
  }

  /** Why the last file could not be built; undefined when all is well. */
  get buildError(): unknown {
    return this.#buildError;
  }

  /** Makes the release's tables readable, then builds the files of those that have none. */
  async serve(release: Release): Promise<void> {
    const served = new Map<string, Version>();
    try {
      for (const contract of this.#servedTables(release)) {
        served.set(contract.name, await this.#take(release, contract));
      }
    } catch (error) {
      for (const version of served.values()) this.#leave(version);
      throw error;
    }
    const before = this.#served;
    this.#served = served;
    for (const version of before.values()) this.#leave(version);
    this.#isUntidy = true;
    this.build();
  }

  /** Throws `release.no_table`; `serving.unreadable` if the files of the table are gone. */
  async hold(release: Release, contract: TableContract): Promise<HeldTable> {
    const version = await this.#take(release, contract);
    let isHeld = true;
    return {
      relation: () => version.relation,
      distrust: () => this.#distrust(version),
      release: () => {
        if (isHeld) this.#leave(version);
        isHeld = false;
      },
    };
  }

  /** Goes on building in the background what has no file yet. */
  build(): void {
    if (this.#closing.signal.aborted || (this.#next() === undefined && !this.#isUntidy)) return;
    this.#building ??= this.#buildAll()
      .catch((error: unknown) => void (this.#buildError = error))
      .finally(() => (this.#building = undefined));
  }

  /** Resolves when nothing is being built. */
  async built(): Promise<void> {
    while (this.#building !== undefined) await this.#building;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#building;
    await this.short.close();
    await this.scan.close();
  }

  #servedTables(release: Release): readonly TableContract[] {
    return Object.keys(release.tables).flatMap((name) => {
      const contract = this.options.tables.byName.get(name)?.contract;
      return contract?.layer === 'gold' ? [contract] : [];
    });
  }

  /** With one user more; whoever takes leaves. */
  async #take(release: Release, contract: TableContract): Promise<Version> {
    const { name } = contract;
    const key = JSON.stringify([name, release.tables[name] ?? release.number]);
    for (;;) {
      const opening = this.#versions.get(key) ?? this.#open(key, release, contract);
      this.#versions.set(key, opening);
      try {
        const version = await opening;
        if (version.isClosed) continue;
        this.#idle.delete(key);
        version.users++;
        return version;
      } catch (error) {
        this.#versions.delete(key);
        throw error;
      }
    }
  }

  async #open(key: string, release: Release, contract: TableContract): Promise<Version> {
    const { lake, cacheDir } = this.options;
    const state = await tableAt(lake, release, contract.name);
    const isSmall = state.rows < (this.options.smallTableRows ?? SMALL_TABLE_ROWS);
    const version: Version = {
      key,
      contract,
      state,
      name: fileName(lake.store.url, contract, state),
      alias: `${contract.name}#${++this.#opened}`,
      viewName: `files#${this.#opened}`,
      isSmall,
      relation: { sql: '', isSmall, indexed: new Map() },
      users: 0,
      isClosed: false,
      isAttached: false,
      view: undefined,
      moving: undefined,
      notBeforeMs: 0,
    };
    if (await exists(filePath(cacheDir, version.name))) await this.#attach(version).catch(() => undefined);
    if (!version.isAttached) {
      await this.#useView(version);
      void this.#countDays(version);
    }
    return version;
  }

  /** Makes first pages cheap until there is a file; without it they are only slower. */
  async #countDays(version: Version): Promise<void> {
    const { relation, contract } = version;
    if (relation.isSmall || contract.layer !== 'gold') return;
    const days = await countDays(this.scan, relation.sql, contract).catch(() => undefined);
    // unless it was moved to its file
    if (days !== undefined && version.relation === relation) version.relation = { ...relation, days };
  }

  /** Reads the version from its file, which is there. One that cannot be read is removed. */
  async #attach(version: Version): Promise<void> {
    const { name, alias, contract, state } = version;
    const file = filePath(this.options.cacheDir, name);
    await this.#detaching.get(name);
    const attached: DuckDbEngine[] = [];
    try {
      for (const engine of [this.short, this.scan]) {
        await engine.attach(alias, file);
        attached.push(engine);
      }
      const { relation, exchangedBytes } = await readTableFile(this.short, alias, contract, state, version.isSmall);
      this.builder.remember({ name, contract, state, exchangedBytes, indexed: [...relation.indexed.keys()] });
      version.relation = relation;
      version.isAttached = true;
      version.moving = undefined;
    } catch (error) {
      for (const engine of attached) await engine.detach(alias);
      await rm(file, { force: true });
      throw error;
    }
  }

  async #useView(version: Version): Promise<void> {
    version.view ??= this.#bind(version);
    await version.view;
    version.relation = { sql: quoted(version.viewName), isSmall: version.isSmall, indexed: new Map() };
  }

  async #bind({ viewName, contract, state }: Version): Promise<void> {
    try {
      const table = await boundTable(this.options.lake, contract, state, state.files);
      for (const engine of [this.short, this.scan]) await engine.bind(viewName, table);
    } catch (cause) {
      throw new LakeError(
        'serving.unreadable',
        'unavailable',
        `The files of ${state.table} in release ${state.release} cannot be read. Ask a newer release, or restore them.`,
        { at: { table: state.table, release: state.release }, cause },
      );
    }
  }

  /** Everybody whose question failed waits for the same move. */
  async #distrust(version: Version): Promise<boolean> {
    if (version.isAttached) version.moving ??= this.#moveFromFile(version);
    if (version.moving === undefined) return false;
    await version.moving;
    return true;
  }

  async #moveFromFile(version: Version): Promise<void> {
    await this.#useView(version);
    await rm(filePath(this.options.cacheDir, version.name), { force: true });
    await this.#detach(version);
    this.build();
  }

  #leave(version: Version): void {
    version.users--;
    if (version.users > 0) return;
    if (version.isAttached) void this.#close(version);
    else this.#idle.set(version.key, version);
  }

  async #close(version: Version): Promise<void> {
    if (version.users > 0 || version.isClosed) return;
    version.isClosed = true;
    this.#versions.delete(version.key);
    if (version.isAttached) await this.#detach(version);
    if (version.view !== undefined) {
      for (const engine of [this.short, this.scan]) await engine.drop(version.viewName).catch(() => undefined);
    }
  }

  #detach(version: Version): Promise<void> {
    version.isAttached = false;
    const detached = (async () => {
      for (const engine of [this.short, this.scan]) await engine.detach(version.alias).catch(() => undefined);
      this.#detaching.delete(version.name);
    })();
    this.#detaching.set(version.name, detached);
    return detached;
  }

  /** The next version that wants a file. */
  #next(): Version | undefined {
    const nowMs = this.options.clock.nowMs();
    return [...this.#served.values()].find((version) => !version.isAttached && version.notBeforeMs <= nowMs);
  }

  async #buildAll(): Promise<void> {
    const { lake, cacheDir } = this.options;
    try {
      for (let version = this.#next(); version !== undefined; version = this.#next()) {
        version.users++;
        try {
          await this.builder.build(version, lake, this.#closing.signal);
          await this.#attach(version);
          this.#buildError = undefined;
        } catch (error) {
          this.builder.forget(version.contract.name);
          version.notBeforeMs = this.options.clock.nowMs() + RETRY_BUILD_AFTER_MS;
          this.#buildError = error;
        } finally {
          this.#leave(version);
        }
        if (this.#closing.signal.aborted) return;
      }
    } finally {
      await this.builder.rest();
    }
    this.#isUntidy = false;
    await cleanFolder(
      cacheDir,
      [...this.#served.values()].map(({ name }) => name),
    );
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
