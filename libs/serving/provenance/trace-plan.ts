import {
  isSourceTable,
  lakeColumns,
  parsedField,
  tableOf,
  type Catalogue,
  type KeyPath,
  type Source,
  type TableDefinition,
} from '#contracts';
import { assert } from '#errors';
import { quoted } from '../sql.js';

/** `input`, SQL over a row `i` of the input, equals `column` of the row that follows from it. */
export interface Pair {
  readonly input: string;
  readonly column: string;
  /** Both may be NULL, and then are equal. */
  readonly nullable: boolean;
}

/** Which rows of one table rows of another follow from. */
export interface Link {
  readonly table: string;
  readonly input: string;
  /** None: every row of the input. */
  readonly pairs: readonly Pair[];
  /** The row carries the place of its bronze record. */
  readonly byPosition?: true;
  /** The quarantine of those that were not taken. */
  readonly except?: string;
}

/** Rows that weigh in as a whole: they are counted, not listed. */
export interface SharedLink extends Link {
  readonly how: string;
}

export interface TracePlan {
  readonly links: readonly Link[];
  readonly shared: readonly SharedLink[];
  /** Computed tables on the way, nearest first. */
  readonly through: readonly string[];
  /** Sources whose records are at the end of it. */
  readonly sources: readonly Source[];
}

/** Names a bronze record. */
export const POSITION = ['_batch_id', '_source_file', '_source_row'] as const;

/** Names of all tables that a trace of the table's rows may read. */
export function tablesTraced(start: TableDefinition, catalogue: Catalogue): readonly string[] {
  const { links, shared } = planTrace(start, catalogue, () => true);
  const inputs = [...links, ...shared].flatMap(({ input, except }) => [input, except ?? input]);
  const records = inputs.some((name) => name.startsWith('bronze/')) ? ['bronze/repairs'] : [];
  return [...new Set([start.contract.name, ...inputs, ...records])];
}

/** How rows of a table are followed level by level down to bronze, by what contracts say of keys and inputs; pure. */
export function planTrace(start: TableDefinition, catalogue: Catalogue, exists: (table: string) => boolean): TracePlan {
  const reached = new Set([start.contract.name]);
  const links: Link[] = [];
  const shared: SharedLink[] = [];
  // the catalogue has each table after what it reads
  for (const definition of [...catalogue.tables].reverse()) {
    if (!reached.has(definition.contract.name)) continue;
    for (const path of definition.contract.recompute.from) {
      const found = linksOf(definition, path, catalogue);
      if (!exists((found.link ?? found.shared)?.input ?? '')) continue;
      if (found.shared !== undefined) shared.push(found.shared);
      if (found.link === undefined) continue;
      links.push(found.link);
      reached.add(found.link.input);
    }
  }
  const through = [...catalogue.tables].reverse().map(({ contract }) => contract.name);
  return {
    links,
    shared,
    through: through.filter((name) => reached.has(name) && name !== start.contract.name),
    sources: catalogue.sources.filter(({ name }) => reached.has(`bronze/${name}`)),
  };
}

function linksOf(
  definition: TableDefinition,
  path: KeyPath,
  catalogue: Catalogue,
): { readonly link?: Link; readonly shared?: SharedLink } {
  const { contract } = definition;
  const table = contract.name;
  // a row of a source keeps the place of its record
  if (isSourceTable(definition) && path.input === `bronze.${definition.contract.source}`) {
    const pairs = POSITION.map((at) => ({ input: `i.${at}`, column: at, nullable: false }));
    return { link: { table, input: tableOf(path.input), pairs, byPosition: true } };
  }
  const { input, source, except } = inputOf(path, catalogue);
  const rowColumns = lakeColumns(contract);
  const inputColumns = columnsOf(input, catalogue);
  const linked = (named: readonly (readonly [string, string])[]): Link => ({
    table,
    input,
    pairs: named.map(([column, own]) => ({
      input: source !== undefined && column in source.fields ? parsedField(source, column, 'i') : `i.${quoted(column)}`,
      column: own,
      nullable: rowColumns[own]?.nullable !== false && inputColumns[column]?.nullable !== false,
    })),
    ...(except === undefined ? {} : { except }),
  });
  const { by, own, others } = path;
  const unit = by === 'all' ? [] : by.map((column, n) => [column, contract.recompute.by[n] ?? column] as const);
  const isGlobal = by === 'all' && own === undefined;
  return {
    ...(isGlobal ? {} : { link: linked(own === undefined ? unit : Object.entries(own)) }),
    ...(isGlobal || others !== undefined ? { shared: { ...linked(unit), how: others ?? 'all of its rows' } } : {}),
  };
}

function columnsOf(table: string, { contracts }: Catalogue) {
  const contract = contracts.find(({ name }) => name === table);
  assert(contract !== undefined, `${table} is in the catalogue`);
  return lakeColumns(contract);
}

interface Input {
  readonly input: string;
  /** Of bronze: its fields are read by their parsers. */
  readonly source?: Source | undefined;
  readonly except?: string;
}

/** The table behind an input: every valid record of a source is in its bronze table, but for those in quarantine. */
function inputOf({ input }: KeyPath, { byName, sources }: Catalogue): Input {
  const table = tableOf(input);
  const bronzeOf = (name: string) => ({
    input: `bronze/${name}`,
    source: sources.find((candidate) => candidate.name === name),
  });
  if (input.startsWith('bronze.')) return bronzeOf(table.replace('bronze/', ''));
  if (!input.startsWith('valid.')) return { input: table };
  const silver = byName.get(table);
  assert(silver !== undefined && isSourceTable(silver), `${table} is made of a source`);
  return { ...bronzeOf(silver.contract.source), except: table.replace('silver/', 'bronze/quarantine/') };
}
