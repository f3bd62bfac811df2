import { randomUUID } from 'node:crypto';
import type { RollbackReport } from '#pipeline';
import type { Settings } from '../config/settings.js';
import { systemClock, type OpenLake } from './open-lake.js';
import { newRunId, refuseSpark } from './run-shop.js';

/** Publishes the state of an earlier release again. Throws `release.not_found` and `release-gone`. */
export async function rollBackShop(
  settings: Settings,
  { lake, openEngine }: OpenLake,
  choices: { readonly to: number; readonly signal: AbortSignal },
): Promise<RollbackReport> {
  refuseSpark(settings);
  const [{ rollBack }, { shopCatalogue }] = await Promise.all([import('#pipeline'), import('#products')]);
  return rollBack({
    ...choices,
    catalogue: shopCatalogue(),
    lake,
    openEngine,
    runId: newRunId(),
    newNonce: randomUUID,
    clock: systemClock,
  });
}
