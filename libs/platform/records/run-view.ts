import type { Stage } from '#pipeline';
import type { RunView, StageView } from '../runs/run-desk.js';
import type { RunRow, StageRow } from './entity.js';

const stageOrder: readonly Stage[] = ['load', 'silver', 'gold', 'ml', 'checks', 'publish'];

export function toRunView(run: RunRow, stages: readonly StageRow[]): RunView {
  return {
    run_id: run.run_id,
    state: run.state,
    origin: 'queue',
    requested_by: run.requested_by,
    request: run.request,
    as_of: run.as_of,
    created_at: run.created_at.toISOString(),
    started_at: isoTime(run.started_at),
    finished_at: isoTime(run.finished_at),
    attempts: run.attempts,
    release: run.release,
    stages: stageOrder.map((stage) =>
      toStageView(
        stage,
        stages.find((row) => row.stage === stage),
      ),
    ),
    error: run.error,
  };
}

function toStageView(stage: Stage, row: StageRow | undefined): StageView {
  if (row === undefined) return { stage, state: 'waiting', done: 0, total: 0, started_at: null, finished_at: null };
  const { state, done, total } = row;
  return { stage, state, done, total, started_at: isoTime(row.started_at), finished_at: isoTime(row.finished_at) };
}

function isoTime(time: Date | null): string | null {
  return time === null ? null : time.toISOString();
}
