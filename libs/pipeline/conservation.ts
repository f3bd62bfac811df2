import type { Engine } from '#engine';
import { countOf } from './count-of.js';
import { judgedNames } from './silver.js';
import { relationOf, workName } from './sql-name.js';
import type { Conservation } from './report.js';

export interface ConservationQuestion {
  readonly engine: Engine;
  /** `silver/orders`, already bound at its new state under `silver.orders`. */
  readonly table: string;
  readonly source: string;
  /** The load this run brought for the source, if any. */
  readonly load: number | undefined;
  /** Relation of the quarantine in the parent release, if it has one. */
  readonly priorQuarantine: string | undefined;
}

/**
 * Counts each side of rows in = rows out + duplicates + quarantined from its own relation, so that the equation can fail:
 * over all bronze, and over what this run considered (its load, and records whose verdict changed).
 */
export async function countConservation(
  question: ConservationQuestion,
): Promise<{ readonly cumulative: Conservation; readonly run: Conservation }> {
  const { engine, table, source, load, priorQuarantine } = question;
  const { losers, rejects } = judgedNames(table);
  const bronze = `bronze.${source}`;
  const silver = relationOf(table);
  const changed = workName('changed_verdicts', table);
  const place = '_batch_id, _source_file, _source_row';
  const cumulative = {
    rows_in: await countOf(engine, bronze),
    rows_out: await countOf(engine, silver),
    duplicates: await countOf(engine, losers),
    quarantined: await countOf(engine, rejects),
  };
  // Without a parent, everything there is came with this run.
  if (priorQuarantine === undefined) return { cumulative, run: cumulative };
  const fresh = String(load ?? 0);
  try {
    await engine.stage(
      changed,
      `SELECT * FROM (
        (SELECT ${place} FROM ${rejects} EXCEPT SELECT ${place} FROM ${priorQuarantine})
        UNION (SELECT ${place} FROM ${priorQuarantine} EXCEPT SELECT ${place} FROM ${rejects})) WHERE _batch_id <> ${fresh}`,
    );
    const considered = (relation: string) =>
      countOf(
        engine,
        `${relation} r WHERE r._batch_id = ${fresh} OR EXISTS (SELECT 1 FROM ${changed} c
        WHERE c._batch_id = r._batch_id AND c._source_file = r._source_file AND c._source_row = r._source_row)`,
      );
    const run = {
      rows_in: await considered(bronze),
      rows_out: await considered(silver),
      duplicates: await considered(losers),
      quarantined: await considered(rejects),
    };
    return { cumulative, run };
  } finally {
    await engine.drop(changed);
  }
}

export function isConserved({ rows_in, rows_out, duplicates, quarantined }: Conservation): boolean {
  return rows_in === rows_out + duplicates + quarantined;
}
