import type { DuckDbEngine } from '#engine';
import { LakeError } from '#errors';
import { ReleaseReader, type Release } from '#releases';
import type { ObjectStore } from '#storage';
import type { Settings } from '../config/settings.js';
import { openLake, type OpenLake } from '../lake/open-lake.js';
import { refuseSpark } from '../lake/run-shop.js';

export interface OpenRelease {
  readonly release: Release;
  readonly engine: DuckDbEngine;
  /** Names under which its tables can be read: `gold.fact_sales`, `quarantine.orders`. */
  readonly relations: readonly string[];
  /** From now on only SQL that a stranger may run: single SELECTs over the relations; gold ones go without `gold.` too. */
  seal(): Promise<void>;
  close(): Promise<void>;
}

/** A lake, and an engine that sees the tables of one of its releases, the newest by default. */
export async function openRelease(settings: Settings, number?: number): Promise<OpenRelease> {
  const open = await openLake(settings);
  try {
    const opened = await openReleaseOf(settings, open, number);
    const close = async () => {
      await opened.close();
      await open.close();
    };
    return { ...opened, close };
  } catch (error) {
    await open.close();
    throw error;
  }
}

/** The same in a lake that is open, and stays so. */
export async function openReleaseOf(settings: Settings, open: OpenLake, number?: number): Promise<OpenRelease> {
  refuseSpark(settings);
  const { lake, openEngine } = open;
  const release = await findRelease(lake.store, number);
  const { bindRelease, relationOf } = await import('#pipeline');
  const engine = await openEngine();
  const close = () => engine.close();
  try {
    await bindRelease(engine, lake, release);
    const relations = Object.keys(release.tables).map(relationOf).sort();
    const seal = async () => {
      for (const relation of relations.filter((name) => name.startsWith('gold.')))
        await engine.define(relation.slice('gold.'.length), `SELECT * FROM ${relation}`);
      await engine.seal([settings.lake]);
    };
    return { release, engine, relations, seal, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The newest where none is named. Throws `release.not_found`, or `release-gone` for one that was removed. */
export async function findRelease(store: ObjectStore, number: number | undefined): Promise<Release> {
  const reader = new ReleaseReader(store);
  if (number !== undefined) return reader.existing(number);
  const release = await reader.latest();
  if (release !== undefined) return release;
  throw new LakeError(
    'release.not_found',
    'notFound',
    `there is no release in ${store.url} yet: npx shopsmart run publishes the first`,
  );
}
