import { parsedField, type Catalogue, type SilverContract, type TableDefinition } from '#contracts';
import { assert } from '#errors';
import type { Change, Scope } from './affected.js';
import { loadsOf } from './bronze-change.js';
import { countPart, countWhole } from './conservation.js';
import { countOf } from './count-of.js';
import type { Units } from './holding-files.js';
import { quarantineOf } from './lake-schema.js';
import { countRows } from './live-table.js';
import { judge, judgedNames, offerValid, parsedFrom, rank, reject, winners, type JudgedTable } from './silver.js';
import { literal, PLACE, samePlace, sameValues, workName } from './sql-name.js';
import { bindPrior, isComparable, write, type TableOutcome, type TransformContext } from './transform.js';
import { QUARANTINE_KEY } from './transform-query.js';
import { isMost, stageRowsOf, stageUnits } from './units.js';
import { sourceOf, stageRecordsOf } from './valid-records.js';

export interface SourceResult {
  /** The table and its quarantine; none when nothing was computed. */
  readonly outcomes: readonly TableOutcome[];
  /** What changed of all its valid records, in the columns by which others follow from them. */
  readonly valid: Change;
}

export interface SourceScope {
  readonly scope: Scope;
  /** as_of moved forward, and some rejects may no longer lie in the future. */
  readonly rejudges: boolean;
}

/** Computes a silver table of a source and its quarantine: from every record, or only what changed records touch. */
export async function transformSource(
  context: TransformContext,
  catalogue: Catalogue,
  { contract, sql }: TableDefinition & { readonly contract: SilverContract & { readonly source: string } },
  { scope, rejudges }: SourceScope,
): Promise<SourceResult> {
  const source = sourceOf(catalogue, contract.source);
  const table: JudgedTable = { contract, source, sql, dates: context.dates, records: `bronze.${source.name}` };
  const prior = context.prior.get(contract.name);
  const isPart = isComparable(context, contract.name) && isComparable(context, quarantineOf(contract.name));
  if (scope.kind !== 'units' || prior === undefined || !isPart) return computeAll(context, table);
  if (isAdditive(context, table)) return addRecords(context, table, rejudges);
  const { engine, signal } = context;
  const units = await stageUnits(engine, contract.name, scope.sql, contract.recompute.by, signal);
  try {
    if (units.count === 0) return { outcomes: [], valid: { kind: 'none' } };
    if (await isMost(engine, contract.name, units.count, prior)) return await computeAll(context, table);
    return await recomputeUnits(context, table, units);
  } finally {
    await engine.drop(units.relation);
  }
}

/** Names the records that the parent release rejects, each field read by its parser. */
export async function bindRejected(
  context: TransformContext,
  catalogue: Catalogue,
  { contract }: TableDefinition & { readonly contract: { readonly source: string } },
): Promise<string | undefined> {
  const name = quarantineOf(contract.name);
  if (!context.prior.has(name)) return undefined;
  const source = sourceOf(catalogue, contract.source);
  const [records, parsed] = [workName('rejected', contract.name), workName('rejected_fields', contract.name)];
  await context.engine.define(
    records,
    `SELECT b.* FROM bronze.${source.name} b JOIN ${await bindPrior(context, name)} q ON ${samePlace('q', 'b')}`,
  );
  await context.engine.define(parsed, parsedFrom(source, records));
  return parsed;
}

async function computeAll(context: TransformContext, table: JudgedTable): Promise<SourceResult> {
  const { engine, prior, loads, signal } = context;
  const { contract, source } = table;
  const { parsed, judged, contenders, losers, rejects } = judgedNames(contract.name);
  await judge(engine, table, signal);
  await offerValid(engine, table);
  await rank(engine, table, signal);
  await reject(engine, table, signal);
  const silver = await write(context, { table: contract.name, rows: winners(table), key: contract.key });
  const name = quarantineOf(contract.name);
  const priorQuarantine = prior.has(name) ? await bindPrior(context, name) : undefined;
  const conservation = await countWhole({ engine, table, load: loads.get(source.name), priorQuarantine });
  const quarantine = await write(context, { table: name, rows: rejects, key: QUARANTINE_KEY });
  const isRead = context.validColumns(contract.name).length > 0;
  if (isRead) context.judged.add(contract.name);
  for (const relation of [losers, rejects, ...(isRead ? [] : [contenders, judged, parsed])])
    await engine.drop(relation);
  return { outcomes: [{ ...silver, conservation }, quarantine], valid: { kind: 'all' } };
}

/** Whether records only came: none went, and no other input of the verdicts changed. */
function isAdditive({ bronze, changes }: TransformContext, { contract, source }: JudgedTable): boolean {
  const others = contract.recompute.from.filter(({ input }) => input !== `bronze.${source.name}`);
  return (
    (bronze.get(source.name)?.wentRows ?? 0) === 0 &&
    others.every(({ input }) => (changes.get(input)?.kind ?? 'none') === 'none')
  );
}

