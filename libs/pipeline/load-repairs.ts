import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalogue, Source } from '#contracts';
import type { WrittenFile } from '#engine';
import { assert } from '#errors';
import type { ComputeRequest } from './compute.js';
import { REPAIRS, lakeTables } from './lake-schema.js';
import { bronzeSchema } from './load/bronze.js';
import { splitSelect } from './load/bronze-sql.js';
import type { LedgerRow } from './load/ledger.js';
import { encodeRepair, repairDigest, repairPath, type BronzeRecord, type Repair } from './repair.js';
import { literal } from './sql-name.js';

/** What replayed repairs add to the lake: records of their sources, a ledger row a repair, and the links. */
export interface LoadedRepairs {
  readonly records: readonly { readonly source: string; readonly written: readonly WrittenFile[] }[];
  readonly ledger: readonly LedgerRow[];
  readonly links: readonly WrittenFile[];
}

/**
 * Writes repairs as loads of their own, numbered after the source's last load. One whose path the ledger knows is there
 * already and adds nothing.
 */
export async function loadRepairs(
  request: ComputeRequest,
  repairs: readonly Repair[],
  known: ReadonlyMap<string, readonly LedgerRow[]>,
): Promise<LoadedRepairs> {
  const records: { source: string; written: readonly WrittenFile[] }[] = [];
  const ledger: LedgerRow[] = [];
  const last = new Map([...known].map(([source, rows]) => [source, Math.max(0, ...rows.map(({ load }) => load))]));
  const links: string[] = [];
  await mkdir(request.journal.filesDir, { recursive: true });
  for (const repair of repairs) {
    const path = repairPath(repair.id);
    if ((known.get(repair.source) ?? []).some((row) => row.path === path)) continue;
    const load = 1 + (last.get(repair.source) ?? 0);
    last.set(repair.source, load);
    const source = sourceNamed(request.catalogue, repair.source);
    records.push({ source: source.name, written: await writeRecords(request, source, repair, load) });
    ledger.push(ledgerRow(repair, load));
    links.push(...linkLines(repair, load));
  }
  return { records, ledger, links: links.length === 0 ? [] : await writeLinks(request, links) };
}

async function writeRecords(
  { engine, journal, processedAt, asOf, runId, signal }: ComputeRequest,
  source: Source,
  repair: Repair,
  batchId: number,
): Promise<readonly WrittenFile[]> {
  const interchange = join(journal.filesDir, `repair-${repair.id}.ndjson`);
  const records = repair.records.map(({ after }) => after);
  const longest = await writeRecordLines(interchange, source, records);
  const stamp = { path: repairPath(repair.id), loadedAt: processedAt, batchId, asOf };
  const dir = join(journal.filesDir, 'bronze', source.name);
  const written = await engine.materialise(
    splitSelect(source, interchange, longest, stamp),
    { dir, filePrefix: runId, schema: bronzeSchema(source), partitionBy: [] },
    signal,
  );
  await rm(interchange);
  return written;
}

/** Writes records as the splitter does, for `splitSelect`; returns how long an engine must expect a line to be. */
export function writeRecordLines(file: string, source: Source, records: readonly BronzeRecord[]): Promise<number> {
  const names = Object.keys(source.fields);
  return writeLines(
    file,
    records.map(({ record, rescued, fields }, at) =>
      JSON.stringify({
        n: at + 1,
        l: null,
        m: false,
        v: [record, rescued, ...names.map((name) => fields[name] ?? null)],
      }),
    ),
  );
}

function ledgerRow(repair: Repair, load: number): LedgerRow {
  return {
    source: repair.source,
    load,
    path: repairPath(repair.id),
    size_bytes: encodeRepair(repair).length,
    modified_ms: Date.parse(repair.at),
    etag: null,
    digest: repairDigest(repair),
    records: repair.records.length,
    row_offset: 0,
    malformed: 0,
    drift: null,
  };
}

/** Types of what a link says itself; the rest is the run's. */
const LINK = {
  repair: 'VARCHAR',
  source: 'VARCHAR',
  table_name: 'VARCHAR',
  rules: 'VARCHAR[]',
  original_load: 'BIGINT',
  original_file: 'VARCHAR',
  original_row: 'BIGINT',
  original_line: 'BIGINT',
  original_loaded_at: 'TIMESTAMPTZ',
  original_as_of: 'DATE',
  before: 'VARCHAR',
  after: 'VARCHAR',
  repaired_by: 'VARCHAR',
  repaired_at: 'TIMESTAMPTZ',
  reason: 'VARCHAR',
  _source_file: 'VARCHAR',
  _source_row: 'BIGINT',
  _batch_id: 'BIGINT',
};

function linkLines({ id, source, table, by, at, reason, records }: Repair, load: number): readonly string[] {
  return records.map(({ original, rules, before, after }, n) =>
    JSON.stringify({
      repair: id,
      source,
      table_name: table,
      rules,
      original_load: original.load,
      original_file: original.file,
      original_row: original.row,
      original_line: original.line,
      original_loaded_at: original.loaded_at,
      original_as_of: original.as_of,
      before,
      after: after.record ?? JSON.stringify(after.fields),
      repaired_by: by,
      repaired_at: at,
      reason,
      _source_file: repairPath(id),
      _source_row: n + 1,
      _batch_id: load,
    } satisfies Record<keyof typeof LINK, unknown>),
  );
}

async function writeLinks(
  { catalogue, engine, journal, processedAt, asOf, runId, signal }: ComputeRequest,
  lines: readonly string[],
): Promise<readonly WrittenFile[]> {
  const table = lakeTables(catalogue).find(({ name }) => name === REPAIRS);
  assert(table !== undefined, 'every catalogue has the table of repairs');
  const columns = Object.entries(LINK).map(([name, type]) => `${name}: ${literal(type)}`);
  const file = join(journal.filesDir, 'repairs.ndjson');
  const longest = await writeLines(file, lines);
  const written = await engine.materialise(
    `SELECT *, TIMESTAMPTZ ${literal(processedAt)} AS _loaded_at, DATE ${literal(asOf)} AS _as_of, ${literal(runId)} AS _run_id
    FROM read_json(${literal(file)}, format = 'newline_delimited', maximum_object_size = ${longest},
      columns = {${columns.join(', ')}})`,
    { dir: join(journal.filesDir, REPAIRS), filePrefix: runId, schema: table.schema, partitionBy: [] },
    signal,
  );
  await rm(file);
  return written;
}

/** Returns how long an engine must expect a line to be. */
export async function writeLines(path: string, lines: readonly string[]): Promise<number> {
  const file = await open(path, 'w');
  try {
    for (const line of lines) await file.write(`${line}\n`);
  } finally {
    await file.close();
  }
  return lines.reduce((longest, line) => Math.max(longest, Buffer.byteLength(line) + 1), MIN_LINE_BYTES);
}

const MIN_LINE_BYTES = 1 << 20;

function sourceNamed({ sources }: Catalogue, name: string): Source {
  const source = sources.find((candidate) => candidate.name === name);
  assert(source !== undefined, `the catalogue has the source ${name}`);
  return source;
}
