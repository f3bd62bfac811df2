import { bronzeTable, loadsTable, quarantineTable, repairsTable } from './bronze.js';
import { lakeColumns } from './lake-column.js';
import type { DailyFigures } from './daily-figures.js';
import type { SilverContract, Source, TableContract, TableDefinition } from './contract.js';
import { inputsOf, tableOf, tablesOf } from './lineage.js';
import { measuresOf } from './measure.js';
import { refuse } from './validate.js';

/** All tables of a lake. What works on tables takes one as a parameter. */
export interface Catalogue {
  /** Those that a stream feeds, not landing files, say `owner: 'stream'`. */
  readonly sources: readonly Source[];
  /** Computed tables, each after the tables it reads. */
  readonly tables: readonly TableDefinition[];
  readonly byName: ReadonlyMap<string, TableDefinition>;
  /** Every contract, bronze and quarantine included; bronze first, then as `tables`. */
  readonly contracts: readonly TableContract[];
  /** What plans and comparisons of releases say of days. */
  readonly daily?: DailyFigures;
}

/** Puts tables in order and refuses what does not fit together. Throws `contract.invalid`. */
export function catalogue(parts: {
  readonly sources: readonly Source[];
  readonly tables: readonly TableDefinition[];
  readonly daily?: DailyFigures;
}): Catalogue {
  const { sources, tables, daily } = parts;
  const bronze = [...sources.map(bronzeTable), loadsTable(), repairsTable()];
  const contracts = new Map(
    [...bronze, ...tables.map(({ contract }) => contract)].map((contract) => [contract.name, contract]),
  );
  const mistakes: string[] = [];
  if (contracts.size < bronze.length + tables.length) mistakes.push('two tables have one name');
  for (const definition of tables) mistakes.push(...crossMistakes(definition, sources, contracts));
  refuse('the catalogue', mistakes);
  const ordered = inOrder(tables);
  const quarantines = ordered
    .filter((definition) => isSourceTable(definition) || definition.orphansSql !== undefined)
    .map(({ contract }) => quarantineTable(contract));
  return {
    sources,
    tables: ordered,
    byName: new Map(ordered.map((definition) => [definition.contract.name, definition])),
    contracts: [...bronze, ...quarantines, ...ordered.map(({ contract }) => contract)],
    ...(daily === undefined ? {} : { daily }),
  };
}

/** Tables that a definition reads, its measures and orphans too; `bronze/orders`. */
export function inputTables({ sql, measuresSql = '', orphansSql = '' }: TableDefinition): readonly string[] {
  return [...new Set([sql, measuresSql, orphansSql].flatMap(tablesOf))];
}

/** Relations that the rows of a table follow from, as its queries name them. */
function inputRelations({ sql, measuresSql = '' }: TableDefinition): readonly string[] {
  return [...new Set([sql, measuresSql].flatMap(inputsOf))];
}

/** Whether records of a source are judged into this table, so that it has rejects. */
export function isSourceTable(definition: TableDefinition): definition is SourceTable {
  const { contract } = definition;
  return contract.layer === 'silver' && 'source' in contract && contract.source !== undefined;
}

interface SourceTable extends TableDefinition {
  readonly contract: SilverContract & { readonly source: string };
}

