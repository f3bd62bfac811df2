import { setMaxListeners } from 'node:events';
import { LakeError } from '#errors';
import type { Release } from '#releases';
import {
  parseQuery,
  tablesBehind,
  tablesRead,
  type Answer,
  type AskedRelease,
  type PinnedRelease,
  type ReleaseLabel,
  type ShownRecord,
} from '#serving';
import type { Caller, Scope } from '../edge/caller.js';
import type { ApiServices } from '../services.js';
import { badInput, tooCostly, TimedOut } from './door-error.js';
import { camelCase } from './camel-case.js';
import type { TableShape } from './table-shape.js';

/** Values that one operation may ask for: the largest page of the widest table with all its relations, and no second. */
const MAX_COST = 1_000_000;
/** Of a question, beside the values of its answer: engines read many rows to count or add up a few. */
export const COST_OF_SCAN = 1_000;
/** Fields that lead to a statement each. */
const MAX_QUESTIONS = 50;
const TIMEOUT_MS = 30_000;

export interface OperationOptions {
  readonly services: ApiServices;
  readonly caller: Caller;
  readonly requestId: string;
  /** For fields that name no release themselves; the newest unless given. */
  readonly release?: number;
}

/** Where a field's answer comes from, and which part of it. */
export interface FieldOptions {
  readonly release?: string | null;
  readonly cursor?: string;
  readonly backward?: boolean;
  readonly total?: boolean;
}

export interface FieldAnswer extends Answer {
  readonly label: () => Promise<ReleaseLabel>;
}

const NEWEST = 'newest';

interface Pin {
  readonly pinned: Promise<PinnedRelease>;
  readonly tables: Set<string>;
}

interface Read {
  readonly key: string;
  readonly pinned: PinnedRelease;
  readonly tables: readonly string[];
}

/** What the whole of an operation's answer depends on. */
export interface Outcome {
  readonly extensions: {
    readonly release?: number;
    readonly asOf?: string;
    readonly cost: number;
    readonly maskedColumns: readonly string[];
  };
  /** That of the fields which name none, or else the first that one named; absent if no table was read. */
  readonly release?: Release;
  /** The states of what was read, by release in the order of fields. */
  readonly versions: readonly string[];
  readonly tables: readonly string[];
  /** Whether all of it was read from the newest release. */
  readonly isNewest: boolean;
  readonly isCurrentState: boolean;
}

/**
 * One operation of a caller. Its fields see one release, unless they name another: each release is pinned once and let
 * go at the end, when nothing reads from it any more.
 */
export class Operation {
  readonly services: ApiServices;
  readonly #pins = new Map<string, Pin>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #masked = new Set<string>();
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** The last row that is traced. */
  #tracing: Promise<unknown> = Promise.resolve();
  #cost = 0;
  #questions = 0;
  #isCurrentState = false;
  #end: 'no' | 'done' | 'timeout' = 'no';

