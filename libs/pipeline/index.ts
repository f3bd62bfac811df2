export { bindRelease } from './bind-release.js';
export type { Cause } from './compare/cause.js';
export {
  dailyChanges,
  type CauseChange,
  type DailyChanges,
  type DayChange,
  type DayPage,
} from './compare/daily-changes.js';
export { withLineChanges } from './compare/line-changes.js';
export { diffReleases, type TableDiff } from './diff-releases.js';
export { findLandingFiles, type Landing, type LandingFile, type LandingNote } from './load/landing.js';
export { planRun, type RunPlan } from './plan.js';
export type { MovedFigure, MovedFigures } from './plan-figures.js';
export type { TablePlan } from './plan-table.js';
export { relationOf } from './sql-name.js';
export { prove, type ProveOptions, type ProveProgress } from './prove/prove.js';
export { proofSummary, readProof, type Proof } from './prove/proof.js';
export { runPipeline, type RunOptions, type RunResult } from './run.js';
export type { OnProgress, ProgressEvent, Stage, StageStanding } from './progress.js';
export type { RunJournal } from './run-journal.js';
export type { CheckReport, Conservation, FileReport, RunReport, TableReport } from './report.js';
