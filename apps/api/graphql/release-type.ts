import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLID,
  GraphQLInt,
  GraphQLString,
  type GraphQLFieldConfig,
} from 'graphql';
import type { Release } from '#releases';
import { releaseView } from '../releases/release-view.js';
import { bySource, camelCased } from './camel-case.js';
import { badInput } from './door-error.js';
import { listOf, objectType, required } from './object-type.js';
import type { Operation } from './operation.js';
import { CompleteUntil, completeUntil } from './product-type.js';
import { limitOf } from './row-plan.js';
import { GraphQLDate, GraphQLDateTime } from './scalar.js';

/** Each is a record of its own that has to be read. */
const DEFAULT_RELEASES = 20;
const MAX_RELEASES = 100;

const text = required(GraphQLString);
const number = required(GraphQLInt);

const ReleaseMode = new GraphQLEnumType({
  name: 'ReleaseMode',
  values: { full: {}, incremental: {}, stream: {}, rollback: {} } satisfies Record<Release['mode'], object>,
});

export const CheckResult = objectType('CheckResult', 'How a check of a table went.', {
  table: text,
  name: text,
  severity: text,
  passed: required(GraphQLBoolean),
  failingRows: number,
});

const ReleaseType = objectType('Release', 'One state of all tables.', {
  id: required(GraphQLID),
  asOf: required(GraphQLDate),
  publishedAt: required(GraphQLDateTime),
  parent: GraphQLID,
  mode: required(ReleaseMode),
  rollbackTo: { type: GraphQLID, description: 'Of a rollback: the release whose state it has again.' },
  runId: required(GraphQLID),
  changedTables: { type: listOf(GraphQLString), description: 'Tables that it changed: gold/fact_sales.' },
  tables: listOf(
    objectType('ReleaseTable', 'A table in a release.', { table: text, rows: number, changedIn: required(GraphQLID) }),
  ),
  checks: { type: listOf(CheckResult), description: 'Of the tables that it changed.' },
  loads: {
    type: listOf(
      objectType('ConsumedLoad', 'The last load of a source that is in it.', { source: text, load: number }),
    ),
  },
  completeUntil: listOf(CompleteUntil),
  withdrawn: listOf(objectType('WithdrawnLoad', 'A load that is left out.', { source: text, load: number })),
});

export const releasesField: GraphQLFieldConfig<unknown, Operation> = {
  type: listOf(ReleaseType),
  description: 'Newest first.',
  args: {
    first: { type: GraphQLInt, description: '20 unless given, at most 100.' },
    before: { type: GraphQLID, description: 'Only releases before this one.' },
  },
  resolve: async (_, { first, before }: { first?: number | null; before?: string | null }, operation) => {
    operation.require('products:read');
    operation.readCurrentState();
    const limit = limitOf(first, '/first', DEFAULT_RELEASES, MAX_RELEASES);
    operation.charge(limit);
    const page = { limit, ...(before == null ? {} : { before: numberOf(before, '/before') }) };
    return (await operation.services.answers.releases.list(page)).map(toNode);
  },
};

export const releaseField: GraphQLFieldConfig<unknown, Operation> = {
  type: ReleaseType,
  description: 'An error if it is not kept, or never was.',
  args: { id: { type: required(GraphQLID) } },
  resolve: async (_, { id }: { id: string }, operation) => {
    operation.require('products:read');
    operation.readCurrentState();
    operation.charge(1);
    return toNode(await operation.services.answers.releaseAt(numberOf(id, '/id')));
  },
};

function numberOf(id: string, pointer: string): number {
  if (/^[1-9]\d{0,14}$/.test(id)) return Number(id);
  throw badInput(pointer, 'wrong-type', 'expected the number of a release');
}

function toNode(release: Release): object {
  return {
    ...(camelCased(releaseView(release)) as object),
    loads: bySource(release.loads, 'load'),
    completeUntil: completeUntil(release),
  };
}
