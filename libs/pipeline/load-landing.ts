import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalogue, Source } from '#contracts';
import { LEDGER, REPAIRS, lakeTables, type LakeTable } from './lake-schema.js';
import type { ComputeRequest } from './compute.js';
import { bindLive, countRows, type LiveTable } from './live-table.js';
import { loadRepairs, type LoadedRepairs } from './load-repairs.js';
import { withdrawnAfter } from './considered.js';
import type { Landing, LandingFile } from './load/landing.js';
import type { LedgerRow } from './load/ledger.js';
import { loadSource, type LoadResult } from './load/loader.js';
import { mergeAppended } from './merge-appended.js';
import type { FileReport } from './report.js';
import { runInOrder } from './schedule.js';
import { literal, relationOf } from './sql-name.js';
import { applyWrite } from './table-change.js';
import type { TableOutcome } from './transform.js';
import type { WithdrawnLoad } from '#releases';
import { WithdrawnFiles } from './withdrawn-file.js';
import type { WrittenFile } from '#engine';

export interface Landed {
  readonly files: readonly FileReport[];
  /** Bronze tables that grew or were made, and the ledger. */
  readonly outcomes: readonly (TableOutcome & { readonly seconds: number })[];
  /** Loads of landing files, by source. */
  readonly loads: ReadonlyMap<string, number>;
  /** Loads of repairs. */
  readonly repairs: readonly WithdrawnLoad[];
  /** The last load of each source that grew, repairs too. */
  readonly lastLoads: ReadonlyMap<string, number>;
}

/** Sources loaded side by side: one is scanned while the engine works on the other. */
const SIDE_BY_SIDE = 2;

/** The sources that files land for. */
export function landingSources({ sources }: Catalogue): readonly Source[] {
  return sources.filter(({ owner }) => owner !== 'stream');
}

/** Brings what is new in the landing folder into bronze and binds it; a bronze table that is missing is made, empty if need be. */
export async function loadLanding(request: ComputeRequest, landing: Landing): Promise<Landed> {
  const { catalogue, journal, state, stages } = request;
  const ledger = await knownFiles(request);
  const results = new Map<string, LoadedSource>();
  const loads = new Map<string, number>();
  stages.begin(
    'load',
    [...landing.files.values()].reduce((sum, files) => sum + files.length, 0),
  );
  await runInOrder(
    landingSources(catalogue).map((source) => ({
      name: source.name,
      after: [],
      run: async () => {
        const files = landing.files.get(source.name) ?? [];
        const known = ledger.get(source.name) ?? [];
        const step = `bronze/${source.name}`;
        const recalled = (await journal.recall(step)) as LoadedSource | undefined;
        const untold = new Set(files.map(({ path }) => path));
        const tell = (path: string) => {
          if (untold.delete(path)) stages.step('load', { kind: 'file', source: source.name, path });
        };
        const result = recalled ?? (await loadFiles(request, source, files, known, tell));
        if (recalled === undefined) await journal.record(step, result);
        for (let left = untold.size; left > 0; left--) stages.step('load');
        results.set(source.name, result);
        if (result.ledger.length > 0) loads.set(source.name, nextLoad(known));
      },
    })),
    SIDE_BY_SIDE,
  );
  const outcomes = [];
  const landed = [...results.values()].flatMap((result) => result.ledger);
  const repairs = await repairsStep(request, ledger, landed);
  const loaded = [...landed, ...repairs.ledger];
  // A repeat alone changes no table; its new name is noted with the next load.
  const entries = loaded.length === 0 ? [] : [...loaded, ...[...results.values()].flatMap(repeatRows)];
  for (const table of lakeTables(catalogue)) {
    if (table.kind !== 'source' && table.kind !== 'ledger' && table.kind !== 'repairs') continue;
    const source = table.name.replace('bronze/', '');
    const result = results.get(source);
    const repaired = repairs.records.filter((load) => load.source === source).flatMap(({ written }) => written);
    const written =
      table.kind === 'ledger'
        ? await writeLedger(request, table, entries)
        : table.kind === 'repairs'
          ? repairs.links
          : [...(result?.written ?? []), ...repaired];
    if (written.length === 0 && state.tables.has(table.name)) continue;
    outcomes.push({ ...(await append(request, table, written)), seconds: result?.seconds ?? 0 });
  }
  const lastLoads = new Map(loaded.map(({ source, load }) => [source, load]));
  const repairLoads = repairs.ledger.map(({ source, load }) => ({ source, load }));
  const withdrawn = withdrawnAfter(state.parent?.withdrawn ?? [], request);
  const files = fileReports(
    results,
    landing,
    (source) => new WithdrawnFiles(source, ledger.get(source) ?? [], withdrawn),
  );
  return { files, outcomes, loads, repairs: repairLoads, lastLoads };
}