/**
 * Records only came: of each key the new ones meet the record that holds it now, and rejects that may have been
 * superseded, or no longer lie in the future, are judged again. No other record is read.
 */
async function addRecords(context: TransformContext, table: JudgedTable, rejudges: boolean): Promise<SourceResult> {
  const { engine, prior, signal } = context;
  const { contract, source } = table;
  const { contenders } = judgedNames(contract.name);
  const [records, again, held] = ['touched', 'again', 'held'].map((role) => workName(role, contract.name)) as [
    string,
    string,
    string,
  ];
  const bronze = context.bronze.get(source.name);
  const live = prior.get(contract.name);
  assert(live !== undefined, `the parent release has ${contract.name}`);
  const priorQuarantine = await bindPrior(context, quarantineOf(contract.name));
  const isNews = contract.key.map((column) => `n.${column} = ${parsedField(source, column)}`).join(' AND ');
  const which = rejudges ? 'TRUE' : `EXISTS (SELECT 1 FROM ${bronze?.parsed ?? ''} n WHERE ${isNews})`;
  await engine.stage(
    again,
    `SELECT ${PLACE.map((column) => `b.${column}`).join(', ')} FROM ${table.records} b
    JOIN ${priorQuarantine} q ON ${samePlace('q', 'b')} WHERE ${which}`,
    signal,
  );
  const came = bronze === undefined ? '' : `SELECT * FROM ${bronze.came} UNION ALL `;
  await engine.stage(
    records,
    `${came}SELECT b.* FROM ${table.records} b JOIN ${again} a ON ${samePlace('a', 'b')}`,
    signal,
  );
  await judge(engine, { ...table, records }, signal);
  const keys = await stageUnits(engine, contract.name, `SELECT * FROM ${contenders}`, contract.key, signal);
  try {
    await stageRowsOf(engine, { name: held, live, columns: contract.key }, keys, signal);
    await engine.stage(contenders, contendersWith(context, table, held), signal);
    return await judgedPart(context, { ...table, records }, { scope: keys, isAll: false });
  } finally {
    for (const relation of [keys.relation, held, again]) await engine.drop(relation);
  }
}

/** The valid ones of the judged records and, as records, the rows that hold their keys. */
function contendersWith({ lakeTables }: TransformContext, { contract, source }: JudgedTable, held: string): string {
  const { judged } = judgedNames(contract.name);
  const columns = (lakeTables.get(contract.name)?.schema ?? [])
    .map(({ name }) => name)
    .filter((name) => name !== '_processed_at' && name !== '_run_id');
  return `SELECT ${columns.join(', ')}, _position FROM ${judged} WHERE NOT _bad
    UNION ALL SELECT ${columns.map((name) => `h.${name}`).join(', ')}, ${position('h._batch_id', 'l.row_offset', 'h._source_row')}
    FROM ${held} h JOIN bronze.loads l
      ON l.source = ${literal(source.name)} AND l.load = h._batch_id AND l.path = h._source_file`;
}

/** All records of the units, judged again: what came, what went and what stays. */
async function recomputeUnits(context: TransformContext, table: JudgedTable, units: Units): Promise<SourceResult> {
  const { engine, signal } = context;
  const { contract, source } = table;
  const records = workName('touched', contract.name);
  const path = contract.recompute.from.find(({ input }) => input === `bronze.${source.name}`);
  assert(path !== undefined && path.by !== 'all', `${contract.name} says how it follows from ${source.name}`);
  await stageRecordsOf(context, source, { name: records, by: path.by }, units);
  const part = { ...table, records };
  await judge(engine, part, signal);
  return judgedPart(context, part, { scope: units, isAll: true });
}

interface Part {
  /** Units that the contenders are all rows of. */
  readonly scope: Units;
  /** The judged records are all that the units have; else the others are there as the rows that hold their keys. */
  readonly isAll: boolean;
}

