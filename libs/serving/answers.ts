import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TableContract } from '#contracts';
import { assert, LakeError } from '#errors';
import { noRelease, ReleaseReader, type Release } from '#releases';
import type { ObjectStore } from '#storage';
import { answerQuery, streamQuery, type Answer, type Asked, type StreamedAnswer } from './answer.js';
import { openCursor } from './cursor.js';
import { Lane } from './lane.js';
import type { OpenTables } from './open-tables.js';
import { provenancePage, type ProvenancePage, type ProvenanceQuestion } from './provenance/provenance-page.js';
import type { Query } from './query.js';
import { tablesRead } from './read-tables.js';
import { SnapshotDatabase, type HeldTable, type SnapshotOptions } from './snapshot-database.js';

/** A release published by any process is served within 2 s. */
const LOOK_EVERY_MS = 500;
const TIMEOUT_MS = 30_000;
/** Statements that wait at most; more would only wait for longer than anybody listens. */
const SHORT_WAITING = 1_000;
const SCANS_WAITING = 32;
const STREAMS_WAITING = 16;
const SCANS_AT_ONCE = 2;
const STREAMS_AT_ONCE = 4;
/** For what is not a question: opening and closing table versions. */
const SPARE_CONNECTIONS = 2;
const MAX_LABELS = 1_000;

export interface AnswersOptions extends SnapshotOptions {
  readonly cursorSecret: string;
  /** For one statement: 30 s unless told. */
  readonly timeoutMs?: number;
}

/** The last look for a newer release; without an error it was served. */
export interface LastLook {
  readonly atMs: number;
  readonly error?: unknown;
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

/** A release that a cursor names and that is no longer kept. */
interface Gone {
  readonly number: number;
  readonly error: LakeError;
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
  /** The bronze records behind a row, a page of them. Throws as `traceRow`, and `cursor-mismatch`. */
  provenance(question: ProvenanceQuestion): Promise<ProvenancePage>;
  /** Runs statements over tables of any layer; those that the release does not have are missing. */
  read<T>(contracts: readonly TableContract[], work: (tables: OpenTables) => Promise<T>): Promise<T>;
  /** `query.limit` may be `all`: rows come in batches. */
  stream(query: Query, contract: TableContract, scopes: ReadonlySet<string>, signal?: AbortSignal): StreamedAnswer;
  unpin(): void;
}

/**
 * Answers questions about gold from the newest release, or any kept one. Notices a publish by whomever within a second,
 * and goes on with what it has while the store fails.
 */
export class Answers {
  /** Where the lake lies, for what is told beside its tables. */
  readonly store: ObjectStore;
  readonly releases: ReleaseReader;
  readonly #short: Lane;
  readonly #scan: Lane;
  readonly #streams: Lane;
  readonly #labels = new LRUCache<number, ReleaseLabel>({ max: MAX_LABELS });
  #current: Release | undefined;
  #lastLook: LastLook = { atMs: 0 };
  #looking: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(
    private readonly options: AnswersOptions,
    private readonly snapshots: SnapshotDatabase,
  ) {
    const { timeoutMs = TIMEOUT_MS, threads } = options;
    this.store = options.lake.store;
    this.releases = new ReleaseReader(this.store);
    this.#short = new Lane(snapshots.short, { atOnce: threads, waiting: SHORT_WAITING, timeoutMs });
    this.#scan = new Lane(snapshots.scan, { atOnce: SCANS_AT_ONCE, waiting: SCANS_WAITING, timeoutMs });
    this.#streams = new Lane(snapshots.scan, { atOnce: STREAMS_AT_ONCE, waiting: STREAMS_WAITING, timeoutMs });
  }

  /** Serves the newest release when this returns, if the store can be read and has one. */
  static async open(options: AnswersOptions): Promise<Answers> {
    const snapshots = await SnapshotDatabase.open(options, {
      short: options.threads + SPARE_CONNECTIONS,
      scan: SCANS_AT_ONCE + STREAMS_AT_ONCE + SPARE_CONNECTIONS,
    });
    const answers = new Answers(options, snapshots);
    await answers.refresh().catch(() => undefined);
    answers.#lookAgain();
    return answers;
  }

  /** The newest release that is served; undefined while the lake has none. */
  get current(): Release | undefined {
    return this.#current;
  }

  get lastLook(): LastLook {
    return this.#lastLook;
  }

