import { GraphQLBoolean, GraphQLError, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLScalarType } from 'graphql';
import { GraphQLString, Kind, print, type GraphQLOutputType, type ValueNode } from 'graphql';
import { assertNever } from '#errors';
import type { ColumnType } from '#contracts';

/** Digits are never lost: a literal is taken as it was written. What the value may be is up to the query model. */
function textScalar(name: string, description: string, kinds: readonly Kind[]): GraphQLScalarType<string, string> {
  const refuse = (value: string) => new GraphQLError(`${name} cannot represent ${value}: ${description}`);
  return new GraphQLScalarType({
    name,
    description,
    serialize: String,
    parseValue: (value) => {
      const isNumber = typeof value === 'number' && kinds.includes(Kind.INT);
      if (typeof value === 'string' || isNumber) return value as string;
      throw refuse(JSON.stringify(value));
    },
    parseLiteral: (node: ValueNode) => {
      if (!kinds.includes(node.kind) || !('value' in node)) throw refuse(print(node));
      // 1e3 has no digits to lose
      if (node.kind === Kind.FLOAT && /e/i.test(node.value)) return Number(node.value) as unknown as string;
      return String(node.value);
    },
  });
}

const GraphQLDecimal = textScalar('Decimal', 'An exact decimal as text, with the digits of its scale: "12.50".', [
  Kind.STRING,
  Kind.INT,
  Kind.FLOAT,
]);
export const GraphQLBigInt = textScalar('BigInt', 'A 64-bit integer as text: "9007199254740993".', [
  Kind.STRING,
  Kind.INT,
]);
export const GraphQLDate = textScalar('Date', 'A day: "2026-01-31".', [Kind.STRING]);
export const GraphQLDateTime = textScalar('DateTime', 'An instant in UTC, RFC 3339: "2026-01-31T12:00:00Z".', [
  Kind.STRING,
]);

/** Scalar names are the names of filters too: `DecimalFilter`. */
export function scalarOf(type: ColumnType): GraphQLScalarType | undefined {
  switch (type.kind) {
    case 'string':
      return GraphQLString;
    case 'integer':
      return GraphQLInt;
    case 'long':
      return GraphQLBigInt;
    case 'boolean':
      return GraphQLBoolean;
    case 'date':
      return GraphQLDate;
    case 'timestamp':
      return GraphQLDateTime;
    case 'decimal':
      return GraphQLDecimal;
    case 'strings':
      return undefined;
    default:
      return assertNever(type);
  }
}

export function outputTypeOf(type: ColumnType): GraphQLOutputType {
  return scalarOf(type) ?? new GraphQLList(new GraphQLNonNull(GraphQLString));
}
