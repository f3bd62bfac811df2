import { assert } from '#errors';
import type { Catalogue, Column, TableContract } from '#contracts';
import { related } from '#serving';
import { productName, Products } from '../products/products.js';
import { camelCase, capital } from './camel-case.js';

export interface ColumnShape {
  readonly name: string;
  /** As in the lake. */
  readonly column: string;
  readonly definition: Column;
}

export interface RelationShape {
  readonly name: string;
  /** As in the contract. */
  readonly relation: string;
  readonly to: TableShape;
}

/** A table under the names that it has in GraphQL. */
export interface TableShape {
  readonly contract: TableContract;
  /** `factSales` */
  readonly name: string;
  /** `FactSales` */
  readonly typeName: string;
  readonly columns: ReadonlyMap<string, ColumnShape>;
  readonly relations: ReadonlyMap<string, RelationShape>;
  readonly key: readonly ColumnShape[];
}

/** Names that filters and rows use for themselves. */
const RESERVED = ['and', 'or', 'not', 'provenance'];

/** The gold tables of a catalogue. Two names of a table that become one stop the boot. */
export function tableShapes(catalogue: Catalogue): readonly TableShape[] {
  const contracts = new Products(catalogue).all.map(({ contract }) => contract);
  const relationsOf = new Map<string, Map<string, RelationShape>>();
  const shapes = new Map(contracts.map((contract) => [contract.name, shapeOf(contract, relationsOf)]));
  for (const { contract, columns, relations } of shapes.values()) {
    for (const { name: relation } of contract.relations) {
      const next = related(relation, contract, catalogue);
      const to = next === undefined ? undefined : shapes.get(next.contract.name);
      if (to === undefined) continue;
      const name = camelCase(relation);
      const taken = columns.has(name) || relations.has(name) || RESERVED.includes(name);
      assert(!taken, `${contract.name} has two things that are ${name} in GraphQL`);
      relationsOf.get(contract.name)?.set(name, { name, relation, to });
    }
  }
  return [...shapes.values()];
}

function shapeOf(contract: TableContract, relationsOf: Map<string, Map<string, RelationShape>>): TableShape {
  const columns = new Map<string, ColumnShape>();
  for (const [column, definition] of Object.entries(contract.columns)) {
    if (column.startsWith('_')) continue;
    const name = camelCase(column);
    const taken = columns.has(name) || RESERVED.includes(name);
    assert(!taken, `${contract.name} has two columns that are ${name} in GraphQL`);
    columns.set(name, { name, column, definition });
  }
  const key = contract.key.map((column) => {
    const part = columns.get(camelCase(column));
    assert(part !== undefined, `${column} is a column of ${contract.name}`);
    return part;
  });
  const relations = new Map<string, RelationShape>();
  relationsOf.set(contract.name, relations);
  const name = camelCase(productName(contract));
  return { contract, name, typeName: capital(name), columns, relations, key };
}
