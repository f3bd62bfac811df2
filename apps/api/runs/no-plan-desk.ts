import { LakeError } from '#errors';
import type { PlanDesk } from '#platform';

const refuse = () =>
  Promise.reject(new LakeError('queue.unavailable', 'unavailable', 'There is no queue to ask workers by yet.'));

/** Stands in where there are no workers to ask. */
export const noPlanDesk: PlanDesk = { request: refuse, get: refuse, close: () => Promise.resolve() };
