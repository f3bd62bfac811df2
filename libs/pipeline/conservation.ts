import type { Engine } from '#engine';
import { countOf } from './count-of.js';
import { REPAIR_FOLDER } from './repair.js';
import { judgedNames, winners, type JudgedTable } from './silver.js';
import { literal, PLACE, relationOf, samePlace, workName } from './sql-name.js';
import type { Conservation } from './report.js';

export interface Conserved {
  readonly cumulative: Conservation;
  readonly run: Conservation;
}

export interface WholeQuestion {
  readonly engine: Engine;
  /** Every record is judged, and the table already bound at its new state. */
  readonly table: JudgedTable;
  /** The load this run brought for the source, if any. */
  readonly load: number | undefined;
  /** Relation of the quarantine in the parent release, if it has one. */
  readonly priorQuarantine: string | undefined;
}

/**
 * Counts each side of rows in = rows out + duplicates + quarantined from its own relation, so that the equation can fail:
 * over all bronze, and over what this run considered (its load, and records whose verdict changed).
 */
export async function countWhole({ engine, table, load, priorQuarantine }: WholeQuestion): Promise<Conserved> {
  const { name } = table.contract;
  const { losers, rejects } = judgedNames(name);
  const silver = relationOf(name);
  const cumulative = {
    rows_in: await countOf(engine, table.records),
    rows_out: await countOf(engine, silver),
    duplicates: await countOf(engine, losers),
    quarantined: await countOf(engine, rejects),
  };
  // Without a parent, everything there is came with this run.
  if (priorQuarantine === undefined) return { cumulative, run: cumulative };
  const run = await countConsidered(engine, table, silver, load === undefined ? [] : [load], priorQuarantine);
  return { cumulative, run };
}

export interface PartQuestion {
  readonly engine: Engine;
  /** Only some records are judged. */
  readonly table: JudgedTable;
  /** Loads of the source that came with this run, and those that do not count. */
  readonly came: readonly number[];
  readonly withdrawn: readonly number[];
  /** Rows of bronze, silver and quarantine in the parent release, and of the latter two now, each by its files. */
  readonly before: { readonly bronze: number; readonly silver: number; readonly quarantine: number };
  readonly after: { readonly silver: number; readonly quarantine: number };
  /** Records of the parent release's bronze among the judged ones that had lost there. */
  readonly lostBefore: number;
  /** Relation of the judged records' rejects in the parent release. */
  readonly priorRejects: string;
}

/**
 * The same two equations where only some records were judged. In: what the ledger says of all loads. Out and quarantined:
 * the rows of the tables. Duplicates: those of the parent release, which follow from its own equation, and those that the
 * judged records added.
 */
export async function countPart(question: PartQuestion): Promise<Conserved> {
  const { engine, table, came, withdrawn, before, after, lostBefore, priorRejects } = question;
  const { losers } = judgedNames(table.contract.name);
  const counting = withdrawn.length === 0 ? '' : ` AND load NOT IN (${withdrawn.join(', ')})`;
  const ledger = await engine.query(
    // a repair takes the place of a record that is counted already
    `SELECT sum(records) AS n FROM bronze.loads
    WHERE source = ${literal(table.source.name)} AND NOT starts_with(path, ${literal(REPAIR_FOLDER)})${counting}`,
  );
  const lost = await countOf(engine, losers);
  return {
    cumulative: {
      rows_in: Number(ledger[0]?.['n'] ?? 0),
      rows_out: after.silver,
      duplicates: before.bronze - before.silver - before.quarantine - lostBefore + lost,
      quarantined: after.quarantine,
    },
    run: await countConsidered(engine, table, winners(table), came, priorRejects),
  };
}

/** Of the judged records: those that came with this run, and those whose verdict changed. */
async function countConsidered(
  engine: Engine,
  table: JudgedTable,
  silver: string,
  came: readonly number[],
  priorRejects: string,
): Promise<Conservation> {
  const { losers, rejects } = judgedNames(table.contract.name);
  const changed = workName('changed_verdicts', table.contract.name);
  const place = PLACE.join(', ');
  const isFresh = (relation: string) => (came.length === 0 ? 'FALSE' : `${relation}._batch_id IN (${came.join(', ')})`);
  await engine.stage(
    changed,
    `SELECT * FROM (
      (SELECT ${place} FROM ${rejects} EXCEPT SELECT ${place} FROM ${priorRejects})
      UNION (SELECT ${place} FROM ${priorRejects} EXCEPT SELECT ${place} FROM ${rejects})) v WHERE NOT ${isFresh('v')}`,
  );
  try {
    const considered = (relation: string) =>
      countOf(
        engine,
        `${relation} r WHERE ${isFresh('r')} OR EXISTS (SELECT 1 FROM ${changed} c WHERE ${samePlace('c', 'r')})`,
      );
    return {
      rows_in: await considered(table.records),
      rows_out: await considered(silver),
      duplicates: await considered(losers),
      quarantined: await considered(rejects),
    };
  } finally {
    await engine.drop(changed);
  }
}

export function isConserved({ rows_in, rows_out, duplicates, quarantined }: Conservation): boolean {
  return rows_in === rows_out + duplicates + quarantined;
}
