import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLID,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLFieldConfig,
} from 'graphql';
import type { RunRequest, RunView } from '#platform';
import type { Operation } from './operation.js';
import { limitOf } from './row-plan.js';
import { GraphQLDate, GraphQLDateTime } from './scalar.js';

const DEFAULT_RUNS = 20;
const MAX_RUNS = 100;

const text = new GraphQLNonNull(GraphQLString);
const number = new GraphQLNonNull(GraphQLInt);
const listOf = <T extends GraphQLObjectType | typeof GraphQLString>(type: T) =>
  new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)));

const RunState = new GraphQLEnumType({
  name: 'RunState',
  values: {
    queued: {},
    running: {},
    published: {},
    nothing_new: {},
    check_failed: {},
    failed: {},
    cancelled: {},
    lost: { description: 'Its process stopped telling; nothing of it was published.' },
  } satisfies Record<RunView['state'], object>,
});

const Stage = new GraphQLObjectType({
  name: 'RunStage',
  fields: {
    stage: { type: text },
    state: { type: text, description: 'waiting, running, done or failed' },
    done: { type: number, description: 'Steps; 0 of 0 while unknown.' },
    total: { type: number },
    startedAt: { type: GraphQLDateTime },
    finishedAt: { type: GraphQLDateTime },
  },
});

const Request = new GraphQLObjectType({
  name: 'RunRequest',
  fields: {
    asOf: { type: GraphQLDate },
    full: { type: GraphQLBoolean },
    tables: { type: new GraphQLList(text) },
    reason: { type: GraphQLString },
  },
});

const Run = new GraphQLObjectType({
  name: 'Run',
  description: 'A run of the pipeline, whoever started it.',
  fields: {
    runId: { type: new GraphQLNonNull(GraphQLID) },
    state: { type: new GraphQLNonNull(RunState) },
    origin: { type: text, description: 'queue, or command for runs of the command line' },
    requestedBy: { type: GraphQLString },
    request: { type: new GraphQLNonNull(Request) },
    asOf: { type: GraphQLDate },
    createdAt: { type: new GraphQLNonNull(GraphQLDateTime) },
    startedAt: { type: GraphQLDateTime },
    finishedAt: { type: GraphQLDateTime },
    attempts: { type: number, description: 'Times that a worker took it up.' },
    release: { type: GraphQLID, description: 'What it published.' },
    stages: { type: listOf(Stage) },
    error: {
      type: new GraphQLObjectType({ name: 'RunError', fields: { code: { type: text }, message: { type: text } } }),
    },
  },
});

const RunPage = new GraphQLObjectType({
  name: 'RunPage',
  fields: {
    nodes: { type: listOf(Run) },
    next: { type: GraphQLString, description: 'Pass it as before for older runs; null at the end.' },
  },
});

const TriggerRunInput = new GraphQLInputObjectType({
  name: 'TriggerRunInput',
  fields: {
    asOf: { type: GraphQLDate, description: 'The day on which it starts unless given.' },
    full: { type: GraphQLBoolean },
    tables: {
      type: new GraphQLList(text),
      description: 'gold/fact_sales: recomputed in full, with all that depends on them.',
    },
    reason: { type: GraphQLString },
    idempotencyKey: { type: GraphQLString, description: 'The same key and request within 24 h give the same run.' },
  },
});

interface TriggerRun {
  readonly asOf?: string | null;
  readonly full?: boolean | null;
  readonly tables?: readonly string[] | null;
  readonly reason?: string | null;
  readonly idempotencyKey?: string | null;
}

export const runsField: GraphQLFieldConfig<unknown, Operation> = {
  type: new GraphQLNonNull(RunPage),
  description: 'Newest first.',
  args: { first: { type: GraphQLInt, description: '20 unless given, at most 100.' }, before: { type: GraphQLString } },
  resolve: async (_, { first, before }: { first?: number | null; before?: string | null }, operation) => {
    operation.require('runs:admin');
    const limit = limitOf(first, '/first', DEFAULT_RUNS, MAX_RUNS);
    operation.readCurrentState();
    operation.charge(limit);
    const page = await operation.services.runs.list({ limit, ...(before == null ? {} : { before }) });
    return { nodes: page.runs.map(toNode), next: page.next };
  },
};

export const runField: GraphQLFieldConfig<unknown, Operation> = {
  type: Run,
  args: { id: { type: new GraphQLNonNull(GraphQLID) } },
  resolve: async (_, { id }: { id: string }, operation) => {
    operation.require('runs:admin');
    operation.readCurrentState();
    operation.charge(1);
    const run = await operation.services.runs.get(id);
    return run === undefined ? null : toNode(run);
  },
};

export const triggerRunField: GraphQLFieldConfig<unknown, Operation> = {
  type: new GraphQLNonNull(Run),
  description: 'Queues a run; the answer is the run as it is recorded.',
  args: { input: { type: TriggerRunInput } },
  resolve: async (_, { input }: { input?: TriggerRun | null }, operation) => {
    operation.require('runs:admin');
    operation.readCurrentState();
    operation.charge(1);
    const { asOf, full, tables, reason, idempotencyKey } = input ?? {};
    const request: RunRequest = {
      ...(asOf == null ? {} : { as_of: asOf }),
      ...(full == null ? {} : { full }),
      ...(tables == null ? {} : { tables }),
      ...(reason == null ? {} : { reason }),
    };
    return toNode(await operation.services.runs.request(request, operation.caller.id, idempotencyKey ?? undefined));
  },
};

function toNode(run: RunView): object {
  return {
    runId: run.run_id,
    state: run.state,
    origin: run.origin,
    requestedBy: run.requested_by,
    request: { ...run.request, asOf: run.request.as_of },
    asOf: run.as_of,
    createdAt: run.created_at,
    startedAt: run.started_at,
    finishedAt: run.finished_at,
    attempts: run.attempts,
    release: run.release === null ? null : String(run.release),
    stages: run.stages.map((stage) => ({ ...stage, startedAt: stage.started_at, finishedAt: stage.finished_at })),
    error: run.error,
  };
}
