import { createHash } from 'node:crypto';
import type { Catalogue, TableDefinition } from '#contracts';

/**
 * What a table's rows follow from besides its inputs: contract, SQL and prelude (and how its source is read). A changed
 * digest recomputes the table and all that depends on it.
 */
export function logicDigest(definition: TableDefinition, catalogue: Catalogue, prelude: string): string {
  const { contract, sql, orphansSql } = definition;
  const source = catalogue.sources.find(({ name }) => 'source' in contract && contract.source === name);
  const hash = createHash('sha256');
  for (const part of [contract, sql, orphansSql ?? '', source ?? '', prelude])
    hash.update(JSON.stringify(part)).update('\n');
  return `sha256:${hash.digest('hex')}`;
}
