import { LakeError } from '#errors';
import type { TableContract } from '#contracts';
import type { Row } from '#engine';
import {
  compileQuery,
  compileTotal,
  GROUPS_COLUMN,
  type CompiledQuery,
  type CompileOptions,
  type RelationOf,
} from './compile.js';
import { openCursor, queryDigest, requireFit, sealCursor } from './cursor.js';
import { dayChunks, dayRanges, type DayRange } from './day-counts.js';
import type { Tables } from './field.js';
import { toScalar, type Position } from './keyset.js';
import type { Reader } from './lane.js';
import type { OutputColumn } from './output.js';
import { MAX_GROUPS, type Query } from './query.js';
import { lookedUpRows, type ServedRelation } from './relation.js';

/** A long stream is read in pieces of about so many rows, as one sort of everything would not fit into memory. */
const STREAM_PIECE_ROWS = 50_000;

/** A table as it is asked: by whom, in which release. */
export interface Asked {
  /** For questions that touch few rows. */
  readonly short: Reader;
  /** For those that go through tables. */
  readonly scan: Reader;
  readonly release: number;
  readonly contract: TableContract;
  readonly tables: Tables;
  readonly scopes: ReadonlySet<string>;
  readonly cursorSecret: string;
  readonly signal?: AbortSignal;
  /** Where the table's rows are; `gold.fact_sales` in both readers unless given. */
  readonly relation?: ServedRelation;
  readonly relationOf?: RelationOf;
}

export interface Answer {
  readonly columns: readonly OutputColumn[];
  readonly maskedColumns: readonly string[];
  /** In the query's order. */
  readonly rows: readonly Row[];
  /** Whether there are rows beyond these, in the query's direction. */
  readonly hasMore: boolean;
  /** Goes on where this page ends; null on the last page. */
  readonly nextCursor: string | null;
  /** Rows or groups of all pages; counted only when asked for. */
  readonly total?: number;
  /** The cursor of one of the rows. */
  readonly cursorOf: (row: number) => string;
}

/**
 * Answers one page. The cursor's release must be the one asked: read it with `openCursor` before binding. Throws
 * `query.invalid` for a bad cursor, `cursor-mismatch` for another query's, `too-many-groups`, `PII_SCOPE_REQUIRED`.
 */
export async function answerQuery(
  query: Query,
  asked: Asked,
  want: { readonly total?: boolean } = {},
): Promise<Answer> {
  const limit = query.limit === 'all' ? undefined : query.limit;
  const after = positionAfter(query, asked);
  const compiled = compile(query, asked, { limit: limit === undefined ? 'all' : limit + 1, ...after });
  const [found, total] = await Promise.all([
    limit === undefined
      ? asked.scan.query(compiled.sql, compiled.parameters, signalOf(asked))
      : firstRows(query, asked, compiled, limit + 1, after),
    want.total === true ? countAll(query, asked) : undefined,
  ]);
  refuseManyGroups(found);
  const hasMore = limit !== undefined && found.length > limit;
  const page = hasMore ? found.slice(0, limit) : [...found];
  if (query.backward === true) page.reverse();
  const digest = queryDigest(query, asked.contract);
  const cursorOf = (row: number): string => {
    const position = positionOf(page[row] ?? {}, compiled);
    return sealCursor({ release: asked.release, digest, position }, asked.cursorSecret);
  };
  const last = query.backward === true ? 0 : page.length - 1;
  return {
    columns: compiled.columns,
    maskedColumns: compiled.maskedColumns,
    rows: withoutHidden(page, compiled),
    hasMore,
    nextCursor: hasMore ? cursorOf(last) : null,
    ...(total === undefined ? {} : { total }),
    cursorOf,
  };
}

export interface StreamedAnswer {
  readonly columns: readonly OutputColumn[];
  readonly maskedColumns: readonly string[];
  readonly batches: AsyncIterable<readonly Row[]>;
}

