export { bindRelease } from './bind-release.js';
export type { Cause } from './compare/cause.js';
export {
  dailyChanges,
  type CauseChange,
  type DailyChanges,
  type DayChange,
  type DayPage,
} from './compare/daily-changes.js';
export { diffReleases, type TableDiff } from './diff-releases.js';
export { findLandingFiles, type Landing, type LandingFile, type LandingNote } from './load/landing.js';
export { planRun, type RunPlan } from './plan.js';
export type { MovedFigure, MovedFigures } from './plan-figures.js';
export type { TablePlan } from './plan-table.js';
export { relationOf } from './sql-name.js';
export { prove, type ProveOptions, type ProveProgress } from './prove/prove.js';
export { proofSummary, readProof, type Proof } from './prove/proof.js';
export { loadName, loadsOf, type LoadSummary } from './loads.js';
export { rollBack, type RollbackReport } from './roll-back.js';
export { runPipeline, type RunOptions, type RunResult } from './run.js';
export type { OnProgress, ProgressEvent, Stage, StageStanding } from './progress.js';
export type { RunJournal } from './run-journal.js';
export type { CheckReport, Conservation, FileReport, RunReport, TableReport } from './report.js';
export type { Repair } from './repair.js';
export { parseChange, type FieldChange } from './quarantine/change-record.js';
export { draftRepair, type DraftedRepair, type RepairRequest } from './quarantine/draft-repair.js';
export {
  countByRule,
  findRecords,
  recordStates,
  type QuarantinedRecord,
  type RecordFilter,
  type RecordPage,
  type RuleCount,
} from './quarantine/find-records.js';
export { maskedText, maskedView } from './quarantine/mask-record.js';
export { planReplay, type ReplayPlan, type StaleRepair } from './quarantine/plan-replay.js';
export { repairLog, type RepairAction } from './quarantine/repair-log.js';
export { pendingRepairs, redoRepair, undoRepair } from './quarantine/repair-states.js';
export { noteRun } from './quarantine/repair-store.js';
export { showRecord, type RecordView } from './quarantine/show-record.js';
export type { Workbench } from './quarantine/workbench.js';