/** Ranks, rejects and writes the judged records, and drops what that needed. */
async function judgedPart(context: TransformContext, table: JudgedTable, part: Part): Promise<SourceResult> {
  const { engine, prior, signal } = context;
  const { contract, source, records } = table;
  const { parsed, judged, contenders, losers, rejects } = judgedNames(contract.name);
  const [places, priorRejects, valid] = ['places', 'prior_rejects', 'changed_valid'].map((role) =>
    workName(role, contract.name),
  ) as [string, string, string];
  const quarantineName = quarantineOf(contract.name);
  const bronze = context.bronze.get(source.name);
  await rank(engine, table, signal);
  await reject(engine, table, signal);
  const went =
    bronze === undefined || bronze.wentRows === 0 ? '' : ` UNION ALL SELECT ${PLACE.join(', ')} FROM ${bronze.went}`;
  await engine.stage(
    places,
    `SELECT ${literal(source.name)} AS source, p.* FROM (SELECT ${PLACE.join(', ')} FROM ${records}${went}) p`,
    signal,
  );
  const priorQuarantine = await bindPrior(context, quarantineName);
  await engine.stage(
    priorRejects,
    `SELECT q.* FROM ${priorQuarantine} q WHERE EXISTS (SELECT 1 FROM ${places} p WHERE ${samePlace('p', 'q')})`,
    signal,
  );
  const rowsBefore = async (name: string) => {
    const live = prior.get(name);
    return live === undefined ? 0 : countRows(engine, await bindPrior(context, name), live);
  };
  const before = {
    bronze: (await countOf(engine, `bronze.${source.name}`)) - (bronze?.cameRows ?? 0) + (bronze?.wentRows ?? 0),
    silver: await rowsBefore(contract.name),
    quarantine: await rowsBefore(quarantineName),
  };
  const lostBefore = part.isAll ? await countLostBefore(context, table, part.scope, priorRejects) : 0;
  const silver = await write(context, {
    table: contract.name,
    rows: winners(table),
    key: contract.key,
    scope: { relation: part.scope.relation, by: part.scope.by },
  });
  const quarantine = await write(context, {
    table: quarantineName,
    rows: part.isAll ? rejects : rejectsWith(table, priorRejects),
    key: QUARANTINE_KEY,
    scope: { relation: places, by: QUARANTINE_KEY },
  });
  const conservation = await countPart({
    engine,
    table,
    came: bronze?.loads ?? [],
    withdrawn: loadsOf(context.withdrawn, source),
    before,
    after: { silver: silver.totalRows, quarantine: quarantine.totalRows },
    lostBefore,
    priorRejects,
  });
  const columns = context.validColumns(contract.name).join(', ');
  if (columns !== '') {
    const changed = bronze === undefined ? '' : `SELECT ${columns} FROM ${bronze.parsed} UNION `;
    await engine.stage(valid, `${changed}SELECT ${columns} FROM ${judged}`, signal);
  }
  for (const relation of [contenders, judged, parsed, losers, rejects, places, priorRejects, records])
    await engine.drop(relation);
  return {
    outcomes: [{ ...silver, conservation }, quarantine],
    valid: columns === '' ? { kind: 'none' } : { kind: 'keys', relation: valid },
  };
}

/** Of the judged records, those that the parent release had and that were neither a key's state nor rejected. */
async function countLostBefore(
  context: TransformContext,
  { contract, source, records }: JudgedTable,
  units: Units,
  priorRejects: string,
): Promise<number> {
  const { engine } = context;
  const bronze = context.bronze.get(source.name);
  const had = (await countOf(engine, records)) - (bronze?.cameRows ?? 0) + (bronze?.wentRows ?? 0);
  const isOfUnit = sameValues('u', units.by, 's');
  const held = `${await bindPrior(context, contract.name)} s WHERE EXISTS (SELECT 1 FROM ${units.relation} u WHERE ${isOfUnit})`;
  return had - (await countOf(engine, held)) - (await countOf(engine, priorRejects));
}

/** A reject that was superseded before may be so by a record that is not judged now: the later of the two is named. */
function rejectsWith({ contract, source }: JudgedTable, priorRejects: string): string {
  const { rejects } = judgedNames(contract.name);
  const columns = [
    'source',
    'record',
    'rules',
    '_source_file',
    '_source_row',
    '_source_line',
    '_batch_id',
    '_loaded_at',
    '_as_of',
    '_run_id',
  ];
  const ledger = (alias: string, of: string) =>
    `LEFT JOIN bronze.loads ${alias} ON ${alias}.source = ${literal(source.name)}
      AND ${alias}.load = ${part(of, 1)} AND ${alias}.path = ${part(of, 2)}`;
  const part = (of: string, n: 1 | 2 | 3) => {
    const text = `regexp_extract(${of}.superseded_by, '(?s)^([0-9]+):(.*):([0-9]+)$', ${n})`;
    return n === 2 ? text : `CAST(nullif(${text}, '') AS BIGINT)`;
  };
  const place = (of: string, load: string) => position(part(of, 1), `${load}.row_offset`, part(of, 3));
  return `(SELECT ${columns.map((name) => `r.${name}`).join(', ')},
      CASE WHEN r.superseded_by IS NULL OR ${place('q', 'lq')} > ${place('r', 'lr')} THEN q.superseded_by
        ELSE r.superseded_by END AS superseded_by
    FROM ${rejects} r LEFT JOIN ${priorRejects} q ON ${samePlace('q', 'r')}
    ${ledger('lr', 'r')} ${ledger('lq', 'q')})`;
}

/** As `parsedSelect` numbers records. */
function position(load: string, offset: string, row: string): string {
  return `(${load} * 4294967296 + ${offset} + ${row})`;
}
