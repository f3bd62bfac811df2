import { LakeError } from '#errors';
import type { RunDesk } from '#platform';

const refuse = () =>
  Promise.reject(
    new LakeError('records.unavailable', 'unavailable', 'There is no database for the records of runs yet.'),
  );

/** Stands in where runs can be neither asked for nor looked up. */
export const noRunDesk: RunDesk = {
  request: refuse,
  get: refuse,
  list: refuse,
  report: refuse,
  cancel: refuse,
  health: () => Promise.resolve({ records: false, queue: false }),
  close: () => Promise.resolve(),
};
