import { GraphQLObjectType, GraphQLSchema, printSchema, type GraphQLFieldConfigMap } from 'graphql';
import type { Catalogue } from '#contracts';
import { aggregateField } from './aggregate.js';
import { byKeyField } from './by-key.js';
import { connectionField } from './connection.js';
import type { Operation } from './operation.js';
import { productsField } from './product-type.js';
import { releaseField, releasesField } from './release-type.js';
import { runField, runsField, triggerRunField } from './run-type.js';
import { tableShapes } from './table-shape.js';
import { TableTypes } from './table-types.js';

/** The schema of a catalogue's gold tables, with resolvers; their context is an `Operation`. */
export function graphqlSchema(catalogue: Catalogue): GraphQLSchema {
  const types = new TableTypes();
  const tables: GraphQLFieldConfigMap<unknown, Operation> = {};
  for (const shape of tableShapes(catalogue)) {
    tables[shape.name] = connectionField(shape, types);
    tables[`${shape.name}ByKey`] = byKeyField(shape, types);
    tables[`${shape.name}Aggregate`] = aggregateField(shape, types);
  }
  return new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        ...tables,
        products: productsField,
        releases: releasesField,
        release: releaseField,
        runs: runsField,
        run: runField,
      },
    }),
    mutation: new GraphQLObjectType({ name: 'Mutation', fields: { triggerRun: triggerRunField } }),
  });
}

/** As in docs/schema.graphql and at /graphql/schema.graphql. */
export function printedSchema(catalogue: Catalogue): string {
  return `${printSchema(graphqlSchema(catalogue))}\n`;
}
