import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Schema } from '#delta';
import { DuckDbEngine, type Row } from '#engine';
import { bindLive, statsOf, type LiveTable } from './live-table.js';
import { applyWrite } from './table-change.js';
import { restageChanged, stampOf, writeTable, type WriteResult } from './write-table.js';

const LONG = process.env['SHOPSMART_LONG'] === '1';
const TABLE = 'gold/things';
const one: Thing = { id: 1, unit: 'a', month: 1, value: 'x' };
/** No file is far from full. */
const NEVER_MERGED = 1;

const schema: Schema = [
  { name: 'id', type: { kind: 'long' }, nullable: false, comment: '' },
  { name: 'unit', type: { kind: 'string' }, nullable: true, comment: '' },
  { name: 'month', type: { kind: 'integer' }, nullable: true, comment: '' },
  { name: 'value', type: { kind: 'string' }, nullable: true, comment: '' },
  { name: '_processed_at', type: { kind: 'timestamp' }, nullable: false, comment: '' },
  { name: '_run_id', type: { kind: 'string' }, nullable: false, comment: '' },
];
const own = ['id', 'unit', 'month', 'value'] as const;

interface Thing {
  readonly id: number;
  readonly unit: string | null;
  readonly month: number | null;
  readonly value: string | null;
}

const thing: fc.Arbitrary<Thing> = fc.record({
  id: fc.integer({ min: 0, max: 40 }),
  unit: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'é', 'f'.repeat(40), 'f'.repeat(41))),
  month: fc.option(fc.integer({ min: 1, max: 3 })),
  value: fc.option(fc.constantFrom('', 'x', 'y')),
});
/** What a step sets anew and what it takes away, and units that are computed again though nothing of theirs changed. */
const step = fc.record({
  set: fc.array(thing, { maxLength: 8 }),
  gone: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 4 }),
  again: fc.array(thing, { maxLength: 3 }),
});

let dir: string;
let engine: DuckDbEngine;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'write-table-'));
  engine = await DuckDbEngine.open({ workDir: dir, threads: 1, memoryLimit: '512MB' });
});
afterAll(async () => {
  await engine.close();
  rmSync(dir, { recursive: true, force: true });
});

type State = ReadonlyMap<number, Thing & { readonly run: string }>;

function change(
  state: State,
  { set, gone }: { readonly set: readonly Thing[]; readonly gone: readonly number[] },
  run: string,
) {
  const next = new Map(state);
  for (const id of gone) next.delete(id);
  for (const row of set) {
    const old = state.get(row.id);
    next.set(row.id, {
      ...row,
      run: old !== undefined && own.every((name) => old[name] === row[name]) ? old.run : run,
    });
  }
  return next;
}

function select(rows: readonly Thing[]): string {
  const text = (value: string | number | null) =>
    value === null ? 'NULL' : typeof value === 'string' ? `'${value}'` : String(value);
  const values = [...rows.map((row) => own.map((name) => text(row[name]))), ['0', 'NULL', 'NULL', 'NULL']];
  // in any order, and never without a row to give the types
  return `(SELECT CAST(id AS BIGINT) AS id, CAST(unit AS VARCHAR) AS unit, CAST(month AS INTEGER) AS month, CAST(value AS VARCHAR) AS value
    FROM (VALUES ${values.map((row, n) => `(${[n, ...row].join()})`).join()}) v(n, ${own.join()}) WHERE n < ${rows.length} ORDER BY n DESC)`;
}

const plain = ({ id, unit, month, value }: Thing) => JSON.stringify([id, unit, month, value]);
const sorted = (rows: readonly string[]) => [...rows].sort();
const fromRow = (row: Row) => plain({ ...(row as unknown as Thing), id: Number(row['id']) });

interface Files {
  readonly partitionBy: readonly string[];
  readonly targetBytes: number;
}

async function write(
  prior: LiveTable | undefined,
  rows: readonly Thing[],
  run: string,
  { partitionBy, targetBytes }: Files,
  units?: readonly Thing[],
): Promise<WriteResult> {
  if (units !== undefined) await engine.stage('work.scope', `SELECT unit FROM ${select(units)} ORDER BY unit`);
  return writeTable({
    ...{ engine, table: TABLE, key: ['id'], schema, partitionBy, prior, rows: select(rows) },
    layout: { sortBy: ['month', 'id'], targetBytes },
    ...(units === undefined ? {} : { scope: { relation: 'work.scope', by: ['unit'] } }),
    ...{ stamp: stampOf(schema, '2026-01-01T00:00:00Z', run), dir: join(dir, 'files'), filePrefix: run },
    signal: new AbortController().signal,
  });
}

async function contentOf(live: LiveTable): Promise<readonly string[]> {
  await bindLive(engine, 'work.found', live);
  const rows = await engine.query('SELECT * FROM work.found');
  return sorted(rows.map((row) => `${fromRow(row)} ${String(row['_run_id'])}`));
}

async function changedOf({ changed }: WriteResult): Promise<readonly string[]> {
  if (changed.kind !== 'keys') return [];
  const rows = await engine.query(`SELECT * FROM ${changed.relation}`);
  return sorted(rows.map((row) => `${row['_came'] === true ? '+' : '-'}${fromRow(row)}`));
}

function difference(before: State, after: State): readonly string[] {
  const [old, now] = [before, after].map((state) => new Set([...state.values()].map(plain)));
  return sorted([
    ...[...(now ?? [])].filter((row) => !old?.has(row)).map((row) => `+${row}`),
    ...[...(old ?? [])].filter((row) => !now?.has(row)).map((row) => `-${row}`),
  ]);
}

