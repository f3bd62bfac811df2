import { GraphQLBoolean, GraphQLID, GraphQLInt, GraphQLString, type GraphQLFieldConfig } from 'graphql';
import type { Release } from '#releases';
import { Products } from '../products/products.js';
import { productView } from '../products/product-view.js';
import { bySource, camelCase, camelCased } from './camel-case.js';
import { listOf, objectType, required } from './object-type.js';
import type { Operation } from './operation.js';
import { GraphQLDate, GraphQLDateTime } from './scalar.js';

const text = required(GraphQLString);
const texts = listOf(GraphQLString);

export const CompleteUntil = objectType('CompleteUntil', 'Until when a source is complete.', {
  source: text,
  until: GraphQLString,
});

const Freshness = objectType('Freshness', 'How fresh a product is in the newest release.', {
  release: required(GraphQLID),
  asOf: required(GraphQLDate),
  publishedAt: required(GraphQLDateTime),
  changedIn: { type: GraphQLID, description: 'The release that last changed it.' },
  rows: GraphQLInt,
  completeUntil: listOf(CompleteUntil),
});

const ProductColumn = objectType('ProductColumn', 'A column of a product.', {
  name: { type: text, description: 'In lake, SQL, REST and files.' },
  field: { type: GraphQLString, description: 'In GraphQL; columns of the platform are not there.' },
  type: text,
  nullable: required(GraphQLBoolean),
  description: text,
  unit: GraphQLString,
  pii: { type: GraphQLString, description: 'pii or pseudonym: null without the scope pii:read.' },
  selectedByDefault: required(GraphQLBoolean),
});

const ProductRelation = objectType('ProductRelation', 'Columns that name the key of another product.', {
  name: text,
  to: text,
  columns: texts,
  references: texts,
});

const ProductCheck = objectType('ProductCheck', 'What has to hold before a release is published.', {
  name: text,
  severity: text,
  description: text,
});

const Product = objectType('Product', 'A gold table and what its contract promises.', {
  name: text,
  field: { type: text, description: 'Its field in GraphQL.' },
  describes: text,
  version: required(GraphQLInt),
  owner: text,
  key: texts,
  freshness: { type: Freshness, description: 'Null while there is no release.' },
  table: text,
  columns: listOf(ProductColumn),
  sortBy: texts,
  partitionBy: texts,
  relations: listOf(ProductRelation),
  checks: listOf(ProductCheck),
  inputs: { type: texts, description: 'Tables that it is made of.' },
});

export const productsField: GraphQLFieldConfig<unknown, Operation> = {
  type: listOf(Product),
  description: 'All that there is to ask for.',
  resolve: (_, _args, operation) => {
    operation.require('products:read');
    operation.readCurrentState();
    operation.charge(1);
    const { answers, catalogue } = operation.services;
    return new Products(catalogue).all.map((table) => {
      const { freshness, lineage, columns, name, ...view } = productView(table, answers.current);
      return {
        ...(camelCased(view) as object),
        name,
        field: camelCase(name),
        inputs: lineage.inputs,
        columns: columns.map((column) => ({
          ...(camelCased(column) as object),
          field: column.selected_by_default ? camelCase(column.name) : null,
        })),
        freshness: freshness && { ...(camelCased(freshness) as object), completeUntil: completeUntil(freshness) },
      };
    });
  },
};

export function completeUntil({ complete_until }: Pick<Release, 'complete_until'>): readonly object[] {
  return bySource(complete_until, 'until');
}
