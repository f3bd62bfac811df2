import type { Engine, Layout, WrittenFile } from '#engine';
import type { Schema } from '#delta';
import type { Change } from './affected.js';
import { filesHolding } from './holding-files.js';
import { bindLive, bindNumbered, countRows, FILE_COLUMN, liveFile, partitionOf, type LiveTable } from './live-table.js';
import { APART, apartOf, placedRows, planRewrites } from './place-rows.js';
import { beforeRows, cameRows, stageDifference, touchedFiles, type Counts } from './row-difference.js';
import { semiJoin } from './semi-join.js';
import { literal, workName } from './sql-name.js';

export interface WriteRequest {
  readonly engine: Engine;
  readonly table: string;
  /** Columns that tell rows apart; NULL equals NULL. */
  readonly key: readonly string[];
  readonly partitionBy: readonly string[];
  readonly layout: Layout;
  readonly schema: Schema;
  /** A relation or query with every column of the schema but `_processed_at` and `_run_id`. */
  readonly rows: string;
  /** `rows` are those of some units alone: of the values that `relation` has for `by`. Others stay as they are. */
  readonly scope?: { readonly relation: string; readonly by: readonly string[] };
  /** The table in the parent release, when it has one of the same schema. */
  readonly prior: LiveTable | undefined;
  /** The stamp columns this table carries (a subset of `_processed_at`, `_run_id`). */
  readonly stamp: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly filePrefix: string;
  readonly signal: AbortSignal;
}

export interface WriteResult extends Counts {
  readonly written: readonly WrittenFile[];
  /** `add.path` of the parent's files that go; `all` for the whole table. */
  readonly removed: 'all' | readonly string[];
  /** Those of both that hold the same rows: small files that were put together. */
  readonly moved?: readonly string[];
  /**
   * The rows that came and those that went, in a relation that the caller drops: every column but the stamps, and
   * `_came`. `all` where there was nothing to compare with, or little stayed the same.
   */
  readonly changed: Change;
}

/** Changed rows are kept for others up to this many, and beyond it as long as they are fewer than the rest. */
const FEW_ROWS = 1_000_000;

/**
 * Writes what differs from the parent release and nothing else: only the files that hold a changed row are written
 * again, and a row whose own columns did not change keeps its stamp.
 */
export async function writeTable(request: WriteRequest): Promise<WriteResult> {
  return request.prior === undefined ? writeAll(request) : writeChanges(request, request.prior);
}

async function writeAll(request: WriteRequest): Promise<WriteResult> {
  const { engine, rows, schema, stamp, signal } = request;
  const columns = schema.map(({ name }) => (name in stamp ? `${stamp[name]} AS ${name}` : name));
  const written = await engine.materialise(`SELECT ${columns.join(', ')} FROM ${rows}`, target(request), signal);
  const inserted = sum(written.map((file) => file.rows));
  return { written, removed: 'all', changed: { kind: 'all' }, inserted, updated: 0, deleted: 0 };
}

async function writeChanges(request: WriteRequest, prior: LiveTable): Promise<WriteResult> {
  const { engine, table, key, schema, stamp, signal } = request;
  const own = ownColumns(schema, stamp);
  const after = workName('after', table);
  const before = workName('before', table);
  const difference = workName('difference', table);
  const changed = workName('changed', table);
  try {
    const rows = await engine.stage(after, `SELECT ${own.join(', ')} FROM ${request.rows} r`, signal);
    const rowsBefore = await bindBefore(request, prior, before);
    const sides = { key, own, after, before };
    const counts = await stageDifference(engine, difference, sides, { after: rows, before: rowsBefore }, signal);
    await engine.drop(after);
    const differing = counts.inserted + counts.updated + counts.deleted;
    if (differing === 0) return { written: [], removed: [], changed: { kind: 'none' }, ...counts };

    const touched = await touchedFiles(engine, difference);
    const rewrites = planRewrites(prior.files, touched, await cameInto(request, difference), {
      partitionBy: request.partitionBy,
      targetBytes: request.layout.targetBytes,
    });
    await bindNumbered(engine, before, prior, rewrites.files);
    const few = differing <= FEW_ROWS || differing < rows;
    if (few) await stageChanged(request, difference, before, signal);
    const stamped = schema.map(({ name }) => (name in stamp ? `${stamp[name]} AS ${name}` : name));
    const names = schema.map(({ name }) => name);
    const placed = placedRows({ ...request, difference, files: prior.files, touched });
    // one file of no partition: there is nothing to keep apart
    const apart = request.partitionBy.length + prior.files.length > 1 ? { apartBy: APART } : {};
    const column = 'apartBy' in apart ? `, ${apartOf(FILE_COLUMN, rewrites)} AS ${APART}` : '';
    const written = await engine.materialise(
      `SELECT ${names.join(', ')}${column} FROM (
        ${beforeRows(difference, { key, before }, [...names, FILE_COLUMN], 'same')}
        UNION ALL SELECT ${stamped.join(', ')}, _home FROM (${placed}) c) w`,
      { ...target(request), ...apart },
      signal,
    );
    return {
      written,
      removed: rewrites.files.flatMap((at) => prior.files[at]?.add.path ?? []),
      changed: few ? { kind: 'keys', relation: changed } : { kind: 'all' },
      ...counts,
    };
  } finally {
    await engine.drop(after);
    await engine.drop(before);
    await engine.drop(difference);
  }
}

