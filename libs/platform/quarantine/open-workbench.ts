import { join } from 'node:path';
import type { Workbench } from '#pipeline';
import { shopCatalogue } from '#products';
import type { Settings } from '../config/settings.js';
import { openReleaseOf } from '../export/open-release.js';
import { systemClock, type OpenLake } from '../lake/open-lake.js';

export interface OpenWorkbench extends Workbench {
  readonly close: () => Promise<void>;
}

/** The quarantine of the newest release. Throws `release.not_found` where there is none. */
export async function openWorkbench(settings: Settings, open: OpenLake): Promise<OpenWorkbench> {
  const opened = await openReleaseOf(settings, open);
  const { engine, release } = opened;
  const { lake, workDir } = open;
  return {
    engine,
    lake,
    release,
    catalogue: shopCatalogue(),
    clock: systemClock,
    workDir: join(workDir, 'workbench'),
    close: () => opened.close(),
  };
}
