import { join } from 'node:path';
import type { Workbench } from '#pipeline';
import { shopCatalogue } from '#products';
import type { Settings } from '../config/settings.js';
import { openReleaseOf } from '../export/open-release.js';
import { systemClock, type OpenLake } from '../lake/open-lake.js';
import { newRunId, planShop } from '../lake/run-shop.js';
import { QuarantineDesk } from './quarantine-desk.js';

export interface OpenWorkbench extends Workbench {
  readonly close: () => Promise<void>;
}

/** The workbench of a process that stays. Its engine has a share of the memory, beside that for answers. */
export function openQuarantineDesk(settings: Settings, open: OpenLake): QuarantineDesk {
  const memoryLimitBytes = Math.max(MIN_BYTES, settings.memoryLimitBytes * SHARE);
  const openEngine = async () => {
    const { DuckDbEngine } = await import('#engine');
    const memoryLimit = `${Math.floor(memoryLimitBytes / 1e6)}MB`;
    return DuckDbEngine.open({ memoryLimit, threads: settings.threads, workDir: open.workDir });
  };
  return new QuarantineDesk({
    open: { ...open, openEngine },
    catalogue: shopCatalogue(),
    clock: systemClock,
    plan: (asOf, repairing, signal) =>
      planShop(
        settings,
        { ...open, openEngine },
        { runId: newRunId(), asOf, repairing, onProgress: () => undefined, signal },
      ),
  });
}

const SHARE = 0.25;
const MIN_BYTES = 256e6;

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
