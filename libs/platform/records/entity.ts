import { EntitySchema } from 'typeorm';
import type { Stage } from '#pipeline';
import type { RunRequest, RunState, StageView } from '../runs/run-desk.js';

/** Everything of ours is in a schema of its own: the database may be shared. */
export const SCHEMA = 'shopsmart';

export interface RunRow {
  run_id: string;
  state: Exclude<RunState, 'lost'>;
  requested_by: string;
  request: RunRequest;
  as_of: string | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  attempts: number;
  /** Who took it up last: `host:pid`. */
  worker: string | null;
  release: number | null;
  error: { code: string; message: string } | null;
  cancel_requested_at: Date | null;
}

export interface StageRow {
  run_id: string;
  stage: Stage;
  state: StageView['state'];
  done: number;
  total: number;
  started_at: Date | null;
  finished_at: Date | null;
}

export interface IdempotencyRow {
  requested_by: string;
  /** A digest of it: it may be of any length. */
  key: string;
  /** Of the request that came with it. */
  digest: string;
  run_id: string;
  created_at: Date;
}

const time = { type: 'timestamptz', nullable: true } as const;

export const runEntity = new EntitySchema<RunRow>({
  name: 'run',
  schema: SCHEMA,
  columns: {
    run_id: { type: 'text', primary: true },
    state: { type: 'text' },
    requested_by: { type: 'text' },
    request: { type: 'json' },
    as_of: { type: 'text', nullable: true },
    created_at: { type: 'timestamptz' },
    started_at: time,
    finished_at: time,
    attempts: { type: 'int' },
    worker: { type: 'text', nullable: true },
    release: { type: 'int', nullable: true },
    error: { type: 'json', nullable: true },
    cancel_requested_at: time,
  },
});

export const stageEntity = new EntitySchema<StageRow>({
  name: 'run_stage',
  schema: SCHEMA,
  columns: {
    run_id: { type: 'text', primary: true },
    stage: { type: 'text', primary: true },
    state: { type: 'text' },
    done: { type: 'int' },
    total: { type: 'int' },
    started_at: time,
    finished_at: time,
  },
});

export const idempotencyEntity = new EntitySchema<IdempotencyRow>({
  name: 'idempotency_key',
  schema: SCHEMA,
  columns: {
    requested_by: { type: 'text', primary: true },
    key: { type: 'text', primary: true },
    digest: { type: 'text' },
    run_id: { type: 'text' },
    created_at: { type: 'timestamptz' },
  },
});
