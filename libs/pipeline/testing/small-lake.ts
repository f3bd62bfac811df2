import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Catalogue } from '#contracts';
import { preludeDigestText, type Row } from '#engine';
import { ReleaseReader, runIdFrom, tableAt, type Clock, type Lake, type Release } from '#releases';
import { MemoryStore, type ObjectStore } from '#storage';
import { bindRelease } from '../bind-release.js';
import { planRun, type RunPlan } from '../plan.js';
import { prove, type ProveOptions } from '../prove/prove.js';
import type { Proof } from '../prove/proof.js';
import { rollBack, type RollbackReport } from '../roll-back.js';
import { runPipeline, type RunOptions, type RunResult } from '../run.js';
import type { StageOptions } from '../stage-run.js';
import { relationOf } from '../sql-name.js';
import { EnginePool } from './engine-pool.js';
import { csvOf, smallShop, type OrderRecord } from './small-shop.js';

/** Time that passes only when a test, or a wait, says so. */
class HandClock implements Clock {
  constructor(private now: number) {}

  nowMs(): number {
    return this.now;
  }

  sleep(waitMs: number): Promise<void> {
    this.now += waitMs;
    return new Promise((resolve) => setImmediate(resolve));
  }

  advance(byMs: number): void {
    this.now += byMs;
  }
}

/** Every table of a release: its rows in one order, without the stamps that tell runs apart. */
export type Content = Readonly<Record<string, readonly Row[]>>;

const STAMPS = ['_processed_at', '_run_id', '_loaded_at', 'loaded_at', 'run_id'].map((name) => `'${name}'`).join(', ');
export const AS_OF = '2026-02-17';

/** Where the lakes of one test file live: landing folders, engines. */
export class Workshop {
  private readonly dir = mkdtempSync(join(tmpdir(), 'pipeline-'));
  readonly pool = new EnginePool(this.dir);
  private made = 0;

  /** An empty folder. */
  folder(role: string): string {
    const folder = join(this.dir, `${role}-${++this.made}`);
    mkdirSync(folder);
    return folder;
  }

  /** A lake over a store; without one, over an empty store. */
  lake(landing = this.folder('landing'), store: ObjectStore = new MemoryStore()): SmallLake {
    return new SmallLake(this, landing, store);
  }

  /** No two runs of a test file share an id, whichever lake they are of. */
  nextRunId(nowMs: number): string {
    return runIdFrom(nowMs, (++this.made).toString(16).padStart(8, '0'));
  }

