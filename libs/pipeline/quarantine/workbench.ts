import {
  isSourceTable,
  sqlName,
  type Catalogue,
  type SilverContract,
  type Source,
  type TableDefinition,
} from '#contracts';
import type { Engine } from '#engine';
import { LakeError } from '#errors';
import type { Clock, Lake, Release } from '#releases';
import { quarantineOf } from '../lake-schema.js';

/** What the workbench works with: a release, and an engine that has every table of it under its name (`bindRelease`). */
export interface Workbench {
  readonly engine: Engine;
  readonly lake: Lake;
  readonly release: Release;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  /** A local folder of its own. */
  readonly workDir: string;
}

/** A table that rejects records, and where it keeps them. */
export interface RejectingTable {
  readonly definition: TableDefinition;
  /** `silver/orders` */
  readonly name: string;
  /** `quarantine.orders` */
  readonly quarantine: string;
}

/** Tables with a quarantine in the release. */
export function rejectingTables({
  catalogue,
  release,
}: Pick<Workbench, 'catalogue' | 'release'>): readonly RejectingTable[] {
  return catalogue.tables
    .filter((definition) => isSourceTable(definition) || definition.orphansSql !== undefined)
    .filter(({ contract }) => release.tables[quarantineOf(contract.name)] !== undefined)
    .map((definition) => {
      const { name } = definition.contract;
      return { definition, name, quarantine: sqlName(quarantineOf(name)) };
    });
}

/** `orders`, `silver.orders` or `silver/orders`. Throws `quarantine.unknown_table`. */
export function rejectingTable(bench: Pick<Workbench, 'catalogue' | 'release'>, named: string): RejectingTable {
  const tables = rejectingTables(bench);
  const wanted = named.replace('.', '/');
  const found = tables.find(({ name }) => name === wanted || name.split('/')[1] === wanted);
  if (found !== undefined) return found;
  const names = tables.map(({ name }) => name.split('/')[1]).join(', ');
  throw new LakeError('quarantine.unknown_table', 'invalid', `no table ${named} rejects records: there are ${names}`, {
    at: { field: 'table' },
  });
}

/** How records of a source are read and judged. */
export interface JudgedSource {
  readonly source: Source;
  readonly definition: TableDefinition & { readonly contract: SilverContract };
}

/** Throws `quarantine.unknown_source`. */
export function judgedSource({ catalogue }: Pick<Workbench, 'catalogue'>, name: string): JudgedSource {
  const source = catalogue.sources.find((candidate) => candidate.name === name);
  const definition = catalogue.tables.find(
    (table): table is JudgedSource['definition'] => isSourceTable(table) && table.contract.source === name,
  );
  if (source !== undefined && definition !== undefined) return { source, definition };
  const names = catalogue.sources.map((candidate) => candidate.name).join(', ');
  throw new LakeError('quarantine.unknown_source', 'invalid', `there is no source ${name}: there are ${names}`, {
    at: { field: 'source' },
  });
}
