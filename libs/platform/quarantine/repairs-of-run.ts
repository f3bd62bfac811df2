import { LakeError } from '#errors';
import type { Settings } from '../config/settings.js';
import type { OpenLake } from '../lake/open-lake.js';
import type { Repairing } from '../lake/run-shop.js';
import type { RunRequest } from '../runs/run-desk.js';
import { openWorkbench } from './open-workbench.js';

/**
 * What a queued run does with repairs; undefined for a run that loads and computes. Repairs that it replayed before, when
 * it is taken up again, are not there any more. Throws `quarantine.stale` where none of the others is as it was.
 */
export async function repairsOfRun(
  settings: Settings,
  open: OpenLake,
  { repairs: ids = [], withdraw = [], restore = [], reason }: RunRequest,
  by: string,
): Promise<Repairing | undefined> {
  if (ids.length + withdraw.length + restore.length === 0) return undefined;
  const moved = { withdraw, restore, by, reason: reason ?? null };
  if (ids.length === 0) return { repairs: [], ...moved };
  const { planReplay } = await import('#pipeline');
  const bench = await openWorkbench(settings, open);
  try {
    const { ready, left_out } = await planReplay(bench, ids);
    const [stale] = left_out;
    if (ready.length === 0 && stale !== undefined) {
      const message = `the records of ${left_out.map(({ repair }) => repair).join(', ')} are no longer as they were: ${stale.stale[0]?.id}: ${stale.stale[0]?.detail}`;
      throw new LakeError('quarantine.stale', 'conflict', message);
    }
    return { repairs: ready, ...moved };
  } finally {
    await bench.close();
  }
}
