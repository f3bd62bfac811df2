import { LakeError } from '#errors';
import type { TableContract } from '#contracts';
import type { Engine, Row } from '#engine';
import { compileQuery, compileTotal, GROUPS_COLUMN, type CompiledQuery } from './compile.js';
import { cursorMismatch, openCursor, queryDigest, sealCursor } from './cursor.js';
import type { Tables } from './field.js';
import { toScalar, type Position } from './keyset.js';
import type { OutputColumn } from './output.js';
import { MAX_GROUPS, type Query } from './query.js';

/** A table as it is asked: by whom, in which release. */
export interface Asked {
  /** Has the tables of `release` bound under their names (`gold.fact_sales`). */
  readonly engine: Engine;
  readonly release: number;
  readonly contract: TableContract;
  readonly tables: Tables;
  readonly scopes: ReadonlySet<string>;
  readonly cursorSecret: string;
  readonly signal?: AbortSignal;
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
  const compiled = compile(query, asked, limit === undefined ? 'all' : limit + 1);
  const [found, total] = await Promise.all([
    asked.engine.query(compiled.sql, compiled.parameters, {
      ...(limit === undefined ? {} : { maxRows: limit + 1 }),
      ...(asked.signal === undefined ? {} : { signal: asked.signal }),
    }),
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
    rows: page.map((row) => withoutHidden(row, compiled)),
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
  const compiled = compile(query, asked, query.limit);
  async function* batches(): AsyncIterable<readonly Row[]> {
    for await (const rows of asked.engine.stream(compiled.sql, compiled.parameters, asked.signal)) {
      refuseManyGroups(rows);
      yield rows.map((row) => withoutHidden(row, compiled));
    }
  }
  return { columns: compiled.columns, maskedColumns: compiled.maskedColumns, batches: batches() };
}

function compile(query: Query, asked: Asked, limit: number | 'all'): CompiledQuery {
  const { contract, tables, scopes } = asked;
  if (query.cursor === undefined) return compileQuery(query, contract, tables, scopes, { limit });
  const cursor = openCursor(query.cursor, asked.cursorSecret);
  if (cursor.digest !== queryDigest(query, contract) || cursor.release !== asked.release) throw cursorMismatch();
  return compileQuery(query, contract, tables, scopes, { limit, after: cursor.position });
}

async function countAll(query: Query, asked: Asked): Promise<number> {
  const { sql, parameters } = compileTotal(query, asked.contract, asked.tables, asked.scopes);
  const rows = await asked.engine.query(sql, parameters, asked.signal === undefined ? {} : { signal: asked.signal });
  return Number(rows[0]?.['total'] ?? 0);
}

function positionOf(row: Row, compiled: CompiledQuery): Position {
  return compiled.order.map(({ output }) => toScalar(row[output] ?? null));
}

function withoutHidden(row: Row, { columns }: CompiledQuery): Row {
  return Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null]));
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
