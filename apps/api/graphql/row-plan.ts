import { GraphQLID, GraphQLInt } from 'graphql';
import type { Row, Value } from '#engine';
import { DEFAULT_LIMIT, MAX_LIMIT, restKey } from '#serving';
import { badInput } from './door-error.js';
import type { FieldOptions } from './operation.js';
import type { Selection } from './selection.js';
import type { TableShape } from './table-shape.js';

/** A row as GraphQL reads it: fields by name, a relation as an object or null. */
export interface Node {
  readonly [name: string]: Value | Node | Traceable;
}

/** What a row carries as `provenance`: which row it is, and where its release is had from. */
export interface Traceable {
  readonly shape: TableShape;
  readonly key: string;
  readonly from: FieldOptions;
}

export interface RowPlan {
  /** What to select. */
  readonly paths: readonly string[];
  readonly toNode: (row: Row) => Node;
}

export const releaseArgument = {
  type: GraphQLID,
  description: 'The number of a release that is kept; the newest unless given. Fields without it see one release.',
};

/** Throws for what is not from 1 to 10,000, whatever of the answer is selected. */
export function limitOf(
  asked: number | null | undefined,
  pointer = '/first',
  unlessGiven = DEFAULT_LIMIT,
  max = MAX_LIMIT,
) {
  const limit = asked ?? unlessGiven;
  if (limit >= 1 && limit <= max) return limit;
  throw badInput(pointer, 'out-of-range', `expected a whole number from 1 to ${max}`);
}

export const firstArgument = { type: GraphQLInt, description: '100 unless given, at most 10,000.' };

/**
 * Reads what was selected of a row and, over relations, of the rows that it refers to: one statement for all levels.
 * A row that is not there has no key.
 */
export function planRow(selection: Selection, shape: TableShape, from: FieldOptions, prefix = ''): RowPlan {
  const columns: (readonly [string, string])[] = [];
  const relations: { name: string; keyPath: string; plan: RowPlan }[] = [];
  for (const name of selection.names) {
    const column = shape.columns.get(name)?.column;
    if (column !== undefined) columns.push([name, `${prefix}${column}`]);
    const relation = shape.relations.get(name);
    if (relation === undefined) continue;
    const inner = `${prefix}${relation.relation}.`;
    const keyPath = `${inner}${relation.to.key[0]?.column ?? ''}`;
    relations.push({ name, keyPath, plan: planRow(selection.at(name), relation.to, from, inner) });
  }
  const isTraced = selection.has('provenance');
  const paths = [
    ...columns.map(([, path]) => path),
    ...(isTraced ? shape.key.map(({ column }) => `${prefix}${column}`) : []),
    ...relations.flatMap(({ keyPath, plan }) => [keyPath, ...plan.paths]),
  ];
  return {
    paths: [...new Set(paths)],
    toNode: (row) => {
      const node: Record<string, Value | Node | Traceable> = {};
      for (const [name, path] of columns) node[name] = row[path] ?? null;
      for (const { name, keyPath, plan } of relations) {
        node[name] = (row[keyPath] ?? null) === null ? null : plan.toNode(row);
      }
      if (isTraced) node['provenance'] = { shape, key: keyOf(row, shape, prefix), from };
      return node;
    },
  };
}

function keyOf(row: Row, { key, contract }: TableShape, prefix: string): string {
  return restKey(Object.fromEntries(key.map(({ column }) => [column, row[`${prefix}${column}`] ?? null])), contract);
}

/** A statement reads something, also for `{ nodes { __typename } }`. */
export function selectOf(plan: RowPlan, shape: TableShape): readonly string[] {
  return plan.paths.length > 0 ? plan.paths : shape.key.map(({ column }) => column);
}
