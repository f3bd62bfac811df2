import { createHash } from 'node:crypto';
import type { TableContract } from '#contracts';
import { DuckDbEngine, type Engine } from '#engine';
import { LakeError } from '#errors';
import { ReleaseReader, tableAt, type Clock, type Lake, type Release } from '#releases';
import { localCopy } from '#storage';
import { answerQuery, streamQuery, type Answer, type StreamedAnswer } from './answer.js';
import { openCursor } from './cursor.js';
import type { Tables } from './field.js';
import type { Query } from './query.js';
import { tablesRead } from './read-tables.js';

/** A release published by any process is served within 2 s. */
const REFRESH_EVERY_MS = 500;

export interface AnswersOptions {
  readonly tables: Tables;
  readonly lake: Lake;
  readonly clock: Clock;
  readonly cursorSecret: string;
  /** Files made of tables; deleted at will while nothing runs, and shared by processes. */
  readonly cacheDir: string;
  /** Spilled data goes below it. */
  readonly workDir: string;
  readonly memoryLimitBytes: number;
  readonly threads: number;
}

/** What the body of an answer says of its release. */
export interface ReleaseLabel {
  readonly id: number;
  readonly as_of: string;
  readonly published_at: string;
}

/** Which release is asked: that one, or that of a cursor, or the newest. */
export interface AskedRelease {
  readonly release?: number;
  readonly cursor?: string;
}

export interface Want {
  /** Count the rows of all pages too. */
  readonly total?: boolean;
  readonly signal?: AbortSignal;
}

/** A release held open for one caller. `unpin` must be called, after the last row was read. */
export interface PinnedRelease {
  /** The release asked. */
  readonly release: Release;
  /** The newest release not after it that changed one of the tables: it says all that an answer over them depends on. */
  labelOf(tables: readonly string[]): Promise<ReleaseLabel>;
  /** The state of the tables, as text; two releases that agree in it give the same answers over them. */
  versionOf(tables: readonly string[]): string;
  page(query: Query, contract: TableContract, scopes: ReadonlySet<string>, want?: Want): Promise<Answer>;
  /** `query.limit` may be `all`: rows come in batches. */
  stream(query: Query, contract: TableContract, scopes: ReadonlySet<string>, signal?: AbortSignal): StreamedAnswer;
  unpin(): void;
}

/** Answers questions about gold from the newest release, or any kept one. Notices a publish by whomever within a second. */
export class Answers {
  readonly releases: ReleaseReader;
  readonly #bound = new Map<number, Promise<Engine>>();
  #current: Release | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(private readonly options: AnswersOptions) {
    this.releases = new ReleaseReader(options.lake.store);
  }

  static async open(options: AnswersOptions): Promise<Answers> {
    const answers = new Answers(options);
    await answers.refresh();
    answers.#timer = setInterval(() => void answers.refresh().catch(() => undefined), REFRESH_EVERY_MS).unref();
    return answers;
  }

  /** The newest release that is served; undefined while the lake has none. */
  get current(): Release | undefined {
    return this.#current;
  }

  /** Looks for a newer release now, and serves it. */
  async refresh(): Promise<void> {
    this.#current = await this.releases.latest();
  }

  /**
   * The release of that number, or the newest. Throws `release.none` (unavailable) while there is no release,
   * `release.not_found` for a number that never was, `release-gone` for one that was removed.
   */
  async releaseAt(asked?: number): Promise<Release> {
    const latest = this.#current;
    if (latest === undefined) {
      throw new LakeError('release.none', 'unavailable', 'There is no release yet. Start a run, then ask again.');
    }
    const number = asked ?? latest.number;
    const release = number === latest.number ? latest : await this.releases.get(number);
    if (release === undefined) throw missing(number, latest.number);
    return release;
  }

  /** Throws as `releaseAt`, and `query.invalid` for what is no cursor. */
  async pin(asked: AskedRelease): Promise<PinnedRelease> {
    const release = await this.releaseAt(asked.release ?? this.#cursorRelease(asked.cursor));
    const { cursorSecret, tables } = this.options;
    const engine = await this.#engineOf(release);
    const labelNumber = (names: readonly string[]) =>
      Math.max(...names.map((name) => release.tables[name]?.release ?? release.number));
    const asking = (query: Query, contract: TableContract, scopes: ReadonlySet<string>) => ({
      engine,
      release: labelNumber(tablesRead(query, contract, tables)),
      contract,
      tables,
      scopes,
      cursorSecret,
    });
    return {
      release,
      labelOf: async (names) => {
        const found = (await this.releases.get(labelNumber(names))) ?? release;
        return { id: found.number, as_of: found.as_of, published_at: found.published_at };
      },
      versionOf: (names) =>
        createHash('sha256')
          .update(
            JSON.stringify(names.map((name) => [name, release.tables[name]?.release, release.tables[name]?.logic])),
          )
          .digest('base64url')
          .slice(0, 22),
      page: (query, contract, scopes, { total, signal } = {}) =>
        answerQuery(
          query,
          { ...asking(query, contract, scopes), ...(signal === undefined ? {} : { signal }) },
          total === undefined ? {} : { total },
        ),
      stream: (query, contract, scopes, signal) =>
        streamQuery(query, { ...asking(query, contract, scopes), ...(signal === undefined ? {} : { signal }) }),
      unpin: () => undefined,
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const engine of this.#bound.values()) await (await engine).close();
  }

  #cursorRelease(cursor: string | undefined): number | undefined {
    return cursor === undefined ? undefined : openCursor(cursor, this.options.cursorSecret).release;
  }

  #engineOf(release: Release): Promise<Engine> {
    const bound = this.#bound.get(release.number) ?? this.#bind(release);
    this.#bound.set(release.number, bound);
    return bound;
  }

  async #bind(release: Release): Promise<Engine> {
    const { lake, workDir, memoryLimitBytes, threads } = this.options;
    const memoryLimit = `${Math.floor(memoryLimitBytes / 1e6)}MB`;
    const engine = await DuckDbEngine.open({ workDir, memoryLimit, threads });
    for (const table of Object.keys(release.tables).filter((name) => name.startsWith('gold/'))) {
      const { schema, partitionColumns, files } = await tableAt(lake, release, table);
      const live = [];
      for (const { add, storePath } of files) {
        const localPath = await localCopy(lake.store, storePath, lake.cacheDir);
        live.push({ localPath, partitionValues: add.partitionValues });
      }
      await engine.bind(table.replace('/', '.'), { schema, partitionColumns, files: live });
    }
    return engine;
  }
}

function missing(number: number, latest: number): LakeError {
  const at = { release: number };
  if (number > latest || number < 1) {
    return new LakeError('release.not_found', 'notFound', `There is no release ${number}; the newest is ${latest}.`, {
      at,
    });
  }
  return new LakeError('release-gone', 'notFound', `Release ${number} is no longer kept. Ask a newer one.`, { at });
}
