import {
  GraphQLEnumType,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLFieldConfig,
} from 'graphql';
import { changedTables, type Release } from '#releases';
import { badInput } from './door-error.js';
import type { Operation } from './operation.js';
import { limitOf } from './row-plan.js';
import { GraphQLDate, GraphQLDateTime } from './scalar.js';

const DEFAULT_RELEASES = 20;
const MAX_RELEASES = 100;

const ReleaseType = new GraphQLObjectType({
  name: 'Release',
  description: 'One state of all tables.',
  fields: {
    id: { type: new GraphQLNonNull(GraphQLID) },
    parent: { type: GraphQLID },
    asOf: { type: new GraphQLNonNull(GraphQLDate) },
    publishedAt: { type: new GraphQLNonNull(GraphQLDateTime) },
    mode: {
      type: new GraphQLNonNull(
        new GraphQLEnumType({
          name: 'ReleaseMode',
          values: { full: {}, incremental: {}, stream: {}, rollback: {} } satisfies Record<Release['mode'], object>,
        }),
      ),
    },
    runId: { type: new GraphQLNonNull(GraphQLID) },
    changedTables: {
      type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLString))),
      description: 'Tables whose rows this very release changed: gold/fact_sales.',
    },
  },
});

export const releasesField: GraphQLFieldConfig<unknown, Operation> = {
  type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(ReleaseType))),
  description: 'Newest first.',
  args: {
    first: { type: GraphQLInt, description: '20 unless given, at most 100.' },
    before: { type: GraphQLID, description: 'Only releases before this one.' },
  },
  resolve: async (_, { first, before }: { first?: number | null; before?: string | null }, operation) => {
    operation.require('products:read');
    const limit = limitOf(first, '/first', DEFAULT_RELEASES, MAX_RELEASES);
    operation.readCurrentState();
    operation.charge(limit);
    const page = { limit, ...(before == null ? {} : { before: numberOf(before, '/before') }) };
    return (await operation.services.answers.releases.list(page)).map(toNode);
  },
};

export const releaseField: GraphQLFieldConfig<unknown, Operation> = {
  type: ReleaseType,
  description: 'Null if it is not kept, or never was.',
  args: { id: { type: new GraphQLNonNull(GraphQLID) } },
  resolve: async (_, { id }: { id: string }, operation) => {
    operation.require('products:read');
    operation.readCurrentState();
    operation.charge(1);
    const release = await operation.services.answers.releases.get(numberOf(id, '/id'));
    return release === undefined ? null : toNode(release);
  },
};

function numberOf(id: string, pointer: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw badInput(pointer, 'wrong-type', 'expected the number of a release');
}

function toNode(release: Release): object {
  return {
    id: String(release.number),
    parent: release.parent === null ? null : String(release.parent),
    asOf: release.as_of,
    publishedAt: release.published_at,
    mode: release.mode,
    runId: release.run_id,
    changedTables: changedTables(release),
  };
}