/** Makes the rows to compare with readable as `name`, each with the number of its file, and counts them. */
async function bindBefore(
  { engine, table, scope, signal }: WriteRequest,
  prior: LiveTable,
  name: string,
): Promise<number> {
  if (scope === undefined) {
    await bindNumbered(engine, name, prior);
    return countRows(engine, name, prior);
  }
  const relation = workName('units', table);
  const holding = workName('holding', table);
  const { by } = scope;
  try {
    const count = await engine.stage(relation, `SELECT DISTINCT ${by.join(', ')} FROM ${scope.relation}`, signal);
    const files = await filesHolding(engine, table, prior, { relation, by, count }, signal);
    await bindNumbered(engine, holding, prior, files);
    return await engine.stage(
      name,
      `SELECT p.* FROM ${holding} p${await semiJoin(engine, 'p', { relation, by })}`,
      signal,
    );
  } finally {
    await engine.drop(holding);
    await engine.drop(relation);
  }
}

async function stageChanged(
  { engine, table, key, schema, stamp }: Pick<WriteRequest, 'engine' | 'table' | 'key' | 'schema' | 'stamp'>,
  difference: string,
  before: string,
  signal: AbortSignal,
): Promise<void> {
  const own = ownColumns(schema, stamp);
  await engine.stage(
    workName('changed', table),
    `SELECT *, TRUE AS _came FROM (${cameRows(difference, own)}) c
    UNION ALL SELECT *, FALSE AS _came FROM (${beforeRows(difference, { key, before }, own, 'differing')}) g`,
    signal,
  );
}

/** Stages the changed rows of a table that an earlier attempt wrote, from the files that came and went. */
export async function restageChanged(
  request: Pick<WriteRequest, 'engine' | 'table' | 'key' | 'schema' | 'stamp' | 'signal'>,
  prior: LiveTable,
  { written, removed }: Pick<WriteResult, 'written' | 'removed'>,
): Promise<void> {
  const { engine, table, key, schema, stamp, signal } = request;
  const own = ownColumns(schema, stamp);
  const after = workName('after', table);
  const before = workName('before', table);
  const difference = workName('difference', table);
  const went = { ...prior, files: prior.files.filter(({ add }) => removed === 'all' || removed.includes(add.path)) };
  const came: LiveTable = { ...prior, files: written.map(liveFile) };
  try {
    await bindLive(engine, after, came);
    await bindNumbered(engine, before, went);
    const rows = { after: await countRows(engine, after, came), before: await countRows(engine, before, went) };
    await stageDifference(engine, difference, { key, own, after, before }, rows, signal);
    await stageChanged(request, difference, before, signal);
  } finally {
    await engine.drop(after);
    await engine.drop(before);
    await engine.drop(difference);
  }
}

/** Names of the partitions that rows came into. */
async function cameInto({ engine, partitionBy }: WriteRequest, difference: string): Promise<ReadonlySet<string>> {
  if (partitionBy.length === 0) return new Set([partitionOf([], {})]);
  const rows = await engine.query(
    `SELECT DISTINCT ${partitionBy.join(', ')} FROM ${difference} WHERE _change <> 'deleted'`,
    [],
    { maxRows: 1_000_000 },
  );
  return new Set(rows.map((row) => partitionOf(partitionBy, row)));
}

function target({ dir, filePrefix, schema, partitionBy, layout }: WriteRequest) {
  return { dir, filePrefix, schema, partitionBy, layout };
}

function ownColumns(schema: Schema, stamp: WriteRequest['stamp']): readonly string[] {
  return schema.map(({ name }) => name).filter((name) => !(name in stamp));
}

/** The stamp columns among a schema's, with what this run writes into them. */
export function stampOf(schema: Schema, processedAt: string, runId: string): Readonly<Record<string, string>> {
  const all: Record<string, string> = {
    _processed_at: `TIMESTAMPTZ ${literal(processedAt)}`,
    _run_id: literal(runId),
  };
  return Object.fromEntries(schema.filter(({ name }) => name in all).map(({ name }) => [name, all[name] ?? 'NULL']));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