/** Loads the repairs that the run was given, after what landed. */
async function repairsStep(
  request: ComputeRequest,
  known: ReadonlyMap<string, readonly LedgerRow[]>,
  landed: readonly LedgerRow[],
): Promise<LoadedRepairs> {
  const { journal, repairs = [] } = request;
  if (repairs.length === 0) return NO_REPAIRS;
  const recalled = (await journal.recall(REPAIRS)) as LoadedRepairs | undefined;
  if (recalled !== undefined) return recalled;
  const sources = new Set([...known.keys(), ...landed.map(({ source }) => source)]);
  const ledger = [...sources].map((name) => {
    const own = landed.filter(({ source }) => source === name);
    return [name, [...(known.get(name) ?? []), ...own]] as const;
  });
  const loaded = await loadRepairs(request, repairs, new Map(ledger));
  await journal.record(REPAIRS, loaded);
  return loaded;
}

const NO_REPAIRS: LoadedRepairs = { records: [], ledger: [], links: [] };

type LoadedSource = LoadResult & { readonly seconds: number };

async function loadFiles(
  request: ComputeRequest,
  source: Source,
  files: readonly LandingFile[],
  known: readonly LedgerRow[],
  onFile: (path: string) => void,
): Promise<LoadedSource> {
  const { engine, rehash, asOf, processedAt, runId, clock, signal } = request;
  const { filesDir } = request.journal;
  const startedMs = clock.nowMs();
  const result = await loadSource({
    engine,
    source,
    files,
    known,
    rehash,
    batchId: nextLoad(known),
    asOf,
    loadedAt: processedAt,
    runId,
    workDir: filesDir,
    targetDir: join(filesDir, 'bronze', source.name),
    onProgress: ({ path }) => onFile(path),
    signal,
  });
  return { ...result, seconds: (clock.nowMs() - startedMs) / 1000 };
}

/** A load's number is one more than the greatest that its source has in the parent release. */
function nextLoad(known: readonly LedgerRow[]): number {
  return 1 + known.reduce((greatest, { load }) => Math.max(greatest, load), 0);
}

async function knownFiles({ engine }: ComputeRequest): Promise<ReadonlyMap<string, readonly LedgerRow[]>> {
  const known = new Map<string, LedgerRow[]>();
  for await (const rows of engine.stream(`SELECT * FROM ${relationOf(LEDGER)}`)) {
    for (const row of rows) {
      const entry: LedgerRow = {
        source: String(row['source']),
        load: Number(row['load']),
        path: String(row['path']),
        size_bytes: Number(row['size_bytes']),
        modified_ms: Number(row['modified_ms']),
        etag: row['etag'] === null ? null : String(row['etag']),
        digest: String(row['digest']),
        records: Number(row['records']),
        row_offset: Number(row['row_offset']),
        malformed: Number(row['malformed']),
        drift: row['drift'] === null ? null : String(row['drift']),
      };
      known.set(entry.source, [...(known.get(entry.source) ?? []), entry]);
    }
  }
  return known;
}

function repeatRows({ repeats }: LoadResult): readonly LedgerRow[] {
  return repeats.map(({ ledger }) => ledger);
}

