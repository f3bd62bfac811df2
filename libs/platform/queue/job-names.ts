import type { QueueName } from './queue-server.js';

/** What may be queued where. The worker does not start unless each has exactly one handler. */
export const jobNames = {
  runs: ['run'],
  maintenance: ['vacuum', 'export', 'plan'],
} as const satisfies Readonly<Record<QueueName, readonly string[]>>;

export type JobName = (typeof jobNames)[QueueName][number];
