import {
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLFieldConfig,
  type GraphQLNullableType,
  type GraphQLOutputType,
} from 'graphql';
import type { Operation } from './operation.js';

type Field = GraphQLOutputType | GraphQLFieldConfig<unknown, Operation>;

/** An object type whose fields need no more than their types. */
export function objectType(name: string, description: string, fields: Readonly<Record<string, Field>>) {
  const entries = Object.entries(fields).map(([field, type]) => [field, 'type' in type ? type : { type }] as const);
  return new GraphQLObjectType<unknown, Operation>({ name, description, fields: Object.fromEntries(entries) });
}

export function required<T extends GraphQLNullableType>(type: T): GraphQLNonNull<T> {
  return new GraphQLNonNull(type);
}

/** Neither the list is null nor what is in it. */
export function listOf<T extends GraphQLNullableType>(type: T) {
  return required(new GraphQLList(required(type)));
}
