import { createHash } from 'node:crypto';
import type { Catalogue, TableDefinition } from '#contracts';

export interface LogicOptions {
  readonly catalogue: Catalogue;
  readonly prelude: string;
  readonly dateFrom: string;
  readonly dateTo: string;
}

/**
 * What a table's rows follow from besides its inputs and as_of: contract, SQL and prelude, how its source is read, and
 * the settings that its SQL names. A changed digest recomputes the table and all that depends on it.
 */
export function logicDigest(definition: TableDefinition, options: LogicOptions): string {
  const { catalogue, prelude, dateFrom, dateTo } = options;
  const { contract, sql, measuresSql, orphansSql } = definition;
  const source = catalogue.sources.find(({ name }) => 'source' in contract && contract.source === name);
  const hash = createHash('sha256');
  for (const part of [contract, sql, measuresSql ?? '', orphansSql ?? '', source ?? '', prelude])
    hash.update(JSON.stringify(part, withoutLayout)).update('\n');
  for (const [name, value] of [
    [':date_from', dateFrom],
    [':date_to', dateTo],
  ] as const)
    if (sql.includes(name)) hash.update(`${name} ${value}\n`);
  return `sha256:${hash.digest('hex')}`;
}

/** Where rows lie says nothing of what they are. */
function withoutLayout(name: string, value: unknown): unknown {
  return name === 'sortBy' || name === 'targetBytes' ? undefined : value;
}
