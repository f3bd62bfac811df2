import { systemClock, type OpenLake, type Settings } from '#platform';
import { planVacuum, retentionOf, vacuum } from '#releases';
import type { JobHandler } from '../jobs/dispatch.js';

/** Drops releases that need not be kept, and removes what no kept one and no running run needs. */
export class VacuumWork implements JobHandler {
  readonly name = 'vacuum';

  constructor(
    private readonly settings: Settings,
    private readonly open: OpenLake,
  ) {}

  async handle(): Promise<{ readonly releases: number; readonly files: number; readonly bytes: number }> {
    const { lake } = this.open;
    const plan = await planVacuum(lake, systemClock, retentionOf(this.settings.keepReleases));
    const removed = await vacuum(lake, systemClock, plan);
    const bytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return { releases: plan.drops.length, files: removed.length, bytes };
  }
}
