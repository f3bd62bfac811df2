import type { Proof, ProveProgress } from '#pipeline';
import { findRelease } from '../export/open-release.js';
import type { Settings } from '../config/settings.js';
import { systemClock, type OpenLake } from './open-lake.js';
import { refuseSpark } from './run-shop.js';

export interface ProveChoices {
  /** The newest unless told. */
  readonly release?: number;
  readonly onProgress: (progress: ProveProgress) => void;
  readonly signal: AbortSignal;
}

/** Proves a release of the shop, as the settings say. Throws `release.not_found`. */
export async function proveShop(settings: Settings, open: OpenLake, choices: ProveChoices): Promise<Proof> {
  refuseSpark(settings);
  const [{ prove }, { preludeDigestText }, { shopCatalogue }] = await Promise.all([
    import('#pipeline'),
    import('#engine'),
    import('#products'),
  ]);
  const { lake, workDir, openEngine } = open;
  const { dateFrom, dateTo } = settings;
  return prove({
    ...choices,
    catalogue: shopCatalogue(),
    lake,
    openEngine,
    prelude: preludeDigestText,
    release: await findRelease(lake.store, choices.release),
    clock: systemClock,
    workDir,
    dateFrom,
    dateTo,
  });
}
