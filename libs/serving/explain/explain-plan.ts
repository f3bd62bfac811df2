import {
  inputsOf,
  isSourceTable,
  tableOf,
  type Catalogue,
  type Explained,
  type KeyPath,
  type SilverContract,
  type Source,
  type Sum,
  type TableContract,
  type TableDefinition,
} from '#contracts';
import { assert, LakeError } from '#errors';
import type { Measure } from '../query.js';

/** A silver table, and the source whose records it is made of. */
export interface OfSource {
  readonly definition: TableDefinition & { readonly contract: SilverContract };
  readonly source: Source;
}

/** An input whose rows share in a line: orders of order lines. */
export interface Beside extends OfSource {
  /** Columns of it, by the line's columns that equal them. */
  readonly on: readonly (readonly [own: string, line: string])[];
}

/** How a figure is taken apart. Pure: it says what follows from contracts. */
export interface ExplainPlan {
  readonly contract: TableContract;
  readonly measure: Measure;
  /** The table of which each row comes from one record: the product, or what it adds up. */
  readonly lines: TableDefinition;
  readonly each: Extract<Explained, { readonly each: string }>;
  readonly grain: OfSource;
  /** Other tables of sources that lines follow from. */
  readonly beside: readonly Beside[];
  /** Column of the lines that is added up; none: they are counted. */
  readonly amount: string | undefined;
  /** Lines that have the column are counted, not added. */
  readonly counts: boolean;
  /** Of a product that adds up lines. */
  readonly sum?: { readonly unless: Sum['unless']; readonly on: readonly (readonly [line: string, own: string])[] };
  /** Names of all tables that are read. */
  readonly tables: readonly string[];
}

/** Throws `explain.not_possible`, which says what can be explained. */
export function planExplain(contract: TableContract, measure: Measure, catalogue: Catalogue): ExplainPlan {
  const { explained } = contract;
  const named = measure.path === undefined ? `${measure.measure}()` : `${measure.measure}(${measure.path})`;
  if (explained === undefined) throw notPossible(`rows of ${nameOf(contract)} come from no single records`, catalogue);
  if (measure.measure !== 'sum' && measure.measure !== 'count') {
    throw notPossible(`${named} does not add up over rows`, catalogue);
  }
  if (measure.path !== undefined && !Object.hasOwn(contract.columns, measure.path)) {
    throw notPossible(`${named} is over a column of another product`, catalogue);
  }
  const own = definitionOf(contract.name, catalogue);
  if ('each' in explained) {
    const about = { amount: measure.path, counts: measure.measure === 'count' };
    return { contract, measure, ...linesPlan(own, explained, catalogue), ...about };
  }
  const sum = measure.path === undefined ? undefined : explained.sums[measure.path];
  if (sum === undefined || measure.measure !== 'sum') {
    throw notPossible(`${named} of ${nameOf(contract)} adds up no column of ${explained.adds}`, catalogue);
  }
  const lines = definitionOf(tableOf(explained.adds), catalogue);
  assert(lines.contract.explained !== undefined && 'each' in lines.contract.explained, `${explained.adds} has lines`);
  const path = pathTo(explained.adds, contract);
  const on = path.own === undefined ? pairsBy(path, contract) : Object.entries(path.own);
  const plan = linesPlan(lines, lines.contract.explained, catalogue);
  const tables = [...new Set([contract.name, ...plan.tables])];
  return { contract, measure, ...plan, amount: sum.of, counts: false, sum: { unless: sum.unless, on }, tables };
}

function linesPlan(lines: TableDefinition, each: ExplainPlan['each'], catalogue: Catalogue) {
  const grain = ofSource(tableOf(each.each), catalogue);
  const beside = lines.contract.recompute.from.flatMap((path): Beside[] => {
    const definition = catalogue.byName.get(tableOf(path.input));
    if (!path.input.startsWith('silver.') || path.input === each.each || path.by === 'all') return [];
    if (definition === undefined || !isSourceTable(definition)) return [];
    return [{ ...ofSource(definition.contract.name, catalogue), on: pairsBy(path, lines.contract) }];
  });
  const silver = [grain, ...beside].map(({ definition }) => definition);
  const read = [lines, ...silver].flatMap(({ sql }) => inputsOf(sql));
  const sources = [
    ...[grain, ...beside].map(({ source }) => source.name),
    ...read.filter((name) => name.startsWith('valid.')).map((name) => ofSource(tableOf(name), catalogue).source.name),
  ];
  const tables = new Set([
    lines.contract.name,
    ...read.map(tableOf),
    ...sources.map((name) => `bronze/${name}`),
    ...silver.map(({ contract }) => quarantineOf(contract.name)),
    ...read.filter((name) => name.startsWith('valid.')).map((name) => quarantineOf(tableOf(name))),
    quarantineOf(lines.contract.name),
    'bronze/loads',
    'bronze/repairs',
  ]);
  return { lines, each, grain, beside, tables: [...tables] };
}

/** `silver/orders` → `bronze/quarantine/orders` */
export function quarantineOf(table: string): string {
  return `bronze/quarantine/${table.split('/')[1] ?? table}`;
}

export function ofSource(table: string, catalogue: Catalogue): OfSource {
  const definition = definitionOf(table, catalogue);
  assert(isSourceTable(definition), `${table} is made of a source`);
  const { contract } = definition;
  const source = catalogue.sources.find(({ name }) => name === contract.source);
  assert(source !== undefined, `${table} has a source`);
  return { definition: { ...definition, contract }, source };
}

function definitionOf(table: string, { byName }: Catalogue): TableDefinition {
  const definition = byName.get(table);
  assert(definition !== undefined, `${table} is in the catalogue`);
  return definition;
}

function pathTo(input: string, { recompute }: TableContract): KeyPath {
  const path = recompute.from.find((candidate) => candidate.input === input);
  assert(path !== undefined, `${input} is an input`);
  return path;
}

function pairsBy({ by }: KeyPath, { recompute }: TableContract): readonly (readonly [string, string])[] {
  return by === 'all' ? [] : by.map((column, n) => [column, recompute.by[n] ?? column]);
}

function notPossible(why: string, { tables }: Catalogue): LakeError {
  const can = tables.flatMap(({ contract }) => {
    if (contract.explained === undefined) return [];
    if ('each' in contract.explained) return [`${nameOf(contract)} (count() and sum() of its columns)`];
    return [`${nameOf(contract)} (sum() of ${Object.keys(contract.explained.sums).join(', ')})`];
  });
  return new LakeError('explain.not_possible', 'invalid', `It cannot be said: ${why}. Ask ${can.join(', ')}.`);
}

export function nameOf({ name }: TableContract): string {
  return name.slice(name.indexOf('/') + 1);
}
