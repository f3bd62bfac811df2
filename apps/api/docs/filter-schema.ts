import { lakeColumns, type Catalogue, type ColumnType, type TableContract } from '#contracts';
import { related } from '#serving';
import { productName } from '../products/products.js';
import { list, pascalCase, ref, type Node } from './schema.js';

const order = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'];
const equality = ['eq', 'ne'];
const matching = ['like', 'contains', 'starts', 'ends', 'ilike', 'icontains', 'istarts', 'iends'];

const values: Readonly<Record<string, { readonly value: Node; readonly operators: readonly string[] }>> = {
  Text: { value: { type: ['string', 'null'] }, operators: [...order, ...matching] },
  // as text where JSON would lose digits
  Number: { value: { type: ['number', 'string', 'null'] }, operators: order },
  Boolean: { value: { type: ['boolean', 'null'] }, operators: equality },
  Date: { value: { type: ['string', 'null'], format: 'date' }, operators: order },
  Instant: { value: { type: ['string', 'null'], format: 'date-time' }, operators: order },
};

/** The conditions that a column of each type takes: `TextFilter` in a body, `TextParameter` in a URL. */
export const filterSchemas: Readonly<Record<string, Node>> = Object.fromEntries(
  Object.entries(values).flatMap(([kind, { value, operators }]) => [
    [`${kind}Filter`, filter(value, operators, list(value))],
    [`${kind}Parameter`, filter(value, operators, { type: 'string', description: 'Values, a comma between them.' })],
  ]),
);

/** The name of a type's conditions, without `Filter` or `Parameter`; undefined where it cannot be filtered. */
export function filterKind(type: ColumnType): string | undefined {
  switch (type.kind) {
    case 'string':
      return 'Text';
    case 'integer':
    case 'long':
    case 'decimal':
      return 'Number';
    case 'boolean':
      return 'Boolean';
    case 'date':
      return 'Date';
    case 'timestamp':
      return 'Instant';
    case 'strings':
      return undefined;
  }
}

/** A column that a query of the table may name, its own or of a table that it refers to. */
export interface NamedColumn {
  readonly path: string;
  readonly type: ColumnType;
}

/** Own columns, then those one relation away: `product.category`. Longer paths work, and are not listed. */
export function namedColumns(contract: TableContract, catalogue: Catalogue): readonly NamedColumn[] {
  const of = (columns: TableContract['columns'], prefix: string) =>
    Object.entries(columns).map(([name, { type }]) => ({ path: `${prefix}${name}`, type }));
  const others = contract.relations.flatMap(({ name }) => {
    const other = related(name, contract, catalogue);
    return other === undefined ? [] : of(other.contract.columns, `${name}.`);
  });
  return [...of(lakeColumns(contract), ''), ...others];
}

/** The `where` of a table: its columns, its relations, and their combinations. */
export function whereSchema(contract: TableContract, catalogue: Catalogue): Node {
  const own = ref('schemas', `${pascalCase(productName(contract))}Where`);
  const columns = Object.entries(lakeColumns(contract)).flatMap(([name, { type }]) => {
    const kind = filterKind(type);
    return kind === undefined ? [] : [[name, ref('schemas', `${kind}Filter`)]];
  });
  const relations = contract.relations.flatMap(({ name }) => {
    const other = related(name, contract, catalogue);
    if (other === undefined) return [];
    return [[name, ref('schemas', `${pascalCase(productName(other.contract))}Where`)]];
  });
  return {
    type: 'object',
    description: 'All entries have to hold.',
    properties: { and: list(own), or: list(own), not: own, ...Object.fromEntries([...columns, ...relations]) },
  };
}

function filter(value: Node, operators: readonly string[], listed: Node): Node {
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(operators.map((operator) => [operator, value])),
      in: listed,
      nin: listed,
      null: { type: 'boolean', description: 'Whether it is NULL.' },
    },
  };
}
