import { systemClock, type OpenLake } from '#platform';
import { planVacuum, vacuum } from '#releases';
import type { JobHandler } from '../jobs/dispatch.js';

/** Removes what no release and no running run needs. */
export class VacuumWork implements JobHandler {
  readonly name = 'vacuum';

  constructor(private readonly open: OpenLake) {}

  async handle(): Promise<{ readonly files: number; readonly bytes: number }> {
    const { lake } = this.open;
    const removed = await vacuum(lake, systemClock, await planVacuum(lake, systemClock));
    return { files: removed.length, bytes: removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
  }
}
