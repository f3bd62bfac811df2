import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { writeDemo, type DemoFile } from '#demo';
import { preludeDigestText, type DuckDbEngine } from '#engine';
import { bindRelease, runPipeline, type ProgressEvent, type RunResult } from '#pipeline';
import { openLake, systemClock, type OpenLake, type Settings } from '#platform';
import { shopCatalogue } from '#products';
import { ReleaseReader, runIdFrom, type Release } from '#releases';
import type { ObjectStore } from '#storage';
import type { Call } from './call.js';
import { usageError } from './exit-code.js';
import { relationNames, unknownRelease } from './output/relation.js';
import { startProgress, type Progress } from './terminal/progress.js';
import { countText } from './terminal/table-text.js';

/** The UTC date that a command means by today. */
function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Gives work a lake and a folder to work in, and takes both away when it has ended. */
export async function withLake<T>(settings: Settings, work: (session: OpenLake) => Promise<T>): Promise<T> {
  const session = await openLake(settings);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

export interface RunChoices {
  readonly asOf: string | undefined;
  readonly full: boolean;
  readonly rehash: boolean;
}

/** Load, transform, check, publish; tells its progress on standard error. */
export async function runOnce(
  { settings, terminal, signal }: Call,
  { asOf, full, rehash }: RunChoices,
): Promise<RunResult> {
  refuseSpark(settings);
  if (settings.landing.includes('://'))
    throw usageError(`the landing area ${settings.landing} cannot be reached yet: only a folder for now`);
  const progress = startProgress(terminal);
  try {
    return await withLake(settings, ({ lake, workDir, openEngine }) =>
      runPipeline({
        catalogue: shopCatalogue(),
        lake,
        openEngine,
        prelude: preludeDigestText,
        landingDir: settings.landing,
        asOf: asOf ?? today(),
        runId: runIdFrom(systemClock.nowMs(), randomBytes(4).toString('hex')),
        newNonce: randomUUID,
        clock: systemClock,
        full,
        rehash,
        workDir,
        dateFrom: settings.dateFrom,
        dateTo: settings.dateTo,
        onProgress: (event) => show(event, progress),
        signal,
      }),
    );
  } finally {
    progress.end();
  }
}

export interface OpenRelease {
  readonly release: Release;
  readonly engine: DuckDbEngine;
  /** Names under which its tables can be read. */
  readonly relations: readonly string[];
  /** From now on only SQL that a stranger may run: single SELECTs over the relations; gold ones go without `gold.` too. */
  seal(): Promise<void>;
  close(): Promise<void>;
}

/** An engine that sees the tables of a release, the newest by default. */
export async function openRelease({ settings }: Call, number: number | undefined): Promise<OpenRelease> {
  refuseSpark(settings);
  const { lake, openEngine, close: closeLake } = await openLake(settings);
  let engine: DuckDbEngine | undefined;
  const close = async () => {
    await engine?.close();
    await closeLake();
  };
  try {
    const release = await findRelease(lake.store, number);
    const opened = (engine = await openEngine());
    await bindRelease(opened, lake, release);
    const relations = relationNames(Object.keys(release.tables));
    const seal = async () => {
      for (const relation of relations.filter((name) => name.startsWith('gold.')))
        await opened.define(relation.slice('gold.'.length), `SELECT * FROM ${relation}`);
      await opened.seal([settings.lake]);
    };
    return { release, engine: opened, relations, seal, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface DemoChoices {
  readonly outDir: string;
  readonly scale?: number;
  readonly seed?: number;
  readonly asOf?: string;
}

export async function writeDemoFiles(
  { terminal, signal }: Call,
  { asOf, ...choices }: DemoChoices,
): Promise<readonly DemoFile[]> {
  await mkdir(choices.outDir, { recursive: true });
  const progress = startProgress(terminal);
  try {
    const { files } = await writeDemo({
      ...choices,
      asOf: asOf ?? today(),
      onProgress: ({ path, records, expected }) =>
        records < expected ? progress.tick(records, expected, path) : progress.step(records, expected, path),
      signal,
    });
    return files;
  } finally {
    progress.end();
  }
}

async function findRelease(store: ObjectStore, number: number | undefined): Promise<Release> {
  const reader = new ReleaseReader(store);
  const release = number === undefined ? await reader.latest() : await reader.get(number);
  if (release === undefined) throw unknownRelease(number, store.url);
  return release;
}

function refuseSpark({ engine }: Settings): void {
  if (engine === 'spark') throw usageError('the engine spark is not built yet: use --engine duckdb, or leave it out');
}

function show(event: ProgressEvent, progress: Progress): void {
  switch (event.kind) {
    case 'stage':
      return event.state === 'begun' && event.total > 0 ? progress.say(`${event.stage} …`) : undefined;
    case 'step':
      return undefined;
    case 'file':
      return progress.step(event.done, event.total, event.path);
    case 'table':
      return progress.step(
        event.done,
        event.total,
        `${event.table}: ${countText(event.rows)} rows in ${event.seconds.toFixed(2)} s`,
      );
    case 'message':
      return progress.say(event.text);
  }
}