function crossMistakes(
  definition: TableDefinition,
  sources: readonly Source[],
  contracts: ReadonlyMap<string, TableContract>,
): string[] {
  const { contract } = definition;
  const mistakes: string[] = [];
  const inputs = inputTables(definition);
  const say = (mistake: string) => mistakes.push(`${contract.name} ${mistake}`);
  for (const input of inputs) if (!contracts.has(input)) say(`reads ${input}, which does not exist`);
  if (inputs.includes(contract.name)) say('reads itself');
  if (isSourceTable(definition) && !sources.some(({ name }) => name === definition.contract.source)) {
    say(`is made of the unknown source ${definition.contract.source}`);
  }
  const ownFields = isSourceTable(definition)
    ? fieldsOf(`valid.${definition.contract.name}`, contract, sources)
    : undefined;
  for (const column of ownFields === undefined ? [] : contract.key) {
    if (!ownFields?.includes(column)) say(`has the key ${column}, which is no field of its source`);
  }
  // What silver reads as parsed.orders changes with bronze.orders
  const read = inputRelations(definition).map((relation) => relation.replace(/^parsed\./, 'bronze.'));
  for (const { input, by, own, reads } of contract.recompute.from) {
    const other = contracts.get(tableOf(input));
    if (!read.includes(input) || other === undefined) {
      say(`is recomputed from ${input}, which it does not read`);
      continue;
    }
    const columns = lakeColumns(other);
    // Changed records are looked for in bronze by what their parsers read.
    const fields = fieldsOf(input, other, sources);
    for (const column of by === 'all' ? [] : by) {
      if (!(column in columns)) say(`is recomputed by ${column}, which ${input} does not have`);
      else if (fields !== undefined && !fields.includes(column))
        say(`is recomputed by ${column}, no field of ${input}`);
    }
    for (const column of reads ?? []) {
      if (!(column in columns)) say(`reads ${column}, which ${input} does not have`);
    }
    for (const column of reads === undefined ? [] : other.key) {
      if (!reads?.includes(column)) say(`reads ${input} without its key ${column}`);
    }
    for (const column of Object.keys(own ?? {})) {
      if (!(column in columns)) say(`is made of rows of ${input} by ${column}, which it does not have`);
    }
  }
  for (const input of read) {
    if (!contract.recompute.from.some((path) => path.input === input)) {
      say(`does not say how its rows follow from ${input}`);
    }
  }
  mistakes.push(...measureMistakes(definition).map((mistake) => `${contract.name} ${mistake}`));
  for (const { name, units = {} } of contract.checks) {
    for (const [relation, by] of Object.entries(units)) {
      const columns = contracts.get(tableOf(relation))?.columns ?? {};
      for (const column of by)
        if (!(column in columns)) say(`checks ${name} by ${column}, which ${relation} does not have`);
    }
  }
  for (const relation of contract.relations) {
    const other = contracts.get(relation.to);
    if (other === undefined) {
      say(`relates to ${relation.to}, which does not exist`);
      continue;
    }
    for (const column of relation.references) {
      if (!(column in other.columns)) say(`relates to ${column}, which ${relation.to} does not have`);
    }
  }
  return mistakes;
}

/** Measures are all that a table which has them is made of: else a change could pass it by. */
function measureMistakes({ contract, sql, measuresSql }: TableDefinition): string[] {
  const relation = measuresOf(contract.name);
  const isRead = new RegExp(`\\b${relation.replace('.', '\\.')}\\b`).test(sql);
  if (contract.recompute.measures === undefined) {
    return measuresSql !== undefined || isRead ? ['has a query for measures that its contract does not name'] : [];
  }
  if (measuresSql === undefined) return ['has no query for its measures'];
  if (!isRead) return [`does not read ${relation}`];
  return inputsOf(sql).map((input) => `reads ${input} beside its measures`);
}

/** Fields of the source behind `bronze.<source>` or `valid.<table>`; undefined of other inputs. */
function fieldsOf(
  input: string,
  table: TableContract | SilverContract,
  sources: readonly Source[],
): readonly string[] | undefined {
  const own = 'source' in table ? table.source : undefined;
  const name = input.startsWith('bronze.') ? input.replace('bronze.', '') : own;
  const source = /^(bronze|valid)\./.test(input) ? sources.find((candidate) => candidate.name === name) : undefined;
  return source === undefined ? undefined : Object.keys(source.fields);
}

/** Each table after what it reads; among the ready ones the order given. */
function inOrder(tables: readonly TableDefinition[]): readonly TableDefinition[] {
  const waiting = new Map(tables.map((definition) => [definition.contract.name, definition]));
  const ordered: TableDefinition[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting.values()].find(
      (definition) => !inputTables(definition).some((name) => waiting.has(name)),
    );
    if (ready === undefined) {
      refuse('the catalogue', [`${[...waiting.keys()].join(', ')} read each other in a circle`]);
      break;
    }
    waiting.delete(ready.contract.name);
    ordered.push(ready);
  }
  return ordered;
}
