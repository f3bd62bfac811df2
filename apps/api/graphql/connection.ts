import {
  GraphQLBoolean,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLFieldConfig,
} from 'graphql';
import type { ReleaseLabel } from '#serving';
import { badInput, repointed } from './door-error.js';
import { toWhere } from './filter.js';
import { COST_OF_SCAN, type FieldAnswer, type FieldOptions, type Operation } from './operation.js';
import { costOfProvenance } from './provenance.js';
import { firstArgument, limitOf, planRow, releaseArgument, selectOf } from './row-plan.js';
import { GraphQLDate, GraphQLDateTime } from './scalar.js';
import { Selection } from './selection.js';
import type { TableShape } from './table-shape.js';
import { toSort, type TableTypes } from './table-types.js';

const PageInfo = new GraphQLObjectType({
  name: 'PageInfo',
  fields: {
    hasNextPage: { type: new GraphQLNonNull(GraphQLBoolean) },
    hasPreviousPage: { type: new GraphQLNonNull(GraphQLBoolean) },
    startCursor: { type: GraphQLString },
    endCursor: { type: GraphQLString },
  },
});

const AnsweredRelease = new GraphQLObjectType({
  name: 'AnsweredRelease',
  description: 'The newest release, not after the one asked, that changed a table which the answer reads.',
  fields: {
    id: { type: new GraphQLNonNull(GraphQLID) },
    asOf: { type: new GraphQLNonNull(GraphQLDate) },
    publishedAt: { type: new GraphQLNonNull(GraphQLDateTime) },
  },
});

interface ConnectionArguments {
  readonly filter?: unknown;
  readonly orderBy?: readonly { readonly column: string; readonly direction: string }[] | null;
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
  readonly release?: string | null;
}

interface Page {
  readonly rows: number;
  readonly backward: boolean;
  readonly cursor?: string;
}

/** `factSales(filter, orderBy, first, after, last, before, release): FactSalesConnection!` */
export function connectionField(shape: TableShape, types: TableTypes): GraphQLFieldConfig<unknown, Operation> {
  const row = new GraphQLNonNull(types.row(shape));
  const list = (type: GraphQLObjectType | typeof row) => new GraphQLNonNull(new GraphQLList(type));
  const edge = new GraphQLObjectType({
    name: `${shape.typeName}Edge`,
    fields: { cursor: { type: new GraphQLNonNull(GraphQLString) }, node: { type: row } },
  });
  const connection = new GraphQLObjectType({
    name: `${shape.typeName}Connection`,
    fields: {
      nodes: { type: list(row) },
      edges: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(edge))) },
      pageInfo: { type: new GraphQLNonNull(PageInfo) },
      totalCount: { type: new GraphQLNonNull(GraphQLInt), description: 'Rows of all pages; counted when selected.' },
      release: { type: new GraphQLNonNull(AnsweredRelease) },
    },
  });
  return {
    type: new GraphQLNonNull(connection),
    description: `${shape.contract.describes} Every order ends in the key.`,
    args: {
      filter: { type: types.filter(shape) },
      orderBy: { type: new GraphQLList(new GraphQLNonNull(types.orderBy(shape))) },
      first: firstArgument,
      after: { type: GraphQLString, description: 'The rows after this cursor, from its release.' },
      last: { type: GraphQLInt, description: 'The last rows, or the last before a cursor; not together with first.' },
      before: { type: GraphQLString },
      release: releaseArgument,
    },
    resolve: async (_, args: ConnectionArguments, operation, info) => {
      operation.require('products:read');
      const selection = Selection.of(info);
      const page = pageOf(args);
      const nodes = selection.at('nodes');
      const edges = selection.at('edges');
      const total = selection.has('totalCount');
      const readsRows = selection.has('nodes') || selection.has('edges') || selection.has('pageInfo');
      const size = 1 + nodes.size + edges.size;
      const traces = costOfProvenance(nodes, shape) + costOfProvenance(edges.at('node'), shape);
      operation.charge((total ? COST_OF_SCAN : 0) + (readsRows ? page.rows * (size + traces) : 1));
      const { release, ...place } = { ...page, release: args.release ?? null };
      const from = { release, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) };
      const plans = { nodes: planRow(nodes, shape, from), edges: planRow(edges.at('node'), shape, from) };
      const select = [...new Set([...selectOf(plans.nodes, shape), ...selectOf(plans.edges, shape)])];
      const question = {
        select,
        limit: readsRows ? page.rows : 1,
        ...(args.filter == null ? {} : { where: toWhere(args.filter, shape) }),
        ...(args.orderBy == null ? {} : { sort: toSort(args.orderBy) }),
      };
      const answer = await askPage(operation, shape, question, { ...place, release, total });
      return {
        ...(selection.has('nodes') ? { nodes: answer.rows.map(plans.nodes.toNode) } : {}),
        ...(selection.has('edges') ? { edges: edgesOf(answer, edges, plans.edges.toNode) } : {}),
        ...(selection.has('pageInfo') ? { pageInfo: pageInfoOf(answer, page, selection.at('pageInfo')) } : {}),
        totalCount: answer.total,
        ...(selection.has('release') ? { release: toAnsweredRelease(await answer.label()) } : {}),
      };
    },
  };
}

async function askPage(operation: Operation, shape: TableShape, question: object, options: FieldOptions) {
  try {
    return await operation.ask(shape, question, options);
  } catch (error) {
    if (options.backward !== true) throw error;
    throw repointed(error, (pointer) => (pointer === '/cursor' ? '/before' : pointer));
  }
}

function toAnsweredRelease({ id, as_of, published_at }: ReleaseLabel): object {
  return { id: String(id), asOf: as_of, publishedAt: published_at };
}

function pageOf({ first, after, last, before }: ConnectionArguments): Page {
  const backward = last != null || before != null;
  if (backward && (first != null || after != null)) {
    throw badInput('/last', 'not-allowed', 'first and after go forward, last and before go backward: use one pair');
  }
  const cursor = backward ? before : after;
  const rows = backward ? limitOf(last, '/last') : limitOf(first);
  return { rows, backward, ...(cursor == null ? {} : { cursor }) };
}

/** Cursors are sealed one by one, so only where somebody reads them. */
function edgesOf(answer: FieldAnswer, edges: Selection, toNode: (row: FieldAnswer['rows'][number]) => object) {
  const hasCursor = edges.has('cursor');
  return answer.rows.map((row, n) => ({ ...(hasCursor ? { cursor: answer.cursorOf(n) } : {}), node: toNode(row) }));
}

function pageInfoOf(answer: FieldAnswer, { backward, cursor }: Page, selection: Selection): object {
  const [ahead, behind] = [answer.hasMore, cursor !== undefined];
  const last = answer.rows.length - 1;
  return {
    hasNextPage: backward ? behind : ahead,
    hasPreviousPage: backward ? ahead : behind,
    startCursor: selection.has('startCursor') && last >= 0 ? answer.cursorOf(0) : null,
    endCursor: selection.has('endCursor') && last >= 0 ? answer.cursorOf(last) : null,
  };
}
