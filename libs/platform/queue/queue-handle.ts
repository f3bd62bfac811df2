import { setTimeout } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { ANSWER_WITHIN_MS } from './queue-server.js';

/** A queue for those who cannot wait: opened at first use, opened anew when it could not be, never waited for long. */
export class QueueHandle {
  #queue: Promise<Queue> | undefined;

  constructor(private readonly open: () => Promise<Queue>) {}

  async use<T>(work: (queue: Queue) => Promise<T>): Promise<T> {
    const opened = (this.#queue ??= this.open());
    const queue = await opened;
    try {
      // BullMQ remembers a first connection that failed for ever.
      await within(queue.waitUntilReady());
    } catch (error) {
      if (this.#queue === opened) this.#queue = undefined;
      await closeQueue(queue);
      throw error;
    }
    return within(work(queue));
  }

  isReachable(): Promise<boolean> {
    return this.use((queue) => queue.getJobCountByTypes('waiting')).then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    if (this.#queue !== undefined) await closeQueue(await this.#queue);
  }
}

async function closeQueue(queue: Queue): Promise<void> {
  // A Redis client that lost its server cannot say good-bye, and would go on trying to reach it.
  await within(queue.close()).catch(() => within(queue.disconnect()).catch(() => undefined));
}

async function within<T>(work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = setTimeout(ANSWER_WITHIN_MS, undefined, { signal: stop.signal, ref: false }).then(() => {
    throw new Error(`the queue did not answer within ${ANSWER_WITHIN_MS} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
    late.catch(() => undefined);
  }
}
