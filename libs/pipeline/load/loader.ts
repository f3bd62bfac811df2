import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from '#contracts';
import type { Engine, WrittenFile } from '#engine';
import { LakeError } from '#errors';
import { bronzeSchema } from './bronze.js';
import { plainSelect, splitSelect, type LoadStamp } from './bronze-sql.js';
import type { LandingFile, LandingNote } from './landing.js';
import type { Drift, LedgerRow } from './ledger.js';
import { scanFile, type Reading, type Scan } from './scan.js';
import { splitFile } from './split-file.js';

/** A trace reads single records: of five times as many rows it would unpack five times as much for each. */
const ROW_GROUP_ROWS = 10_240;

export interface LoadRequest {
  readonly engine: Engine;
  readonly source: Source;
  /** In byte order of their path, as `findLandingFiles` gives them. */
  readonly files: readonly LandingFile[];
  /** This source's rows of the ledger in the parent release. */
  readonly known: readonly LedgerRow[];
  /** Reads files again whose path, size and time are known. */
  readonly rehash: boolean;
  readonly batchId: number;
  /** `YYYY-MM-DD` */
  readonly asOf: string;
  /** ISO 8601, UTC. */
  readonly loadedAt: string;
  readonly runId: string;
  /** For interchange files, each deleted once it is read. */
  readonly workDir: string;
  /** Where the bronze Parquet files are written. */
  readonly targetDir: string;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

export interface LoadProgress {
  readonly source: string;
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  readonly records: number;
}

/** Something a person should know of, and look at. */
export interface LoadProblem {
  readonly path: string;
  readonly message: string;
}

/** A file whose bytes have been loaded before, under this or another name. */
export interface Repeat {
  readonly path: string;
  /** The load and path that brought the bytes. */
  readonly load: number;
  readonly loadedPath: string;
  /**
   * For the ledger, so that a later run need not hash the file again. It has no records, and this load's number: under
   * the earlier one, a file whose time alone changed would give the same key twice.
   */
  readonly ledger: LedgerRow;
}

export interface FileDrift {
  readonly path: string;
  /** That the contract does not name. */
  readonly fields: readonly string[];
  /** That the file's header lacks. */
  readonly missing: readonly string[];
}

export interface LoadResult {
  readonly written: readonly WrittenFile[];
  readonly ledger: readonly LedgerRow[];
  readonly repeats: readonly Repeat[];
  readonly waiting: readonly LandingNote[];
  readonly problems: readonly LoadProblem[];
  /** Files that are known by path, size and time, and were not opened. */
  readonly knownFiles: number;
  readonly records: number;
  readonly malformed: number;
  /** Files whose fields differ from the contract's. */
  readonly drift: readonly FileDrift[];
}

/** Loads a source's new files into Parquet files of its bronze table; commits nothing. */
export async function loadSource(request: LoadRequest): Promise<LoadResult> {
  const { known, files, rehash } = request;
  const places = new Map(known.map((row) => [row.path, [] as LedgerRow[]]));
  for (const row of known) places.get(row.path)?.push(row);
  const isKnown = (file: LandingFile): boolean =>
    (places.get(file.path) ?? []).some(
      (row) => row.size_bytes === file.sizeBytes && row.modified_ms === file.modifiedMs,
    );
  const toRead = rehash ? files : files.filter((file) => !isKnown(file));
  const digests = new Map(known.map((row) => [row.digest, row]));
  for (const row of known) if (row.records > 0) digests.set(row.digest, row);

  const load = new Load(request);
  // the next file is scanned while the engine works on this one
  let ahead = prefetch(toRead[0], request);
  for (const [at, file] of toRead.entries()) {
    const scanned = await ahead;
    ahead = prefetch(toRead[at + 1], request);
    if (scanned.kind === 'failed') {
      await ahead;
      throw scanned.error;
    }
    const { scan } = scanned;
    const earlier = digests.get(scan.digest);
    if (await hasChanged(file)) {
      load.wait(file);
    } else if (earlier !== undefined) {
      load.repeat(file, earlier, isKnown(file));
    } else {
      const row = await settled(load.take(file, scan), ahead);
      if (row !== undefined) digests.set(row.digest, row);
    }
  }
  return load.result(files.length - toRead.length);
}

type Scanned = { readonly kind: 'scanned'; readonly scan: Scan } | { readonly kind: 'failed'; readonly error: unknown };

/** Never rejects: its answer may be asked for long after it is there. */
async function prefetch(file: LandingFile | undefined, request: LoadRequest): Promise<Scanned> {
  if (file === undefined) return { kind: 'failed', error: undefined };
  try {
    return { kind: 'scanned', scan: await scanFile(file, request.source.fields, request.signal) };
  } catch (cause) {
    return { kind: 'failed', error: readFailure(file, cause) };
  }
}

/** If the work fails, what runs beside it is over before the failure is passed on. */
async function settled<T>(work: Promise<T>, beside: Promise<unknown>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    await beside;
    throw error;
  }
}

