import type { OnApplicationBootstrap } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { JobName, Log } from '#platform';

/** A job that came due while no worker ran is done at the next start. */
const schedules: readonly { readonly id: string; readonly name: JobName; readonly pattern: string }[] = [
  { id: 'daily-vacuum', name: 'vacuum', pattern: '30 3 * * *' },
];

/** Jobs that nobody asks for. The queue has each once, however many workers say so. */
export class Schedules implements OnApplicationBootstrap {
  constructor(
    private readonly queue: Queue,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    void this.schedule().catch((error: unknown) =>
      this.log.warn({ reason: String(error) }, 'cannot schedule jobs now'),
    );
  }

  private async schedule(): Promise<void> {
    for (const { id, name, pattern } of schedules)
      await this.queue.upsertJobScheduler(id, { pattern, tz: 'UTC' }, { name });
  }
}
