import {
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLEnumValueConfigMap,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  type GraphQLInputFieldConfigMap,
} from 'graphql';
import type { ColumnType } from '#contracts';
import { measureType } from '#serving';
import { capital } from './camel-case.js';
import { isObject, toConditions, toWhere } from './filter.js';
import { COST_OF_SCAN, type Operation } from './operation.js';
import { firstArgument, limitOf, releaseArgument, type Node } from './row-plan.js';
import { outputTypeOf, scalarOf } from './scalar.js';
import { Selection } from './selection.js';
import type { ColumnShape, TableShape } from './table-shape.js';
import { groupPlaces, orderType, toSort, type TableTypes } from './table-types.js';

/** Fields of a group, and the measures of the query model that they hold. */
const FUNCTIONS = { sum: 'sum', avg: 'avg', min: 'min', max: 'max', countDistinct: 'count_distinct' } as const;
type FunctionName = keyof typeof FUNCTIONS;
const functionNames = Object.keys(FUNCTIONS) as FunctionName[];

interface AggregateArguments {
  readonly groupBy?: readonly string[] | null;
  readonly filter?: unknown;
  readonly having?: unknown;
  readonly orderBy?: readonly { readonly column: string; readonly direction: string }[] | null;
  readonly first?: number | null;
  readonly release?: string | null;
}

/** A measure of a column: as the query model is asked for it, as its answer names it, and of which type. */
interface MeasureShape {
  readonly column: ColumnShape;
  readonly asked: string;
  readonly output: string;
  readonly type: ColumnType;
}

/** `factSalesAggregate(groupBy, filter, having, orderBy, first, release): [FactSalesGroup!]!` */
export function aggregateField(shape: TableShape, types: TableTypes): GraphQLFieldConfig<unknown, Operation> {
  const places = groupPlaces(shape);
  const measures = new Map(functionNames.map((name) => [name, measuresOf(name, shape)]));
  const keys: GraphQLFieldConfigMap<unknown, Operation> = {};
  const groups: GraphQLEnumValueConfigMap = {};
  for (const { name, asked, definition } of places) {
    keys[name] = { type: outputTypeOf(definition.type) };
    groups[name] = { value: asked };
  }
  const fields: GraphQLFieldConfigMap<unknown, Operation> = {};
  const conditions: GraphQLInputFieldConfigMap = { count: { type: types.conditions(GraphQLInt) } };
  const orders: GraphQLEnumValueConfigMap = { count: { value: 'count' } };
  for (const { name, output } of places) orders[name] = { value: output };
  for (const [name, found] of measures) {
    if (found.length === 0) continue;
    fields[name] = { type: new GraphQLNonNull(measureOutput(shape, name, found)) };
    conditions[name] = { type: measureConditions(shape, name, found, types) };
    for (const { column, output } of found) orders[`${name}_${column.name}`] = { value: output };
  }
  const group = new GraphQLObjectType({
    name: `${shape.typeName}Group`,
    fields: {
      keys: {
        type: new GraphQLNonNull(new GraphQLObjectType({ name: `${shape.typeName}Keys`, fields: keys })),
        description: 'What the rows of the group have in common; null for columns that were not grouped by.',
      },
      count: { type: new GraphQLNonNull(GraphQLInt), description: 'Rows.' },
      ...fields,
    },
  });
  const having: GraphQLInputObjectType = new GraphQLInputObjectType({
    name: `${shape.typeName}Having`,
    description: 'Conditions on measures, selected or not.',
    fields: () => {
      const several = new GraphQLList(new GraphQLNonNull(having));
      return { ...conditions, and: { type: several }, or: { type: several }, not: { type: having } };
    },
  });
  const groupColumn = new GraphQLEnumType({ name: `${shape.typeName}GroupColumn`, values: groups });
  const orderColumn = new GraphQLEnumType({ name: `${shape.typeName}GroupOrderColumn`, values: orders });
  return {
    type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(group))),
    description: `Groups of rows of ${shape.name}; one of all rows without groupBy. Measures are computed when selected.`,
    args: {
      groupBy: { type: new GraphQLList(new GraphQLNonNull(groupColumn)) },
      filter: { type: types.filter(shape) },
      having: { type: having },
      orderBy: {
        type: new GraphQLList(new GraphQLNonNull(orderType(`${shape.typeName}Group`, orderColumn))),
        description: 'By measures, selected or not, and by what is grouped by.',
      },
      first: firstArgument,
      release: releaseArgument,
    },
    resolve: async (_, args: AggregateArguments, operation, info) => {
      operation.require('products:read');
      const selection = Selection.of(info);
      const limit = limitOf(args.first);
      operation.charge(COST_OF_SCAN + limit * (1 + selection.size));
      const read = [...measures].flatMap(([name, found]) => {
        const selected = selection.at(name);
        return found.filter(({ column }) => selected.has(column.name)).map((measure) => ({ name, measure }));
      });
      const all = [...measures.values()].flat();
      const condition = args.having == null ? undefined : toHaving(args.having, measures);
      const sort = toSort(args.orderBy ?? []);
      const named = new Set([...sort.map((output) => output.replace('-', '')), ...outputsIn(condition)]);
      const asked = [...read.map(({ measure }) => measure), ...all.filter(({ output }) => named.has(output))];
      const question = {
        group: args.groupBy ?? [],
        measures: [...new Set(['count()', ...asked.map((measure) => measure.asked)])],
        sort,
        limit,
        ...(args.filter == null ? {} : { where: toWhere(args.filter, shape) }),
        ...(condition === undefined ? {} : { having: condition }),
      };
      const { rows } = await operation.ask(shape, question, { release: args.release ?? null });
      const grouped = new Set(args.groupBy ?? []);
      const keyed = places.filter(({ asked: place }) => grouped.has(place));
      return rows.map((row) => {
        const group: Record<string, Node | Record<string, Node[string]> | number> = {
          keys: Object.fromEntries(keyed.map(({ name, output }) => [name, row[output] ?? null])),
          count: Number(row['count']),
        };
        for (const name of measures.keys()) group[name] = {};
        for (const { name, measure } of read) {
          const value = row[measure.output] ?? null;
          (group[name] as Record<string, Node[string]>)[measure.column.name] =
            name === 'countDistinct' ? Number(value) : value;
        }
        return group;
      });
    },
  };
}

