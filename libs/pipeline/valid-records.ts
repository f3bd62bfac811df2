import { isSourceTable, type Catalogue, type Source } from '#contracts';
import { assert } from '#errors';
import { isOfUnits } from './bronze-change.js';
import type { Units } from './holding-files.js';
import { judge, judgedQuery, offerValid, parsedFrom, type JudgedTable } from './silver.js';
import { PLACE, samePlace } from './sql-name.js';
import type { TransformContext } from './transform.js';

/** Judges every record of a silver table for whoever reads `valid.<table>`, where this run has not done so already. */
export async function ensureJudged(context: TransformContext, catalogue: Catalogue, input: string): Promise<void> {
  const table = judgedTable(context, catalogue, input);
  if (table === undefined || context.judged.has(table.contract.name)) return;
  await judge(context.engine, table, context.signal);
  await offerValid(context.engine, table);
  context.judged.add(table.contract.name);
}

/** Stages the valid records of the units under `name`: only their bronze records are read and judged. */
export async function stageValidOf(
  context: TransformContext,
  catalogue: Catalogue,
  { name, input, by }: { readonly name: string; readonly input: string; readonly by: readonly string[] },
  units: Units,
): Promise<void> {
  const table = judgedTable(context, catalogue, input);
  assert(table !== undefined, `${input} is of a source`);
  const { engine, signal } = context;
  const { source } = table;
  const records = `${name}_records`;
  const parsed = `${name}_parsed`;
  try {
    await stageRecordsOf(context, source, { name: records, by }, units);
    await engine.define(parsed, parsedFrom(source, records));
    await engine.stage(name, `SELECT * FROM (${judgedQuery({ ...table, records }, parsed)}) j WHERE NOT _bad`, signal);
  } finally {
    await engine.drop(parsed);
    await engine.drop(records);
  }
}

/** Stages the bronze records of the units under `name`. Their keys alone are read of all the others. */
export async function stageRecordsOf(
  { engine, signal }: TransformContext,
  source: Source,
  { name, by }: { readonly name: string; readonly by: readonly string[] },
  units: Units,
): Promise<void> {
  const places = `${name}_places`;
  const bronze = `bronze.${source.name}`;
  await engine.stage(
    places,
    `SELECT ${PLACE.join(', ')} FROM ${bronze} b WHERE ${isOfUnits(source, by, units.relation, units.by)}`,
    signal,
  );
  await engine.stage(name, `SELECT b.* FROM ${bronze} b JOIN ${places} p ON ${samePlace('b', 'p')}`, signal);
  await engine.drop(places);
}

function judgedTable({ dates }: TransformContext, catalogue: Catalogue, input: string): JudgedTable | undefined {
  if (!input.startsWith('valid.')) return undefined;
  const definition = catalogue.byName.get(input.replace('valid.', 'silver/'));
  if (definition === undefined || !isSourceTable(definition)) return undefined;
  const source = sourceOf(catalogue, definition.contract.source);
  return { contract: definition.contract, source, sql: definition.sql, dates, records: `bronze.${source.name}` };
}

export function sourceOf(catalogue: Catalogue, name: string): Source {
  const source = catalogue.sources.find((candidate) => candidate.name === name);
  assert(source !== undefined, `the catalogue has the source ${name}`);
  return source;
}
