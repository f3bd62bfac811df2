import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { DuckDbEngine } from '#engine';
import { LakeError } from '#errors';
import type { Clock, Lake } from '#releases';
import { LocalStore, type ObjectStore } from '#storage';
import type { Settings } from '../config/settings.js';
import { CheckpointRows } from './checkpoint-rows.js';
import { makeWorkFolder } from './work-folder.js';

export const systemClock: Clock = { nowMs: () => Date.now(), sleep: (waitMs) => setTimeout(waitMs) };

export function openStore({ lake }: Pick<Settings, 'lake'>): ObjectStore {
  if (!lake.includes('://')) return new LocalStore(lake);
  throw new LakeError(
    'settings.invalid',
    'invalid',
    `the lake ${lake} cannot be reached yet: only a folder can be a lake for now`,
  );
}

/** The lake of the settings, and a folder that is this process's own until `close`. */
export interface OpenLake {
  readonly lake: Lake;
  readonly workDir: string;
  /** A new engine with the memory and threads of the settings; its opener closes it. */
  readonly openEngine: () => Promise<DuckDbEngine>;
  readonly close: () => Promise<void>;
}

export async function openLake(settings: Settings): Promise<OpenLake> {
  const store = openStore(settings);
  const workDir = await makeWorkFolder(settings);
  const parquet = new CheckpointRows(workDir);
  const { memoryLimitBytes, threads } = settings;
  return {
    lake: { store, parquet, cacheDir: join(settings.data, 'cache') },
    workDir,
    openEngine: async () => {
      // Loaded when needed: `npm start` and most commands stay small and quick without it.
      const engine = await import('#engine');
      return engine.DuckDbEngine.open({ memoryLimit: `${Math.floor(memoryLimitBytes / 1e6)}MB`, threads, workDir });
    },
    close: async () => {
      await parquet.close();
      await rm(workDir, { recursive: true, force: true });
    },
  };
}