/** Answers with all rows, in batches: memory stays bounded. Errors as `answerQuery`, at once but for `too-many-groups`. */
export function streamQuery(query: Query, asked: Asked): StreamedAnswer {
  const { contract, relation, scan, signal } = asked;
  const after = positionAfter(query, asked);
  const whole = compile(query, asked, { limit: query.limit, ...after });
  const pieces =
    query.limit === 'all' ? dayChunks(query, contract, relation?.days, STREAM_PIECE_ROWS, after.after) : undefined;
  const statements =
    pieces === undefined
      ? [whole]
      : pieces.map((within: DayRange) => compile(query, asked, { limit: 'all', within, ...after }));
  async function* batches(): AsyncIterable<readonly Row[]> {
    for (const { sql, parameters } of statements) {
      for await (const rows of scan.stream(sql, parameters, signal)) {
        refuseManyGroups(rows);
        yield withoutHidden(rows, whole);
      }
    }
  }
  return { columns: whole.columns, maskedColumns: whole.maskedColumns, batches: batches() };
}

/** The first rows of the query: by an index, or from the days that hold them, or else from the whole table. */
async function firstRows(
  query: Query,
  asked: Asked,
  compiled: CompiledQuery,
  wanted: number,
  after: Pick<CompileOptions, 'after'>,
): Promise<readonly Row[]> {
  const { contract, relation, short, scan } = asked;
  const run = (reader: Reader, { sql, parameters }: CompiledQuery, maxRows: number) =>
    reader.query(sql, parameters, { maxRows, ...signalOf(asked) });
  if (relation === undefined || relation.isSmall) return run(short, compiled, wanted);
  const lookedUp = query.kind === 'rows' ? lookedUpRows(query, relation) : undefined;
  if (lookedUp !== undefined) {
    // DuckDB does not use an index below ORDER BY … LIMIT
    const rows = await run(short, compile(query, asked, { limit: 'all', ...after }), lookedUp);
    return rows.slice(0, wanted);
  }
  for (const within of dayRanges(query, contract, relation.days, wanted, after.after)) {
    const rows = await run(short, compile(query, asked, { limit: wanted, within, ...after }), wanted);
    if (rows.length >= wanted) return rows;
  }
  return run(scan, compiled, wanted);
}

function positionAfter(query: Query, asked: Asked): Pick<CompileOptions, 'after'> {
  if (query.cursor === undefined) return {};
  const cursor = openCursor(query.cursor, asked.cursorSecret);
  requireFit(cursor, query, asked.contract, asked.release);
  return { after: cursor.position };
}

function compile(query: Query, asked: Asked, options: CompileOptions): CompiledQuery {
  const { contract, tables, scopes, relationOf } = asked;
  return compileQuery(query, contract, tables, scopes, relationOf === undefined ? options : { ...options, relationOf });
}

async function countAll(query: Query, asked: Asked): Promise<number> {
  const { contract, tables, scopes, relation, relationOf } = asked;
  const { sql, parameters } = compileTotal(query, contract, tables, scopes, relationOf);
  const isSmall = relation === undefined || relation.isSmall;
  const rows = await (isSmall ? asked.short : asked.scan).query(sql, parameters, signalOf(asked));
  return Number(rows[0]?.['total'] ?? 0);
}

function signalOf({ signal }: Asked): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function positionOf(row: Row, compiled: CompiledQuery): Position {
  return compiled.order.map(({ output }) => toScalar(row[output] ?? null));
}

/** The columns of the answer; rows that have no others are passed on as they are. */
function withoutHidden(rows: readonly Row[], { columns }: CompiledQuery): readonly Row[] {
  if (rows[0] === undefined || Object.keys(rows[0]).length === columns.length) return rows;
  return rows.map((row) => Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null])));
}

function refuseManyGroups(rows: readonly Row[]): void {
  const groups = Number(rows[0]?.[GROUPS_COLUMN] ?? 0);
  if (groups <= MAX_GROUPS) return;
  throw new LakeError(
    'too-many-groups',
    'invalid',
    `The query has ${groups} groups, and at most ${MAX_GROUPS} are answered. Filter more, or group by fewer columns.`,
  );
}
