import { mkdir } from 'node:fs/promises';
import type { Engine } from '#engine';
import { checkTables } from './check-table.js';
import { computeRun, logicDigests, type ComputedRun } from './compute.js';
import { findLandingFiles, type Landing } from './load/landing.js';
import { landingSources } from './load-landing.js';
import type { ParentState } from './parent-state.js';
import type { StageProgress } from './progress.js';
import type { CheckReport } from './report.js';
import { resume } from './resume.js';
import type { RunJournal } from './run-journal.js';
import type { RunOptions } from './run.js';

export type StageOptions = Omit<RunOptions, 'journal' | 'newNonce'>;

interface StageParts {
  readonly engine: Engine;
  readonly state: ParentState;
  readonly journal: RunJournal;
  readonly stages: StageProgress;
  /** RFC 3339, of this attempt. */
  readonly attemptedAt: string;
}

export interface StagedRun {
  /** When the run began with these inputs: what its rows are stamped with. */
  readonly startedAt: string;
  readonly computed: ComputedRun;
  /** None where nothing changed. */
  readonly checks: readonly CheckReport[];
  readonly comesTo: 'publish' | 'nothing_new' | 'check_failed';
}

const NOTHING_LANDED: Landing = { files: new Map(), waiting: [], skipped: [] };

/** All of a run that the lake does not see: load, compute and check, in the journal's folder. A failed check is no error here. */
export async function stageRun(options: StageOptions, parts: StageParts): Promise<StagedRun> {
  const { engine, state, journal, stages, attemptedAt } = parts;
  const landing = options.skipLanding
    ? NOTHING_LANDED
    : await findLandingFiles(options.landingDir, landingSources(options.catalogue));
  const logic = logicDigests(options);
  const startedAt = await resume({ options, journal, state, landing, logic, startedAt: attemptedAt });
  await mkdir(journal.filesDir, { recursive: true });
  const computed = await computeRun(
    { ...options, engine, state, journal, stages, processedAt: startedAt },
    landing,
    logic,
  );
  if (computed.changes.size === 0 && !computed.movesLoads) {
    return { startedAt, computed, checks: [], comesTo: 'nothing_new' };
  }
  const checks = await checkTables({ ...options, engine, computed, stages });
  const isFailed = checks.some(({ passed, severity }) => !passed && severity === 'error');
  return { startedAt, computed, checks, comesTo: isFailed ? 'check_failed' : 'publish' };
}
