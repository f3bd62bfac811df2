import { LakeError } from '#errors';
import type { Column } from './column.js';
import { checkedRelations } from './narrowed-check.js';
import type { Check, Rule, SilverContract, Source, TableContract } from './contract.js';

/** Longer names break some readers of the lake. */
const MAX_NAME = 128;
const snakeCase = /^_?[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const tableName = /^(bronze|silver|gold)\/([a-z][a-z0-9_]*\/)?[a-z][a-z0-9_]*$/;
const typeKinds = new Set(['string', 'integer', 'long', 'boolean', 'date', 'timestamp', 'strings', 'decimal']);
const parserKinds = new Set(['id', 'text', 'integer', 'boolean', 'date', 'timestamp', 'json', 'decimal']);

/** Reports every mistake of a contract at once. Throws `contract.invalid`. */
export function validateContract(contract: TableContract | SilverContract): void {
  const mistakes: string[] = [];
  const columns = new Set(Object.keys(contract.columns));
  const known = (what: string, names: readonly string[]) => {
    for (const name of names) if (!columns.has(name)) mistakes.push(`${what} names the unknown column ${name}`);
    if (new Set(names).size < names.length) mistakes.push(`${what} names a column twice`);
  };
  if (!tableName.test(contract.name)) mistakes.push('its name must be layer/table, in snake_case');
  if (!contract.name.startsWith(`${contract.layer}/`)) mistakes.push(`its layer ${contract.layer} is not its name's`);
  if (contract.describes.trim() === '') mistakes.push('it says nothing about itself');
  if (!Number.isSafeInteger(contract.version) || contract.version < 1) mistakes.push('its version is not 1 or more');
  if (columns.size === 0) mistakes.push('it has no columns');
  for (const [name, column] of Object.entries(contract.columns)) mistakes.push(...columnMistakes(name, column));
  if (contract.key.length === 0) mistakes.push('it has no key');
  known('key', contract.key);
  known('partitionBy', contract.partitionBy);
  known('sortBy', contract.sortBy);
  if (!Number.isSafeInteger(contract.targetBytes) || contract.targetBytes <= 0) {
    mistakes.push(`targetBytes is ${contract.targetBytes}, not a number of bytes`);
  }
  if (contract.partitionBy.length > 0 && contract.partitionBy.length === columns.size) {
    mistakes.push('partitionBy leaves no column for the files');
  }
  for (const relation of contract.relations) {
    known(`relation ${relation.name}`, relation.columns);
    if (relation.columns.length === 0 || relation.columns.length !== relation.references.length) {
      mistakes.push(`relation ${relation.name} does not pair its columns with those of ${relation.to}`);
    }
  }
  named('relation', contract.relations, mistakes);
  named('check', contract.checks, mistakes);
  for (const check of contract.checks) mistakes.push(...checkMistakes(check));
  known('recompute.by', contract.recompute.by);
  if (contract.recompute.measures !== undefined) mistakes.push(...measureMistakes(contract));
  for (const { input, by, own } of contract.recompute.from) {
    known(`recompute.from ${input}`, Object.values(own ?? {}));
    if (by !== 'all' && by.length !== contract.recompute.by.length) {
      mistakes.push(`recompute.from ${input} does not map its columns to ${contract.recompute.by.join(', ')}`);
    }
  }
  if (contract.explained !== undefined) {
    const { explained, recompute } = contract;
    const input = 'each' in explained ? explained.each : explained.adds;
    if (!recompute.from.some((path) => path.input === input)) mistakes.push(`explained names no input: ${input}`);
    if ('each' in explained) known('explained', [...explained.named, ...explained.together]);
    else known('explained', Object.keys(explained.sums));
  }
  if ('rules' in contract) {
    named('rule', contract.rules, mistakes);
    for (const rule of contract.rules) mistakes.push(...ruleMistakes(rule));
    if (contract.winner.keep === 'latest' && contract.winner.by !== undefined) known('winner', [contract.winner.by]);
  }
  refuse(contract.name, mistakes);
}

/** Reports every mistake of a source at once. Throws `contract.invalid`. */
export function validateSource(source: Source): void {
  const mistakes: string[] = [];
  const fields = Object.entries(source.fields);
  if (!snakeCase.test(source.name)) mistakes.push('its name must be snake_case');
  if (fields.length === 0) mistakes.push('it has no fields');
  for (const [name, parser] of fields) {
    if (!isName(name) || name.startsWith('_')) mistakes.push(`field ${name} must be snake_case without a leading _`);
    if (!parserKinds.has(parser.kind)) mistakes.push(`field ${name} has the unknown parser ${parser.kind}`);
    if (parser.kind === 'decimal' && !decimalParsers.has(`${parser.precision},${parser.scale}`)) {
      mistakes.push(`field ${name}: there is no parser for DECIMAL(${parser.precision},${parser.scale})`);
    }
  }
  for (const name of source.pii ?? [])
    if (!(name in source.fields)) mistakes.push(`pii names the unknown field ${name}`);
  for (const [name, column] of Object.entries(source.bronzeColumns ?? {}))
    mistakes.push(...columnMistakes(name, column));
  refuse(`source ${source.name}`, mistakes);
}

/** Decimal types that the prelude can read from text. */
const decimalParsers = new Set(['18,2', '9,2', '9,3']);

export function refuse(place: string, mistakes: readonly string[]): void {
  if (mistakes.length === 0) return;
  throw new LakeError('contract.invalid', 'invalid', `The contract of ${place} is wrong: ${mistakes.join('; ')}.`, {
    at: { table: place },
  });
}

function measureMistakes({ columns, recompute }: TableContract): string[] {
  const { by = [], columns: measured = [] } = recompute.measures ?? {};
  const unknown = [...by, ...measured].filter((name) => !(name in columns));
  const mistakes = unknown.map((name) => `recompute.measures names the unknown column ${name}`);
  if (by.length === 0) mistakes.push('recompute.measures names no unit');
  if (new Set([...by, ...measured]).size < by.length + measured.length) {
    mistakes.push('recompute.measures names a column twice');
  }
  if (recompute.by.length > 0) mistakes.push('it is recomputed unit by unit and has measures as well');
  for (const { input, own = {} } of recompute.from) {
    const linked = Object.values(own);
    if (by.some((name) => !linked.includes(name))) {
      mistakes.push(`recompute.from ${input} does not say which of its rows are measured for ${by.join(', ')}`);
    }
  }
  return mistakes;
}

function columnMistakes(name: string, { type, description }: Column): string[] {
  const mistakes: string[] = [];
  if (!isName(name)) mistakes.push(`column ${name} must be snake_case`);
  if (description.trim() === '') mistakes.push(`column ${name} has no description`);
  if (!typeKinds.has(type.kind)) mistakes.push(`column ${name} has the unknown type ${type.kind}`);
  if (type.kind === 'decimal' && !(type.scale >= 0 && type.scale <= type.precision && type.precision <= 38)) {
    mistakes.push(`column ${name} has the impossible type DECIMAL(${type.precision},${type.scale})`);
  }
  return mistakes;
}

function checkMistakes(check: Check): string[] {
  const { name, failing, severity, units } = check;
  const mistakes: string[] = [];
  if (!/^\s*(select|with)\b/i.test(failing)) mistakes.push(`check ${name} is not a query`);
  if (severity !== 'error' && severity !== 'warn') mistakes.push(`check ${name} is neither error nor warn`);
  if (units === undefined) return mistakes;
  const read = checkedRelations(check);
  const without = [...read.filter((relation) => !(relation in units))];
  if (without.length > 0) mistakes.push(`check ${name} does not say what a unit is in ${without.join(', ')}`);
  const widths = new Set(Object.values(units).map((by) => by.length));
  if (widths.size !== 1 || widths.has(0)) mistakes.push(`check ${name} does not pair the columns of its units`);
  for (const [relation, by] of Object.entries(units)) {
    if (!read.includes(relation)) mistakes.push(`check ${name} has units of ${relation}, which it does not read`);
    for (const column of by) {
      // what is not in the query is not seen to change
      if (!new RegExp(`\\b${column}\\b`).test(failing)) mistakes.push(`check ${name} does not read its unit ${column}`);
    }
  }
  return mistakes;
}

function ruleMistakes({ name, broken }: Rule): string[] {
  const mistakes: string[] = [];
  if (broken.trim() === '') mistakes.push(`rule ${name} says nothing`);
  if (/^cast_/.test(name) || name === 'malformed' || name === 'overflow')
    mistakes.push(`rule ${name} takes a reserved name`);
  return mistakes;
}

function named(what: string, things: readonly { readonly name: string }[], mistakes: string[]): void {
  const names = things.map(({ name }) => name);
  for (const name of names) if (!isName(name)) mistakes.push(`${what} ${name} must be snake_case`);
  if (new Set(names).size < names.length) mistakes.push(`two ${what}s have one name`);
}

function isName(name: string): boolean {
  return snakeCase.test(name) && name.length <= MAX_NAME;
}
