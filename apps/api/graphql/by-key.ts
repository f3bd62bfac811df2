import { type GraphQLFieldConfig, type GraphQLFieldConfigArgumentMap } from 'graphql';
import { assert } from '#errors';
import { badInput, repointed } from './door-error.js';
import type { Operation } from './operation.js';
import { costOfProvenance } from './provenance.js';
import { planRow, releaseArgument, selectOf } from './row-plan.js';
import { scalarOf } from './scalar.js';
import { Selection } from './selection.js';
import type { TableShape } from './table-shape.js';
import type { TableTypes } from './table-types.js';

/** `factSalesByKey(salesKey, release): FactSales`, with an argument for each column of the key. */
export function byKeyField(shape: TableShape, types: TableTypes): GraphQLFieldConfig<unknown, Operation> {
  const args: GraphQLFieldConfigArgumentMap = {};
  for (const { name, definition } of shape.key) {
    const type = scalarOf(definition.type);
    assert(type !== undefined, `${name} of ${shape.name} can be compared`);
    args[name] = { type, ...(definition.nullable ? { description: 'null for the row without one' } : {}) };
  }
  return {
    type: types.row(shape),
    description: 'The row of a key; null if there is none.',
    args: { ...args, release: releaseArgument },
    resolve: async (_, args: Readonly<Record<string, unknown>>, operation, info) => {
      operation.require('products:read');
      const selection = Selection.of(info);
      operation.charge(1 + selection.size + costOfProvenance(selection, shape));
      const where = shape.key.map(({ name, column }) => {
        const value = args[name];
        if (value === undefined) throw badInput(`/${name}`, 'bad-key', 'every column of the key has to be given');
        return { [column]: value === null ? { null: true } : { eq: value } };
      });
      const from = { release: (args['release'] as string | null | undefined) ?? null };
      const plan = planRow(selection, shape, from);
      const question = { select: selectOf(plan, shape), where: { and: where }, limit: 1 };
      try {
        const { rows } = await operation.ask(shape, question, from);
        return rows[0] === undefined ? null : plan.toNode(rows[0]);
      } catch (error) {
        throw repointed(error, (pointer) => {
          const part = shape.key[Number(/^\/where\/and\/(\d+)/.exec(pointer)?.[1])];
          return part === undefined ? pointer : `/${part.name}`;
        });
      }
    },
  };
}
