import { inputTables, lakeColumns, typeName, type TableDefinition } from '#contracts';
import type { Release } from '#releases';
import { productName } from './products.js';

/** How fresh a product is in a release. */
function freshnessOf(table: string, release: Release) {
  const changed = release.tables[table];
  return {
    release: release.number,
    as_of: release.as_of,
    published_at: release.published_at,
    /** The release that last changed it. */
    changed_in: changed?.release ?? null,
    rows: changed?.rows ?? null,
    complete_until: release.complete_until,
  };
}

/** A product in the list of all. */
export function productSummary({ contract }: TableDefinition, release: Release | undefined) {
  return {
    name: productName(contract),
    describes: contract.describes,
    version: contract.version,
    owner: contract.owner,
    key: contract.key,
    freshness: release === undefined ? null : freshnessOf(contract.name, release),
  };
}

/** Everything that a contract promises. */
export function productView(definition: TableDefinition, release: Release | undefined) {
  const { contract } = definition;
  return {
    ...productSummary(definition, release),
    table: contract.name,
    columns: Object.entries(lakeColumns(contract)).map(([name, { type, nullable, description, unit, pii }]) => ({
      name,
      type: typeName(type),
      nullable,
      description,
      unit: unit ?? null,
      pii: pii ?? null,
      // columns of the platform are served when they are selected by name
      selected_by_default: !name.startsWith('_'),
    })),
    sort_by: contract.sortBy,
    partition_by: contract.partitionBy,
    relations: contract.relations.map(({ name, to, columns, references }) => ({ name, to, columns, references })),
    metrics: [],
    checks: contract.checks.map(({ name, severity, description }) => ({ name, severity, description })),
    lineage: { inputs: inputTables(definition) },
    deprecation: null,
  };
}
