import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLEnumValueConfigMap,
  type GraphQLFieldConfigMap,
  type GraphQLInputFieldConfigMap,
  type GraphQLScalarType,
} from 'graphql';
import type { Column } from '#contracts';
import { bucketType, bucketUnits } from '#serving';
import type { Operation } from './operation.js';
import { provenanceField } from './provenance.js';
import { outputTypeOf, scalarOf } from './scalar.js';
import type { TableShape } from './table-shape.js';

/** Columns that an enum may name, the table's own and those one relation away: as in the enum, and as a path. */
interface Place {
  readonly name: string;
  readonly path: string;
  readonly definition: Column;
}

const SortDirection = new GraphQLEnumType({
  name: 'SortDirection',
  description: 'NULL is the lowest value.',
  values: { ASC: {}, DESC: {} },
});

/** The types that rows of tables and questions about them are written in, each made once. */
export class TableTypes {
  readonly #rows = new Map<TableShape, GraphQLObjectType<unknown, Operation>>();
  readonly #filters = new Map<TableShape, GraphQLInputObjectType>();
  readonly #conditions = new Map<string, GraphQLInputObjectType>();

  row(shape: TableShape): GraphQLObjectType<unknown, Operation> {
    return made(this.#rows, shape, () => {
      return new GraphQLObjectType<unknown, Operation>({
        name: shape.typeName,
        description: shape.contract.describes,
        fields: () => {
          const fields: GraphQLFieldConfigMap<unknown, Operation> = {};
          for (const { name, definition } of shape.columns.values()) {
            const type = outputTypeOf(definition.type);
            // without its scope a personal column is null
            const isNullable = definition.nullable || definition.pii !== undefined;
            fields[name] = { type: isNullable ? type : new GraphQLNonNull(type), description: describe(definition) };
          }
          for (const { name, to } of shape.relations.values()) fields[name] = { type: this.row(to) };
          fields['provenance'] = provenanceField;
          return fields;
        },
      });
    });
  }

  filter(shape: TableShape): GraphQLInputObjectType {
    return made(this.#filters, shape, () => {
      const type: GraphQLInputObjectType = new GraphQLInputObjectType({
        name: `${shape.typeName}Filter`,
        description: 'All of it has to hold. A comparison with null is false; ask for null by isNull.',
        fields: () => {
          const fields: GraphQLInputFieldConfigMap = {};
          for (const { name, definition } of shape.columns.values()) {
            const scalar = scalarOf(definition.type);
            if (scalar !== undefined) fields[name] = { type: this.conditions(scalar) };
          }
          for (const { name, to } of shape.relations.values()) fields[name] = { type: this.filter(to) };
          const several = new GraphQLList(new GraphQLNonNull(type));
          return { ...fields, and: { type: several }, or: { type: several }, not: { type } };
        },
      });
      return type;
    });
  }

  conditions(scalar: GraphQLScalarType): GraphQLInputObjectType {
    return made(this.#conditions, scalar.name, () => {
      const one = { type: scalar };
      const several = { type: new GraphQLList(new GraphQLNonNull(scalar)) };
      const equality = { eq: one, ne: one, in: several, nin: several, isNull: { type: GraphQLBoolean } };
      const order = { gt: one, gte: one, lt: one, lte: one };
      const text = { type: GraphQLString };
      const literal = { contains: text, starts: text, ends: text, icontains: text, istarts: text, iends: text };
      const pattern = { type: GraphQLString, description: '% and _ are wild, \\ escapes' };
      return new GraphQLInputObjectType({
        name: `${scalar.name}Filter`,
        fields: {
          ...equality,
          ...(scalar === GraphQLBoolean ? {} : order),
          ...(scalar === GraphQLString ? { like: pattern, ilike: pattern, ...literal } : {}),
        },
      });
    });
  }

  /** What rows are sorted by. */
  orderBy(shape: TableShape): GraphQLInputObjectType {
    const values: GraphQLEnumValueConfigMap = {};
    for (const { name, path, definition } of places(shape)) {
      if (scalarOf(definition.type) !== undefined) values[name] = { value: path };
    }
    return orderType(shape.typeName, new GraphQLEnumType({ name: `${shape.typeName}Column`, values }));
  }
}

/** `{column: …, direction: …}` over an enum whose values are what the query model sorts by. */
export function orderType(prefix: string, column: GraphQLEnumType): GraphQLInputObjectType {
  return new GraphQLInputObjectType({
    name: `${prefix}OrderBy`,
    fields: {
      column: { type: new GraphQLNonNull(column) },
      direction: { type: SortDirection, defaultValue: 'ASC' },
    },
  });
}

interface Order {
  readonly column: string;
  readonly direction: string | null;
}

/** As the query model reads it: `['-order_date']`. */
export function toSort(orderBy: readonly Order[]): readonly string[] {
  return orderBy.map(({ column, direction }) => (direction === 'DESC' ? `-${column}` : column));
}

/** A column of a group's keys. */
export interface GroupPlace extends Place {
  /** `month(order_date)` */
  readonly asked: string;
  /** What the answer calls it: `order_date_month`. */
  readonly output: string;
}

/** What rows are grouped by: columns, the table's own and those of its relations, and columns cut to a unit of time. */
export function groupPlaces(shape: TableShape): readonly GroupPlace[] {
  return places(shape).flatMap((place): GroupPlace[] => {
    const { name, path, definition } = place;
    if (scalarOf(definition.type) === undefined) return [];
    const buckets = bucketUnits.flatMap((unit): GroupPlace[] => {
      const type = bucketType(unit, definition.type);
      if (type === undefined) return [];
      const cut = { name: `${name}_${unit}`, path, definition: { ...definition, type } };
      return [{ ...cut, asked: `${unit}(${path})`, output: `${path}_${unit}` }];
    });
    return [{ ...place, asked: path, output: path }, ...buckets];
  });
}

function describe({ description, unit, pii }: Column): string {
  const scope = pii === undefined ? '' : ' Null without the scope pii:read.';
  return `${description}${unit === undefined ? '' : ` (${unit})`}.${scope}`.replace('..', '.');
}

function places(shape: TableShape): readonly Place[] {
  const own = [...shape.columns.values()].map(({ name, column, definition }) => ({ name, path: column, definition }));
  const reached = [...shape.relations.values()].flatMap(({ name: relation, relation: prefix, to }) =>
    [...to.columns.values()].map(({ name, column, definition }) => ({
      name: `${relation}_${name}`,
      path: `${prefix}.${column}`,
      definition,
    })),
  );
  return [...own, ...reached];
}

function made<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}
