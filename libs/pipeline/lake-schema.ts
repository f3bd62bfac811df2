import { lakeColumns, type Catalogue, type Owner, type TableContract } from '#contracts';
import type { Schema } from '#delta';
import type { Layout } from '#engine';

/** A table as it lies in the lake. */
export interface LakeTable {
  readonly name: string;
  readonly kind: 'source' | 'ledger' | 'repairs' | 'quarantine' | 'computed';
  readonly owner: Owner;
  readonly describes: string;
  readonly schema: Schema;
  readonly partitionBy: readonly string[];
  readonly layout: Layout;
}

export const LEDGER = 'bronze/loads';
export const REPAIRS = 'bronze/repairs';
const QUARANTINE = 'bronze/quarantine/';

/** Every table of the catalogue, bronze first. */
export function lakeTables(catalogue: Catalogue): readonly LakeTable[] {
  return catalogue.contracts.map((contract) => ({
    name: contract.name,
    kind: kindOf(contract),
    owner: contract.owner,
    describes: contract.describes,
    schema: schemaOf(lakeColumns(contract)),
    partitionBy: contract.partitionBy,
    layout: { sortBy: contract.sortBy, targetBytes: contract.targetBytes },
  }));
}

export function quarantineOf(table: string): string {
  return `${QUARANTINE}${table.split('/')[1] ?? table}`;
}

function kindOf({ name, layer }: TableContract): LakeTable['kind'] {
  if (name === LEDGER) return 'ledger';
  if (name === REPAIRS) return 'repairs';
  if (name.startsWith(QUARANTINE)) return 'quarantine';
  return layer === 'bronze' ? 'source' : 'computed';
}

/** A contract's columns as Delta knows them. */
export function schemaOf(columns: TableContract['columns']): Schema {
  return Object.entries(columns).map(([name, { type, nullable, description }]) => ({
    name,
    type,
    nullable,
    comment: description,
  }));
}