  constructor(private readonly options: OperationOptions) {
    this.services = options.services;
    this.#timer = setTimeout(() => this.#stop('timeout'), TIMEOUT_MS).unref();
    // every statement listens, some at once for each field; Node takes more than ten for a leak
    setMaxListeners(0, this.#abort.signal);
  }

  get caller(): Caller {
    return this.options.caller;
  }

  get requestId(): string {
    return this.options.requestId;
  }

  /** Throws `request.scope_required`. */
  require(scope: Scope): void {
    if (this.caller.scopes.has(scope)) return;
    throw new LakeError('request.scope_required', 'forbidden', `This needs the scope ${scope}.`);
  }

  /**
   * Has to be called before the first await of a resolver: resolvers of an operation start together, so no statement
   * runs before all of it was added up. Throws `query.too_costly`.
   */
  charge(cost: number): void {
    this.#cost += cost;
    this.#questions += 1;
    if (this.#questions > MAX_QUESTIONS) {
      this.#stop('done');
      throw tooCostly(`An operation has at most ${MAX_QUESTIONS} fields that read a table. Send several.`);
    }
    if (this.#cost > MAX_COST) {
      this.#stop('done');
      throw tooCostly(
        `The operation costs ${this.#cost}, and at most ${MAX_COST} is answered. Ask for fewer rows (first) or fields.`,
      );
    }
  }

  /** One page of an answer to the JSON of a query (see parseQuery). Throws what `Answers` throws. */
  ask({ contract }: TableShape, question: object, options: FieldOptions): Promise<FieldAnswer> {
    const { catalogue } = this.services;
    const { cursor, backward = false, total = false } = options;
    const query = parseQuery({ ...question, ...(cursor === undefined ? {} : { cursor }) }, contract, catalogue);
    const asked = this.#asked(options);
    return this.#tracked(async () => {
      const { pinned, tables } = this.#pin(asked);
      const read = tablesRead(query, contract, catalogue);
      for (const table of read) tables.add(table);
      const release = await pinned;
      if (this.#end !== 'no') throw this.#ended();
      const want = { total, signal: this.#abort.signal };
      if (cursor !== undefined) await this.#requireKnown(cursor, release);
      // pages are told apart by arguments: the next one may select more
      const page = query.kind === 'rows' ? { ...query, backward, anySelect: true } : query;
      const answer = await release.page(page, contract, this.caller.scopes, want);
      for (const path of answer.maskedColumns) this.#masked.add(path.split('.').map(camelCase).join('.'));
      return { ...answer, label: () => this.#tracked(() => release.labelOf(read)) };
    });
  }

  /** The first records behind a row of an answer, one row after the other: each is traced through all its tables. */
  provenance(
    { contract }: TableShape,
    key: string,
    limit: number,
    from: FieldOptions,
  ): Promise<readonly ShownRecord[]> {
    const asked = this.#asked(from);
    const { catalogue } = this.services;
    const trace = () =>
      this.#tracked(async () => {
        const { pinned, tables } = this.#pin(asked);
        const release = await pinned;
        for (const table of tablesBehind(contract, catalogue, release.release)) tables.add(table);
        const { scopes } = this.caller;
        const page = await release.provenance({ catalogue, contract, key, limit, scopes, signal: this.#abort.signal });
        for (const column of page.maskedColumns) this.#masked.add(`provenance.${column}`);
        return page.records;
      });
    const traced = this.#tracing.then(trace);
    this.#tracing = traced.catch(() => undefined);
    return traced;
  }

  /** What the answer depends on beside what was asked is current state: it is not kept. */
  readCurrentState(): void {
    this.#isCurrentState = true;
  }

  /** After execution: stops what still runs (a field that failed does not wait for the others) and says what was read. */
  async finish(): Promise<Outcome> {
    const reads: Read[] = [];
    for (const [key, { pinned, tables }] of this.#pins) {
      const read = await pinned.catch(() => undefined);
      if (read !== undefined && tables.size > 0) reads.push({ key, pinned: read, tables: [...tables].sort() });
    }
    const main = reads.find(({ key }) => key === keyOf(this.#asked({}))) ?? reads[0];
    const label = await main?.pinned.labelOf(main.tables);
    const outcome: Outcome = {
      extensions: {
        ...(label === undefined ? {} : { release: label.id, asOf: label.as_of }),
        cost: this.#cost,
        maskedColumns: [...this.#masked].sort(),
      },
      ...(main === undefined ? {} : { release: main.pinned.release }),
      versions: reads.map(({ pinned, tables }) => pinned.versionOf(tables)),
      tables: [...new Set(reads.flatMap(({ tables }) => tables))].sort(),
      isNewest: this.#pins.size === 1 && this.#pins.has(NEWEST),
      isCurrentState: this.#isCurrentState,
    };
    await this.end();
    return outcome;
  }

  /** Lets go of the releases, as soon as nothing reads from them any more. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stop('done');
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    const pins = [...this.#pins.values()];
    this.#pins.clear();
    for (const { pinned } of pins) {
      await pinned.then(
        (release) => release.unpin(),
        () => undefined,
      );
    }
  }

  /** The caller is gone. */
  cancel(): void {
    this.#stop('done');
  }

  /** A field with a release and a cursor: the cursor may not come from a later one. */
  async #requireKnown(cursor: string, { release }: PinnedRelease): Promise<void> {
    const from = await this.#pin({ cursor }).pinned;
    if (from.release.number <= release.number) return;
    const message = `The cursor is of release ${from.release.number}. Leave the argument release out.`;
    throw new LakeError('cursor-mismatch', 'invalid', message);
  }

  #pin(asked: AskedRelease): Pin {
    if (this.#end !== 'no') throw this.#ended();
    const key = keyOf(asked);
    const pin = this.#pins.get(key) ?? { pinned: this.services.answers.pin(asked), tables: new Set() };
    this.#pins.set(key, pin);
    return pin;
  }

  #asked({ release, cursor }: FieldOptions): AskedRelease {
    if (release !== undefined && release !== null) {
      if (!/^[1-9]\d{0,14}$/.test(release))
        throw badInput('/release', 'wrong-type', 'expected the number of a release');
      return { release: Number(release) };
    }
    if (cursor !== undefined) return { cursor };
    return this.options.release === undefined ? {} : { release: this.options.release };
  }

  async #tracked<T>(work: () => Promise<T>): Promise<T> {
    // all fields of an operation have begun, and were added up, before the first of them reads
    const running = Promise.resolve().then(work);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw this.#end === 'timeout' ? new TimedOut(error) : error;
    } finally {
      this.#running.delete(running);
    }
  }

  #stop(why: 'done' | 'timeout'): void {
    if (this.#end === 'no') this.#end = why;
    this.#abort.abort();
  }

  #ended(): LakeError {
    return new LakeError('engine.cancelled', 'unavailable', 'The operation ended before this was read.');
  }
}

function keyOf({ release, cursor }: AskedRelease): string {
  return cursor ?? String(release ?? NEWEST);
}
