import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLFloat,
  GraphQLID,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLString,
  type GraphQLFieldConfig,
} from 'graphql';
import type { RunView } from '#platform';
import { invalidRequest, RequestError } from '../edge/request-error.js';
import { parseIdempotencyKey, parseRunRequest } from '../runs/parse-run-request.js';
import { camelCase, camelCased } from './camel-case.js';
import { listOf, objectType, required } from './object-type.js';
import type { Operation } from './operation.js';
import { CheckResult } from './release-type.js';
import { limitOf } from './row-plan.js';
import { GraphQLDate, GraphQLDateTime } from './scalar.js';

const DEFAULT_RUNS = 20;
const MAX_RUNS = 100;

const text = required(GraphQLString);
const number = required(GraphQLInt);

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

const RunStage = objectType('RunStage', 'A stage of a run.', {
  stage: text,
  state: { type: text, description: 'waiting, running, done or failed' },
  done: { type: number, description: 'Steps; 0 of 0 while unknown.' },
  total: number,
  startedAt: GraphQLDateTime,
  finishedAt: GraphQLDateTime,
});

const RunRequest = objectType('RunRequest', 'What a run was asked to do.', {
  asOf: GraphQLDate,
  full: GraphQLBoolean,
  tables: new GraphQLList(text),
  reason: GraphQLString,
});

const TableReport = objectType('TableReport', 'What a run did to a table.', {
  table: text,
  layer: text,
  rowsIn: { type: GraphQLInt, description: 'Null where rows do not follow one from one.' },
  rowsOut: GraphQLInt,
  duplicates: GraphQLInt,
  quarantined: GraphQLInt,
  inserted: GraphQLInt,
  updated: GraphQLInt,
  deleted: GraphQLInt,
  filesAdded: GraphQLInt,
  filesRemoved: GraphQLInt,
  totalRows: GraphQLInt,
  seconds: GraphQLFloat,
});

const RunReport = objectType('RunReport', 'What a run did.', {
  runId: required(GraphQLID),
  release: GraphQLID,
  parent: GraphQLID,
  asOf: GraphQLDate,
  mode: { type: GraphQLString, description: 'full, incremental or none: nothing was new' },
  startedAt: GraphQLDateTime,
  finishedAt: GraphQLDateTime,
  tables: listOf(TableReport),
  checks: listOf(CheckResult),
});

const Run = objectType('Run', 'A run of the pipeline, whoever started it.', {
  runId: required(GraphQLID),
  state: required(RunState),
  origin: { type: text, description: 'queue, or command for runs of the command line' },
  requestedBy: GraphQLString,
  request: required(RunRequest),
  asOf: GraphQLDate,
  createdAt: required(GraphQLDateTime),
  startedAt: GraphQLDateTime,
  finishedAt: GraphQLDateTime,
  attempts: { type: number, description: 'Times that a worker took it up.' },
  release: { type: GraphQLID, description: 'What it published.' },
  stages: listOf(RunStage),
  error: objectType('RunError', 'Why a run failed.', { code: text, message: text }),
  report: {
    type: RunReport,
    description: 'Null before it ended, or without one.',
    resolve: async (run, _, { services }) => camelCased(await services.runs.report((run as { runId: string }).runId)),
  },
});

const TriggerRunInput = new GraphQLInputObjectType({
  name: 'TriggerRunInput',
  fields: {
    asOf: { type: GraphQLDate, description: 'The day on which it starts unless given.' },
    full: { type: GraphQLBoolean },
    tables: {
      type: new GraphQLList(text),
      description: 'fact_sales: recomputed in full, with all that depends on them.',
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
  type: listOf(Run),
  description: 'Newest first.',
  args: {
    first: { type: GraphQLInt, description: '20 unless given, at most 100.' },
    before: { type: GraphQLID, description: 'Only runs before this one.' },
  },
  resolve: async (_, { first, before }: { first?: number | null; before?: string | null }, operation) => {
    operation.require('runs:admin');
    operation.readCurrentState();
    const limit = limitOf(first, '/first', DEFAULT_RUNS, MAX_RUNS);
    operation.charge(limit);
    const { runs } = await operation.services.runs.list({ limit, ...(before == null ? {} : { before }) });
    return camelCased(runs);
  },
};

export const runField: GraphQLFieldConfig<unknown, Operation> = {
  type: Run,
  args: { id: { type: required(GraphQLID) } },
  resolve: async (_, { id }: { id: string }, operation) => {
    operation.require('runs:admin');
    operation.readCurrentState();
    operation.charge(1);
    return camelCased((await operation.services.runs.get(id)) ?? null);
  },
};

export const triggerRunField: GraphQLFieldConfig<unknown, Operation> = {
  type: required(Run),
  description: 'Queues a run; the answer is the run as it is recorded.',
  args: { input: { type: TriggerRunInput } },
  resolve: async (_, { input }: { input?: TriggerRun | null }, operation) => {
    operation.require('runs:admin');
    operation.readCurrentState();
    operation.charge(1);
    const { catalogue, runs } = operation.services;
    const { asOf, idempotencyKey, ...rest } = input ?? {};
    const given = Object.entries({ as_of: asOf, ...rest }).filter(([, value]) => value != null);
    const { request, key } = atInput(() => ({
      request: parseRunRequest(Object.fromEntries(given), catalogue),
      key: parseIdempotencyKey(idempotencyKey ?? undefined),
    }));
    return camelCased(await runs.request(request, operation.caller.id, key));
  },
};

/** Mistakes in what REST takes as body and header, with pointers into the argument. */
function atInput<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw invalidRequest(
      error.mistakes.map(({ code, detail, ...place }) => {
        const pointer = 'pointer' in place ? camelCase(place.pointer) : '/idempotencyKey';
        return { pointer: `/input${pointer}`, code, detail };
      }),
    );
  }
}