function withWrite(before: LiveTable | undefined, result: WriteResult, { partitionBy }: Files): LiveTable {
  return applyWrite({ table: TABLE, shape: { schema, partitionBy }, before, replaced: before, result }).live;
}

describe('a table that is written over its state in the parent release', () => {
  it.each([
    { partitionBy: [], targetBytes: NEVER_MERGED },
    { partitionBy: ['month'], targetBytes: NEVER_MERGED },
    { partitionBy: [], targetBytes: 1e6 },
    { partitionBy: ['month'], targetBytes: 1e6 },
  ])(
    'holds the same rows when only units that changed are given (%j)',
    async (layout) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(thing, { maxLength: 20 }),
          fc.array(step, { minLength: 1, maxLength: 5 }),
          async (first, steps) => {
            let state: State = change(new Map(), { set: first, gone: [] }, 'r0');
            let live = withWrite(undefined, await write(undefined, [...state.values()], 'r0', layout), layout);
            for (const [n, next] of steps.entries()) {
              const run = `r${n + 1}`;
              const before = state;
              state = change(before, next, run);
              const expected = sorted([...state.values()].map((row) => `${plain(row)} ${row.run}`));
              const ids = [...next.gone, ...next.set.map(({ id }) => id)];
              const units = [...ids.flatMap((id) => [before.get(id) ?? [], state.get(id) ?? []].flat()), ...next.again];
              const names = new Set(units.map(({ unit }) => unit));
              const files = new Map(live.files.map(({ localPath }) => [localPath, readFileSync(localPath)]));

              const whole = await write(live, [...state.values()], run, layout);
              const wholeLive = withWrite(live, whole, layout);
              expect(await contentOf(wholeLive)).toEqual(expected);
              expect(await changedOf(whole)).toEqual(difference(before, state));

              const rows = [...state.values()].filter(({ unit }) => names.has(unit));
              const scoped = await write(live, rows, run, layout, units);
              const scopedLive = withWrite(live, scoped, layout);
              expect(await contentOf(scopedLive)).toEqual(expected);
              expect(await changedOf(scoped)).toEqual(difference(before, state));
              const counts = ({ inserted, updated, deleted }: WriteResult) => ({ inserted, updated, deleted });
              expect(counts(scoped)).toEqual(counts(whole));
              expect(sorted(scoped.removed as readonly string[])).toEqual(sorted(whole.removed as readonly string[]));
              if (scoped.changed.kind === 'keys') {
                await engine.drop(scoped.changed.relation);
                await restageChanged(
                  {
                    ...{ engine, table: TABLE, key: ['id'], schema, stamp: stampOf(schema, '', run) },
                    signal: new AbortController().signal,
                  },
                  live,
                  scoped,
                );
                expect(await changedOf(scoped)).toEqual(difference(before, state));
              }

              for (const { add, localPath } of live.files) {
                expect(readFileSync(localPath)).toEqual(files.get(localPath));
                const changed = await engine.query(
                  `SELECT id FROM read_parquet('${localPath}', hive_partitioning = false)`,
                );
                const touched = changed.some(({ id }) => {
                  const [old, now] = [before.get(Number(id)), state.get(Number(id))];
                  return now === undefined || plain(now) !== plain(old ?? now);
                });
                const goes = scoped.removed.includes(add.path);
                if (layout.targetBytes === NEVER_MERGED || touched)
                  expect([add.path, goes]).toEqual([add.path, touched]);
              }
              live = scopedLive;
            }
          },
        ),
        { numRuns: LONG ? 200 : 10 },
      );
    },
    LONG ? 600_000 : 60_000,
  );

  it('opens no file that cannot hold a row of the units, by partition or by statistics', async () => {
    const layout = { partitionBy: ['month'], targetBytes: NEVER_MERGED };
    const rows = ['a', 'b', null].flatMap((unit, n) =>
      [1, 2].map((month) => ({ id: 10 * n + month, unit, month, value: 'x' })),
    );
    // a file a unit and month
    let live: LiveTable | undefined;
    for (const unit of ['a', 'b', null]) {
      const of = rows.filter((row) => row.unit === unit);
      live = withWrite(live, await write(live, of, 'r0', layout, live === undefined ? undefined : of), layout);
    }
    expect(live?.files).toHaveLength(6);
    const [b1, b2] = rows.filter(({ unit }) => unit === 'b');
    const changed = [{ ...(b1 ?? one), value: 'y' }, b2 ?? one];
    for (const { localPath, add } of live?.files ?? []) {
      const { minValues } = statsOf(add);
      if (minValues?.['unit'] !== 'b') writeFileSync(localPath, 'not to be read');
    }
    const result = await write(live, changed, 'r1', layout, changed);
    expect(result).toMatchObject({ inserted: 0, updated: 1, deleted: 0 });
    expect(result.removed).toHaveLength(1);
  });

  it('shows a key that comes twice, so that its check can fail', async () => {
    const small = { partitionBy: [], targetBytes: 1e6 };
    const live = withWrite(undefined, await write(undefined, [one], 'r0', small), small);
    for (const units of [undefined, [one]]) {
      const twice = await write(live, [one, { ...one, value: 'y' }], 'r1', small, units);
      expect(await contentOf(withWrite(live, twice, small))).toHaveLength(2);
    }
  });
});