async function writeLedger(
  request: ComputeRequest,
  table: LakeTable,
  rows: readonly LedgerRow[],
): Promise<readonly WrittenFile[]> {
  if (rows.length === 0) return [];
  const { engine, processedAt, asOf, runId, signal } = request;
  const { filesDir } = request.journal;
  const file = join(filesDir, 'ledger.ndjson');
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const columns = `{source: 'VARCHAR', load: 'BIGINT', path: 'VARCHAR', size_bytes: 'BIGINT', modified_ms: 'BIGINT', etag: 'VARCHAR',
    digest: 'VARCHAR', records: 'BIGINT', row_offset: 'BIGINT', malformed: 'BIGINT', drift: 'VARCHAR'}`;
  const written = await engine.materialise(
    `SELECT *, TIMESTAMPTZ ${literal(processedAt)} AS loaded_at, DATE ${literal(asOf)} AS as_of, ${literal(runId)} AS run_id
    FROM read_json(${literal(file)}, format = 'newline_delimited', columns = ${columns})`,
    { dir: join(filesDir, table.name), filePrefix: runId, schema: table.schema, partitionBy: [] },
    signal,
  );
  await rm(file);
  return written;
}

/** Bronze only grows: the parent's rows stay, in their files or in one made of small ones; the new ones come on top. */
async function append(
  { engine, state, journal, runId, signal }: ComputeRequest,
  table: LakeTable,
  written: readonly WrittenFile[],
): Promise<TableOutcome> {
  const before: LiveTable | undefined = state.tables.get(table.name);
  const inserted = written.reduce((sum, { rows }) => sum + rows, 0);
  const dir = join(journal.filesDir, table.name);
  const merged = await mergeAppended({ engine, table, before, dir, filePrefix: runId, signal });
  const write = {
    written: [...written, ...merged.written],
    removed: merged.removed,
    moved: [...merged.removed, ...merged.written.map(({ addPath }) => addPath)],
    changed: { kind: 'all' as const },
    inserted,
    updated: 0,
    deleted: 0,
  };
  const { change, live } = applyWrite({ table: table.name, shape: table, before, replaced: before, result: write });
  await bindLive(engine, relationOf(table.name), live);
  const totalRows = await countRows(engine, relationOf(table.name), live);
  const { changed } = write;
  return { table: table.name, key: [], change, changed, live, write, totalRows, conservation: undefined };
}

function fileReports(
  results: ReadonlyMap<string, LoadResult>,
  landing: Landing,
  withdrawnOf: (source: string) => WithdrawnFiles,
): readonly FileReport[] {
  const none = { records: 0, malformed: 0 };
  const unnamed = [
    ...landing.waiting.map(({ path, reason }) => ({
      ...none,
      source: '',
      path,
      outcome: 'waiting' as const,
      note: reason,
    })),
    ...landing.skipped.map(({ path, reason }) => ({
      ...none,
      source: '',
      path,
      outcome: 'skipped' as const,
      note: reason,
    })),
  ];
  const named = [...results].flatMap(([source, result]): FileReport[] => {
    const notes = new Map(result.problems.map(({ path, message }) => [path, [message]]));
    const withdrawn = withdrawnOf(source);
    const opened = new Set([...result.ledger, ...result.repeats, ...result.waiting].map(({ path }) => path));
    for (const { path, fields, missing } of result.drift) {
      const drift = [
        ...(fields.length > 0 ? [`fields the contract does not name: ${fields.join(', ')}`] : []),
        ...(missing.length > 0 ? [`fields that did not come: ${missing.join(', ')}`] : []),
      ];
      notes.set(path, [...(notes.get(path) ?? []), ...drift]);
    }
    return [
      ...result.ledger.map(({ path, records, malformed }) => ({
        source,
        path,
        outcome: 'loaded' as const,
        records,
        malformed,
        note: notes.get(path)?.join('; ') ?? null,
      })),
      ...result.repeats.map(({ path, loadedPath, ledger }) => ({
        ...none,
        source,
        path,
        outcome: 'repeat' as const,
        note: withdrawn.note(ledger.digest) ?? `the same bytes were loaded as ${loadedPath}`,
      })),
      ...withdrawn.unopened(landing.files.get(source) ?? [], opened),
      ...result.waiting.map(({ path, reason }) => ({
        ...none,
        source,
        path,
        outcome: 'waiting' as const,
        note: reason,
      })),
    ];
  });
  return [...named, ...unnamed];
}
