import { join } from 'node:path';
import { ReadOnlyStore } from '#storage';
import { ReleaseReader } from '#releases';
import { withDependants } from './affected.js';
import { lazyEngine } from './lazy-engine.js';
import { openParent } from './parent-state.js';
import { movedFigures, type MovedFigures } from './plan-figures.js';
import { planTable, type TablePlan } from './plan-table.js';
import { StageProgress } from './progress.js';
import type { CheckReport, FileReport, RunReport } from './report.js';
import { noJournal } from './run-journal.js';
import { stageRun, type StageOptions } from './stage-run.js';

export interface RunPlan {
  /** What a run would come to now. */
  readonly outcome: 'publish' | 'nothing_new' | 'check_failed';
  /** The release that the plan stands on, and its as_of; null while the lake has none. */
  readonly release: number | null;
  readonly release_as_of: string | null;
  readonly as_of: string;
  readonly mode: RunReport['mode'];
  readonly files: readonly FileReport[];
  readonly tables: readonly TablePlan[];
  readonly checks: readonly CheckReport[];
  /** null where the catalogue names no daily figures. */
  readonly figures: MovedFigures | null;
}

/**
 * What a run with these options would do: it loads, computes and checks in the work folder and stops before the lake
 * would know of it. Writes nothing to the lake, not even a roll-forward; a failed check is part of the answer.
 */
export async function planRun(options: StageOptions): Promise<RunPlan> {
  const { catalogue, clock, runId, workDir } = options;
  withDependants(options.tables ?? [], catalogue);
  const lake = { ...options.lake, store: new ReadOnlyStore(options.lake.store) };
  const attemptedAt = new Date(clock.nowMs()).toISOString();
  const journal = noJournal(join(workDir, runId));
  const stages = new StageProgress(options.onProgress);
  const parent = await new ReleaseReader(lake.store).latest();
  const engine = lazyEngine(await options.openEngine());
  try {
    const state = await openParent(lake, parent, catalogue, engine, 'look');
    const parts = { engine, state, journal, stages, attemptedAt };
    const { computed, checks, comesTo } = await stageRun({ ...options, lake }, parts);
    const tables: TablePlan[] = [];
    for (const outcome of computed.mode === 'none' ? [] : computed.outcomes) {
      tables.push(await planTable({ engine, catalogue, state, outcome }));
    }
    return {
      outcome: comesTo,
      release: parent?.number ?? null,
      release_as_of: parent?.as_of ?? null,
      as_of: options.asOf,
      mode: computed.mode,
      files: computed.files,
      tables,
      checks,
      figures: catalogue.daily === undefined ? null : await movedFigures(engine, catalogue.daily, state, computed),
    };
  } finally {
    await engine.close();
    await journal.clear();
  }
}