function readFailure(file: LandingFile, cause: unknown): unknown {
  const code = (cause as { code?: unknown } | null)?.code;
  if (typeof code !== 'string' || !['EACCES', 'EPERM', 'EIO', 'ENOENT', 'EISDIR'].includes(code)) return cause;
  return new LakeError(
    'load.unreadable',
    'unavailable',
    `cannot read ${file.path} in the landing folder (${code}): give this user the right to read it, or move it away, ` +
      'and run again; this run has published nothing',
    { at: { path: file.path }, cause },
  );
}

function diskFull(file: LandingFile, workDir: string, cause: unknown): LakeError {
  return new LakeError(
    'load.disk_full',
    'unavailable',
    `no room in ${workDir} to read ${file.path}: free about three times its size, and run again; nothing is published`,
    { at: { path: file.path }, cause },
  );
}

async function hasChanged(file: LandingFile): Promise<boolean> {
  try {
    const info = await stat(file.localPath);
    return info.size !== file.sizeBytes || Math.floor(info.mtimeMs) !== file.modifiedMs;
  } catch {
    return true;
  }
}

interface Loaded {
  readonly written: readonly WrittenFile[];
  readonly records: number;
  readonly malformed: number;
  readonly drift: Drift;
}

/** The engine would take such a name for a pattern. */
const globs = /[*?[\]{}]/;

const nothing: Loaded = { written: [], records: 0, malformed: 0, drift: { unexpected: [], missing: [] } };

/** One load while it grows, file by file. */
class Load {
  private readonly written: WrittenFile[] = [];
  private readonly ledger: LedgerRow[] = [];
  private readonly repeats: Repeat[] = [];
  private readonly waiting: LandingNote[] = [];
  private readonly problems: LoadProblem[] = [];
  private readonly drift: FileDrift[] = [];
  private records = 0;
  private malformed = 0;
  private bytes = 0;

  constructor(private readonly request: LoadRequest) {}

  wait(file: LandingFile): void {
    this.waiting.push({ path: file.path, reason: 'it changed while it was read' });
  }

  repeat(file: LandingFile, earlier: LedgerRow, known: boolean): void {
    if (known) return;
    const ledger = { ...this.row(file, earlier.digest, nothing), row_offset: 0 };
    this.repeats.push({ path: file.path, load: earlier.load, loadedPath: earlier.path, ledger });
  }

  /** Loads one file; nothing of it is kept if it changed meanwhile. */
  async take(file: LandingFile, scan: Scan): Promise<LedgerRow | undefined> {
    const loaded = await this.loadFile(file, scan.reading);
    if (await hasChanged(file)) {
      await discard(loaded.written);
      this.wait(file);
      return undefined;
    }
    const row = this.row(file, scan.digest, loaded);
    this.ledger.push(row);
    this.written.push(...loaded.written);
    this.records += loaded.records;
    this.malformed += loaded.malformed;
    this.bytes += file.sizeBytes;
    if (hasDrift(loaded.drift))
      this.drift.push({ path: file.path, fields: loaded.drift.unexpected, missing: loaded.drift.missing });
    if (loaded.malformed > 0) {
      this.problems.push({
        path: file.path,
        message: `${loaded.malformed} of ${loaded.records} records cannot be read; they are in the quarantine as malformed`,
      });
    }
    this.request.onProgress?.({
      source: this.request.source.name,
      path: file.path,
      files: this.ledger.length,
      bytes: this.bytes,
      records: this.records,
    });
    return row;
  }

