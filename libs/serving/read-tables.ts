import type { TableContract } from '#contracts';
import { fieldAt, related, type Tables } from './field.js';
import type { Filter, Query } from './query.js';

/** Names of the tables that a query reads, its own first: `['gold/fact_sales', 'gold/dim_product']`. */
export function tablesRead(query: Query, contract: TableContract, tables: Tables): readonly string[] {
  const names = new Set([contract.name]);
  for (const path of pathsOf(query)) {
    const field = fieldAt(path, contract, tables);
    let owner = contract;
    for (const relation of field?.relations ?? []) {
      const next = related(relation, owner, tables);
      if (next === undefined) break;
      owner = next.contract;
      names.add(owner.name);
    }
  }
  return [...names];
}

function pathsOf(query: Query): readonly string[] {
  const sort = query.sort.map(({ path }) => path);
  const where = filterPaths(query.where);
  if (query.kind === 'rows') return [...query.select, ...where, ...sort];
  return [...where, ...query.group.map(({ path }) => path), ...query.measures.flatMap(({ path }) => path ?? [])];
}

/** Every path that a filter names. */
export function filterPaths(filter: Filter): readonly string[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.of.flatMap(filterPaths);
    case 'not':
      return filterPaths(filter.filter);
    default:
      return [filter.path];
  }
}
