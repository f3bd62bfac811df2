export type { Clock, Lake } from './lake.js';
export {
  reportPath,
  runIdFrom,
  endRun,
  findRun,
  isSurelyLive,
  listRuns,
  registerRun,
  renewRun,
  runIdsAfter,
} from './run-record.js';
export { publishedByRun } from './published-by-run.js';
export { bornMs, isRunId, RENEW_EVERY_MS, type Owner, type RunRecord } from './run-record.js';
export type { Release, ReleaseCheck, ReleaseTable, WithdrawnLoad } from './release.js';
export { APP_ID, changedTables, proofPath } from './release.js';
export { noRelease, ReleaseReader, type ReleasePage } from './release-reader.js';
export { storePathOf, tableAt, type TableFile, type TableState } from './table-state.js';
export { lookBase, planBase } from './foreign-write.js';
export { acquireLease, releaseLease, renewLease, type Lease } from './lease.js';
export { publish, type Consumed, type PublishOutcome, type PublishRequest, type TableChange } from './publish.js';
export { rollForward, type RolledForward } from './roll-forward.js';
export { planRollback, type RestoredTable } from './plan-rollback.js';
export { retentionOf, type Retention } from './retention.js';
export { planVacuum, vacuum, type Orphan, type VacuumPlan } from './vacuum.js';
