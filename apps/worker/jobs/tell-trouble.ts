import type { Queue } from 'bullmq';
import type { Log } from '#platform';

/** Without a listener the first lost connection would end the process. */
export function tellTrouble(queue: Queue, log: Log): Queue {
  return queue.on('error', (error) => log.warn({ queue: queue.name, reason: String(error) }, 'trouble with the queue'));
}