  /** Why the last table file could not be built; answers are right without it, and slower. */
  get buildError(): unknown {
    return this.snapshots.buildError;
  }

  /** Looks for a newer release now, and serves it. Throws what the store throws. */
  refresh(): Promise<void> {
    const look = this.#looking.then(() => this.#look());
    this.#looking = look.catch(() => undefined);
    return look;
  }

  /** Resolves when all tables of the release are read from their files. */
  built(): Promise<void> {
    return this.snapshots.built();
  }

  /**
   * The release of that number, or the newest. Throws `release.none` (unavailable) while there is no release,
   * `release.not_found` for a number that never was, `release-gone` for one that was removed.
   */
  async releaseAt(asked?: number): Promise<Release> {
    const latest = this.#current;
    if (latest === undefined) throw this.#none();
    const number = asked ?? latest.number;
    const release = number === latest.number ? latest : await this.releases.get(number);
    if (release === undefined) throw noRelease(number, latest.number);
    return release;
  }

  /** Throws as `releaseAt`, and `query.invalid` for what is no cursor. */
  async pin(asked: AskedRelease): Promise<PinnedRelease> {
    const { release, gone } = await this.#releaseOf(asked);
    const held = new Map<string, Promise<HeldTable>>();
    const hold = (contract: TableContract): Promise<HeldTable> => {
      const table = held.get(contract.name) ?? this.snapshots.hold(release, contract);
      held.set(contract.name, table);
      return table;
    };
    const holdNamed = (name: string): Promise<HeldTable> => {
      const contract = this.options.tables.byName.get(name)?.contract;
      assert(contract !== undefined, `${name} is in the catalogue`);
      return hold(contract);
    };
    const labelNumber = (names: readonly string[]) =>
      Math.max(...names.map((name) => release.tables[name]?.release ?? release.number));
    const numberOf = (names: readonly string[]) => {
      const number = labelNumber(names);
      if (gone !== undefined && number > gone.number) throw gone.error;
      return number;
    };
    const read: PinnedRelease['read'] = async (contracts, work) => {
      const there = contracts.filter(({ name }) => release.tables[name] !== undefined);
      const tables = new Map<string, HeldTable>();
      for (const contract of there) tables.set(contract.name, await hold(contract));
      return againIfDamaged(tables, () => {
        const relations = new Map([...tables].map(([name, table]) => [name, table.relation().sql]));
        return work({
          relationOf: (name) => relations.get(name),
          release,
          query: (sql, parameters, options) => this.#scan.query(sql, parameters, options),
        });
      });
    };
    return {
      release,
      labelOf: (names) => this.#label(labelNumber(names), release),
      versionOf: (names) => {
        const versions = names.map((name) => [name, release.tables[name]?.release, release.tables[name]?.logic]);
        // bronze is read without the loads that are withdrawn
        const withdrawn = names.some((name) => name.startsWith('bronze/')) ? release.withdrawn : [];
        return createHash('sha256')
          .update(JSON.stringify([versions, withdrawn]))
          .digest('base64url')
          .slice(0, 22);
      },
      page: async (query, contract, scopes, { total, signal } = {}) => {
        const names = tablesRead(query, contract, this.options.tables);
        const tables = await holdAll(names, holdNamed);
        const ask = () =>
          answerQuery(
            query,
            this.#asked(numberOf(names), contract, scopes, tables, signal),
            total === undefined ? {} : { total },
          );
        return againIfDamaged(tables, ask);
      },
      provenance: (question) =>
        provenancePage(question, { release, read, numberOf, cursorSecret: this.options.cursorSecret }),
      read,
      stream: (query, contract, scopes, signal) => {
        const names = tablesRead(query, contract, this.options.tables);
        const over = (tables: ReadonlyMap<string, HeldTable>) =>
          streamQuery(query, {
            ...this.#asked(numberOf(names), contract, scopes, tables, signal),
            scan: this.#streams,
          });
        async function* batches() {
          const tables = await holdAll(names, holdNamed);
          try {
            yield* over(tables).batches;
          } catch (error) {
            // what was sent cannot be taken back; the next asker is better off
            await distrusted(tables, error);
            throw error;
          }
        }
        // mistakes show at once, before a table is opened
        const { columns, maskedColumns } = over(new Map());
        return { columns, maskedColumns, batches: batches() };
      },
      unpin: () => {
        for (const table of held.values()) {
          void table.then(
            (held) => held.release(),
            () => undefined,
          );
        }
        held.clear();
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await this.snapshots.close();
  }

  #asked(
    release: number,
    contract: TableContract,
    scopes: ReadonlySet<string>,
    held: ReadonlyMap<string, HeldTable>,
    signal: AbortSignal | undefined,
  ): Asked {
    const { tables, cursorSecret } = this.options;
    // read once: a statement must not see a table at two places
    const relations = new Map([...held].map(([name, table]) => [name, table.relation()]));
    const relationOf = ({ name }: TableContract) => relations.get(name)?.sql ?? '';
    const relation = relations.get(contract.name);
    return {
      short: this.#short,
      scan: this.#scan,
      release,
      contract,
      tables,
      scopes,
      cursorSecret,
      relationOf,
      ...(relation === undefined ? {} : { relation }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  /** Remembered, as most answers are labelled with a few releases. */
  async #label(number: number, asked: Release): Promise<ReleaseLabel> {
    const known = this.#labels.get(number);
    if (known !== undefined) return known;
    const entry = Object.values(asked.tables).find(({ release }) => release === number);
    const { as_of, published_at } = entry ?? {};
    if (as_of !== undefined && published_at !== undefined) return { id: number, as_of, published_at };
    // Published before entries said it: only the record knows, and the one asked is the nearest if that is gone.
    const found = number === asked.number ? asked : await this.releases.get(number);
    const label = { id: number, as_of: (found ?? asked).as_of, published_at: (found ?? asked).published_at };
    if (found !== undefined) this.#labels.set(number, label);
    return label;
  }

  /**
   * A cursor names the release that last changed its tables. Where that one was removed, the newest gives the same rows as
   * long as it still has those tables: `gone` is what to say if it has not.
   */
  async #releaseOf({
    release: asked,
    cursor,
  }: AskedRelease): Promise<{ readonly release: Release; readonly gone?: Gone }> {
    if (asked !== undefined || cursor === undefined) return { release: await this.releaseAt(asked) };
    const { release: number } = openCursor(cursor, this.options.cursorSecret);
    try {
      return { release: await this.releaseAt(number) };
    } catch (error) {
      if (!(error instanceof LakeError) || error.code !== 'release-gone') throw error;
      return { release: await this.releaseAt(), gone: { number, error } };
    }
  }

  #lookAgain(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.refresh()
        .catch(() => undefined)
        .finally(() => this.#lookAgain());
    }, LOOK_EVERY_MS).unref();
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return;
    const atMs = this.options.clock.nowMs();
    try {
      const latest = await this.releases.latest();
      if (latest !== undefined && latest.nonce !== this.#current?.nonce) {
        await this.snapshots.serve(latest);
        this.#current = latest;
      }
      this.snapshots.build();
      this.#lastLook = { atMs };
    } catch (error) {
      this.#lastLook = { atMs, error };
      throw error;
    }
  }

  #none(): LakeError {
    const cause = this.#lastLook.error;
    const message =
      cause === undefined
        ? 'There is no release yet. Start a run, then ask again.'
        : 'No release could be read yet. See to the store of the lake, then ask again.';
    return new LakeError('release.none', 'unavailable', message, { cause });
  }
}

async function holdAll(
  names: readonly string[],
  hold: (name: string) => Promise<HeldTable>,
): Promise<ReadonlyMap<string, HeldTable>> {
  const tables = new Map<string, HeldTable>();
  for (const name of names) tables.set(name, await hold(name));
  return tables;
}

/** Does it over where a damaged file made it fail, and the tables are now read from elsewhere. */
async function againIfDamaged<T>(tables: ReadonlyMap<string, HeldTable>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(await distrusted(tables, error))) throw error;
    return work();
  }
}

/** Whether a failure is that of a damaged file, and the tables are now read from elsewhere. */
async function distrusted(tables: ReadonlyMap<string, HeldTable>, error: unknown): Promise<boolean> {
  if (!(error instanceof LakeError) || error.code !== 'engine.query_failed' || !DAMAGE.test(error.message))
    return false;
  const moved = await Promise.all([...tables.values()].map((table) => table.distrust()));
  return moved.includes(true);
}

const DAMAGE = /corrupt|checksum|IO Error|Serialization Error|INTERNAL Error|FATAL Error/i;
