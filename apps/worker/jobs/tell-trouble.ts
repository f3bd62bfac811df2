import type { Queue } from 'bullmq';
import { systemClock, type Log, type QueueName } from '#platform';

/** BullMQ tries again without a pause, and says so each time. */
const SAY_AGAIN_MS = 10_000;

/** A listener for errors: without one the first lost connection would end the process. The same words are told now and then. */
export function troubleTeller(queue: QueueName, log: Log): (error: Error) => void {
  let said = '';
  let saidMs = 0;
  return (error) => {
    const reason = String(error);
    const nowMs = systemClock.nowMs();
    if (reason === said && nowMs - saidMs < SAY_AGAIN_MS) return;
    [said, saidMs] = [reason, nowMs];
    log.warn({ queue, reason }, 'trouble with the queue');
  };
}

export function tellTrouble(queue: Queue, name: QueueName, log: Log): Queue {
  return queue.on('error', troubleTeller(name, log));
}
