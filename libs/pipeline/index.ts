export { bindRelease } from './bind-release.js';
export { diffReleases, type TableDiff } from './diff-releases.js';
export { findLandingFiles, type Landing, type LandingFile, type LandingNote } from './load/landing.js';
export { relationOf } from './sql-name.js';
export { runPipeline, type RunOptions, type RunResult } from './run.js';
export type { OnProgress, ProgressEvent, Stage, StageStanding } from './progress.js';
export type { RunJournal } from './run-journal.js';
export type { CheckReport, Conservation, FileReport, RunReport, TableReport } from './report.js';