  result(knownFiles: number): LoadResult {
    const { written, ledger, repeats, waiting, problems, records, malformed, drift } = this;
    return { written, ledger, repeats, waiting, problems, records, malformed, drift, knownFiles };
  }

  private row(file: LandingFile, digest: string, loaded: Loaded): LedgerRow {
    return {
      source: this.request.source.name,
      load: this.request.batchId,
      path: file.path,
      size_bytes: file.sizeBytes,
      modified_ms: file.modifiedMs,
      etag: null,
      digest,
      records: loaded.records,
      row_offset: this.records,
      malformed: loaded.malformed,
      drift: hasDrift(loaded.drift) ? JSON.stringify(loaded.drift) : null,
    };
  }

  private async loadFile(file: LandingFile, reading: Reading): Promise<Loaded> {
    if (reading.kind === 'empty') return nothing;
    if (reading.kind === 'plain' && !globs.test(file.localPath)) {
      const loaded = await this.loadPlain(file, reading);
      if (loaded !== undefined) return loaded;
    }
    return this.loadSplit(file);
  }

  /** Undefined if the engine sees the file otherwise than the scan did: then the splitter decides. */
  private async loadPlain(
    file: LandingFile,
    reading: Extract<Reading, { kind: 'plain' }>,
  ): Promise<Loaded | undefined> {
    const { header } = reading;
    const drift = { unexpected: (header?.extra ?? []).map(({ name }) => name).sort(), missing: header?.missing ?? [] };
    if (reading.records === 0) return { ...nothing, drift };
    let written: readonly WrittenFile[];
    try {
      written = await this.materialise(plainSelect(this.request.source, file, header, this.stamp(file)));
    } catch (error) {
      this.request.signal?.throwIfAborted();
      // a full disk or memory is not the file's fault: reading it another way would only hide it
      if ((error as { code?: unknown }).code !== 'engine.query_failed') throw error;
      return undefined;
    }
    const records = written.reduce((sum, part) => sum + part.rows, 0);
    if (records === reading.records) return { written, records, malformed: 0, drift };
    await discard(written);
    return undefined;
  }

  private async loadSplit(file: LandingFile): Promise<Loaded> {
    const { source, batchId, workDir, signal } = this.request;
    await mkdir(workDir, { recursive: true });
    const interchange = join(workDir, `split-${source.name}-${batchId}-${this.ledger.length}.ndjson`);
    try {
      const count = await splitFile(file, source.fields, interchange, signal);
      const { records, malformed, drift } = count;
      if (records === 0) return { ...nothing, drift };
      const written = await this.materialise(
        splitSelect(source, interchange, count.longestLineBytes, this.stamp(file)),
      );
      const rows = written.reduce((sum, part) => sum + part.rows, 0);
      if (rows !== records) {
        throw new LakeError(
          'load.lost_records',
          'corrupt',
          `${file.path} has ${records} records but ${rows} were written; nothing is published: please report this file`,
          { at: { path: file.path } },
        );
      }
      return { written, records, malformed, drift };
    } catch (error) {
      throw (error as { code?: unknown }).code === 'ENOSPC' ? diskFull(file, workDir, error) : readFailure(file, error);
    } finally {
      await rm(interchange, { force: true });
    }
  }

  private materialise(sql: string): Promise<readonly WrittenFile[]> {
    const { engine, source, targetDir, runId, signal } = this.request;
    const target = { dir: targetDir, filePrefix: runId, schema: bronzeSchema(source), partitionBy: [] };
    return engine.materialise(sql, { ...target, rowGroupRows: ROW_GROUP_ROWS }, signal);
  }

  private stamp(file: LandingFile): LoadStamp {
    const { loadedAt, batchId, asOf } = this.request;
    return { path: file.path, loadedAt, batchId, asOf };
  }
}

async function discard(written: readonly WrittenFile[]): Promise<void> {
  for (const file of written) await rm(file.localPath, { force: true });
}

function hasDrift({ unexpected, missing }: Drift): boolean {
  return unexpected.length > 0 || missing.length > 0;
}