  async close(): Promise<void> {
    await this.pool.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A lake of the small shop, its landing folder and its clock. */
export class SmallLake {
  readonly lake: Lake;

  constructor(
    private readonly workshop: Workshop,
    readonly landing: string,
    readonly store: ObjectStore,
    readonly clock = new HandClock(Date.parse('2026-02-17T10:00:00Z')),
  ) {
    this.lake = { store, parquet: workshop.pool.parquet, cacheDir: workshop.folder('cache') };
  }

  /** The same lake as another process sees it: nothing in memory, no copies of files. */
  reopened(store: ObjectStore): SmallLake {
    return new SmallLake(this.workshop, this.landing, store, this.clock);
  }

  /** Lands a file; `modifiedMs` as given, so that a test can say what a run sees of it. */
  land(path: string, records: readonly OrderRecord[] | string, modifiedMs?: number): string {
    const file = join(this.landing, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof records === 'string' ? records : csvOf(records));
    if (modifiedMs !== undefined) this.touch(path, modifiedMs);
    return file;
  }

  touch(path: string, modifiedMs: number): void {
    // Half a millisecond more: as seconds, a whole one may come out just below itself.
    const seconds = (modifiedMs + 0.5) / 1000;
    utimesSync(join(this.landing, path), seconds, seconds);
  }

  modifiedMs(path: string): number {
    return Math.floor(statSync(join(this.landing, path)).mtimeMs);
  }

  /** A run a minute after the last one, under an id of its own. */
  async run(options: Partial<RunOptions> & { readonly catalogue?: Catalogue } = {}): Promise<RunResult> {
    return runPipeline({ ...this.options(), newNonce: () => this.workshop.nextRunId(this.clock.nowMs()), ...options });
  }

  /** What such a run would do. */
  plan(options: Partial<StageOptions> = {}): Promise<RunPlan> {
    return planRun({ ...this.options(), ...options });
  }

  private options(): StageOptions {
    this.clock.advance(60_000);
    return {
      catalogue: smallShop(),
      lake: this.lake,
      openEngine: () => this.workshop.pool.open(),
      prelude: preludeDigestText,
      landingDir: this.landing,
      asOf: AS_OF,
      runId: this.workshop.nextRunId(this.clock.nowMs()),
      clock: this.clock,
      full: false,
      rehash: false,
      workDir: this.workshop.folder('work'),
      dateFrom: '2026-01-01',
      dateTo: '2026-12-31',
      onProgress: () => undefined,
      signal: new AbortController().signal,
    };
  }

  rollBack(to: number, catalogue = smallShop()): Promise<RollbackReport> {
    this.clock.advance(60_000);
    return rollBack({
      catalogue,
      lake: this.lake,
      openEngine: () => this.workshop.pool.open(),
      to,
      runId: this.workshop.nextRunId(this.clock.nowMs()),
      newNonce: () => this.workshop.nextRunId(this.clock.nowMs()),
      clock: this.clock,
      signal: new AbortController().signal,
    });
  }

  /** A proof of a release, the newest unless told. */
  async prove(options: Partial<ProveOptions> = {}): Promise<Proof> {
    return prove(this.proving({ release: options.release ?? (await this.latest()), ...options }));
  }

  proving(options: Partial<ProveOptions> & Pick<ProveOptions, 'release'>): ProveOptions {
    return {
      catalogue: smallShop(),
      lake: this.lake,
      openEngine: () => this.workshop.pool.open(),
      prelude: preludeDigestText,
      clock: this.clock,
      workDir: this.workshop.folder('proof'),
      dateFrom: '2026-01-01',
      dateTo: '2026-12-31',
      onProgress: () => undefined,
      signal: new AbortController().signal,
      ...options,
    };
  }

  releases(): Promise<readonly Release[]> {
    return new ReleaseReader(this.store).after(0);
  }

  async latest(): Promise<Release> {
    const release = await new ReleaseReader(this.store).latest();
    if (release === undefined) throw new Error('the lake has no release');
    return release;
  }

  /** What a reader of the release sees. */
  async content(release: Release): Promise<Content> {
    const content: Record<string, readonly Row[]> = {};
    for (const table of Object.keys(release.tables).sort()) content[table] = [];
    const rows = await this.query(
      release,
      Object.keys(content).map(
        (table) => `SELECT COLUMNS(c -> c NOT IN (${STAMPS})) FROM ${relationOf(table)} ORDER BY ALL`,
      ),
    );
    Object.keys(content).forEach((table, n) => (content[table] = rows[n] ?? []));
    return content;
  }

  async rows(release: Release, sql: string): Promise<readonly Row[]> {
    return (await this.query(release, [sql]))[0] ?? [];
  }

  /** Data files of a table in a release. */
  async files(release: Release, table: string): Promise<readonly string[]> {
    return (await tableAt(this.lake, release, table)).files.map(({ storePath }) => storePath).sort();
  }

  /** Every object of the store. */
  async paths(prefix = ''): Promise<readonly string[]> {
    const paths: string[] = [];
    for await (const { path } of this.store.list(prefix)) paths.push(path);
    return paths;
  }

  /** Data and staged files that carry the id of a run which published nothing: told from names alone. */
  async orphansByName(): Promise<readonly string[]> {
    const published = new Set((await this.releases()).map(({ run_id }) => run_id));
    return (await this.paths()).filter((path) => {
      const runId = /\d{8}t\d{6}-[0-9a-f]{8}/.exec(path)?.[0];
      const ours = path.startsWith('_releases/staged/') || (path.endsWith('.parquet') && !path.includes('_delta_log'));
      return ours && runId !== undefined && !published.has(runId);
    });
  }

  private async query(release: Release, queries: readonly string[]): Promise<readonly (readonly Row[])[]> {
    const engine = await this.workshop.pool.open();
    try {
      await bindRelease(engine, this.lake, release);
      const answers = [];
      for (const sql of queries) answers.push(await engine.query(sql));
      return answers;
    } finally {
      await engine.close();
    }
  }
}
