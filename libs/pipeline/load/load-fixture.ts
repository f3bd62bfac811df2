import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Source } from '#contracts';
import { DuckDbEngine } from '#engine';
import { findLandingFiles, type LandingFile } from './landing.js';
import type { LedgerRow } from './ledger.js';
import { loadSource, type LoadRequest, type LoadResult } from './loader.js';

export const orders: Source = {
  name: 'orders',
  format: 'csv',
  folder: 'shop',
  fields: { order_id: { kind: 'id' }, note: { kind: 'text' }, total: { kind: 'decimal', precision: 18, scale: 2 } },
};

export const orderItems: Source = { ...orders, name: 'order_items' };

export const events: Source = {
  name: 'events',
  format: 'json',
  folder: 'clicks',
  fields: { event_id: { kind: 'id' }, amount: { kind: 'integer' }, geo: { kind: 'json' }, note: { kind: 'text' } },
};

export type BronzeRow = Readonly<Record<string, unknown>>;

/** A landing folder, a work folder and a real DuckDB, for one test file. */
export class LoadFixture {
  readonly landing = mkdtempSync(join(tmpdir(), 'landing-'));

  private constructor(
    readonly work: string,
    readonly engine: DuckDbEngine,
  ) {}

  static async open(): Promise<LoadFixture> {
    const work = mkdtempSync(join(tmpdir(), 'work-'));
    return new LoadFixture(work, await DuckDbEngine.open({ workDir: work, threads: 2, memoryLimit: '1GB' }));
  }

  async close(): Promise<void> {
    await this.engine.close();
    for (const dir of [this.landing, this.work]) rmSync(dir, { recursive: true, force: true });
  }

  /** Empties the landing folder. */
  clear(): void {
    rmSync(this.landing, { recursive: true, force: true });
    mkdirSync(this.landing);
  }

  put(path: string, content: string | Uint8Array): LandingFile {
    const localPath = join(this.landing, path);
    mkdirSync(dirname(localPath), { recursive: true });
    writeFileSync(localPath, content);
    return this.file(path);
  }

  file(path: string): LandingFile {
    const localPath = join(this.landing, path);
    const info = statSync(localPath);
    return { path, localPath, sizeBytes: info.size, modifiedMs: Math.floor(info.mtimeMs) };
  }

  /** Loads what has landed for a source. */
  async load(
    source: Source,
    options: Partial<LoadRequest> & { readonly rows?: false } = {},
  ): Promise<LoadResult & { rows: BronzeRow[] }> {
    const landing = await findLandingFiles(this.landing, [source]);
    const known: readonly LedgerRow[] = [];
    const result = await loadSource({
      engine: this.engine,
      source,
      files: landing.files.get(source.name) ?? [],
      known,
      rehash: false,
      batchId: 7,
      asOf: '2026-02-17',
      loadedAt: '2026-02-18T03:04:05.678Z',
      runId: 'run-1',
      workDir: this.work,
      targetDir: join(this.work, 'bronze'),
      ...options,
    });
    const rows: BronzeRow[] = [];
    for (const part of options.rows === false ? [] : result.written) {
      rows.push(...(await this.rows(`SELECT * FROM read_parquet('${part.localPath}')`)));
    }
    return { ...result, rows };
  }

  rows(sql: string): Promise<readonly BronzeRow[]> {
    return this.engine.query(sql);
  }
}
