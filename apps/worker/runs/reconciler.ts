import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { reenqueueLost, sweepRunFolders, type Log, type RunRecords } from '#platform';

const EVERY_MS = 30_000;

/** Repairs at start and now and then what crashes left: recorded runs that nobody would do, and folders of ended runs. */
export class Reconciler implements OnApplicationBootstrap, OnApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly records: RunRecords,
    private readonly queue: Queue,
    private readonly dataDir: string,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    void this.reconcile();
    this.#timer = setInterval(() => void this.reconcile(), EVERY_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  private async reconcile(): Promise<void> {
    try {
      const queued = await reenqueueLost(this.records, this.queue);
      if (queued.length > 0) this.log.info({ run_ids: queued }, 'runs without a job queued');
      await sweepRunFolders(this.dataDir, (runId) => this.hasEnded(runId));
    } catch (error) {
      this.log.warn({ reason: String(error) }, 'cannot look for lost runs now');
    }
  }

  private async hasEnded(runId: string): Promise<boolean> {
    const state = (await this.records.get(runId))?.state;
    return state !== 'queued' && state !== 'running';
  }
}