function measuresOf(name: FunctionName, shape: TableShape): readonly MeasureShape[] {
  const measure = FUNCTIONS[name];
  return [...shape.columns.values()].flatMap((column): MeasureShape[] => {
    const type = measureType({ measure, path: column.column }, column.definition.type);
    if (type === undefined) return [];
    return [{ column, asked: `${measure}(${column.column})`, output: `${measure}_${column.column}`, type }];
  });
}

function measureOutput(shape: TableShape, name: FunctionName, measures: readonly MeasureShape[]): GraphQLObjectType {
  const fields: GraphQLFieldConfigMap<unknown, Operation> = {};
  for (const { column, type } of measures) {
    const output = name === 'countDistinct' ? GraphQLInt : outputTypeOf(type);
    fields[column.name] = { type: output };
  }
  return new GraphQLObjectType({ name: `${shape.typeName}${capital(name)}`, fields });
}

function measureConditions(
  shape: TableShape,
  name: FunctionName,
  measures: readonly MeasureShape[],
  types: TableTypes,
): GraphQLInputObjectType {
  const fields: GraphQLInputFieldConfigMap = {};
  for (const { column, type } of measures) {
    const scalar = name === 'countDistinct' ? GraphQLInt : scalarOf(type);
    if (scalar !== undefined) fields[column.name] = { type: types.conditions(scalar) };
  }
  return new GraphQLInputObjectType({ name: `${shape.typeName}${capital(name)}Having`, fields });
}

/** `{sum: {netLineTotal: {gt: "5"}}}` as the query model reads it: `{sum_net_line_total: {gt: "5"}}`. */
function toHaving(having: unknown, measures: ReadonlyMap<FunctionName, readonly MeasureShape[]>): unknown {
  if (!isObject(having)) return having;
  const parts = Object.entries(having).map(([name, value]): unknown => {
    if (name === 'and' || name === 'or') {
      return { [name]: Array.isArray(value) ? value.map((part) => toHaving(part, measures)) : value };
    }
    if (name === 'not') return { not: toHaving(value, measures) };
    const found = measures.get(name as FunctionName);
    if (found === undefined || !isObject(value)) return { [name]: toConditions(value) };
    const named = Object.entries(value).map(([column, conditions]): readonly [string, unknown] => {
      const measure = found.find((candidate) => candidate.column.name === column);
      return [measure?.output ?? column, toConditions(conditions)];
    });
    return Object.fromEntries(named);
  });
  return Object.assign({}, ...parts) as unknown;
}

/** Outputs that a condition names; names of operators among them do no harm. */
function outputsIn(condition: unknown): readonly string[] {
  if (Array.isArray(condition)) return condition.flatMap(outputsIn);
  if (!isObject(condition)) return [];
  return Object.entries(condition).flatMap(([name, value]) => [name, ...outputsIn(value)]);
}
