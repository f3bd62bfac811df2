import {
  isSourceTable,
  recomputedUnits,
  tableOf,
  type Catalogue,
  type KeyPath,
  type TableDefinition,
} from '#contracts';
import type { Scope } from './affected.js';
import { countOf } from './count-of.js';
import type { Units } from './holding-files.js';
import { quarantineOf } from './lake-schema.js';
import { countRows } from './live-table.js';
import { withMeasures, type MeasureRequest } from './measures.js';
import { literal, PLACE, withDates, withInputs, workName } from './sql-name.js';
import { isComparable, write, type TableOutcome, type TransformContext } from './transform.js';
import { isMost, stageRowsOf, stageUnits } from './units.js';
import { ensureJudged, stageValidOf } from './valid-records.js';

/** A key of a quarantine: a record of a source. */
export const QUARANTINE_KEY = ['source', ...PLACE];

/**
 * Computes a table that is one query over other tables, and its orphans where it has any: as a whole, or only the units
 * that a change touches. No outcome when it touches none.
 */
export async function transformQuery(
  context: TransformContext,
  catalogue: Catalogue,
  definition: TableDefinition,
  scope: Scope,
): Promise<readonly TableOutcome[]> {
  const { contract } = definition;
  const prior = context.prior.get(contract.name);
  if (scope.kind === 'units' && prior !== undefined && areComparable(context, definition)) {
    const { engine, signal } = context;
    const units = await stageUnits(engine, contract.name, scope.sql, recomputedUnits(contract).by, signal);
    try {
      if (units.count === 0) return [];
      if (!(await isMost(engine, contract.name, units.count, prior))) {
        // What compares its units with each other is computed as a whole, of what was measured again and what was not.
        return definition.measuresSql === undefined
          ? await computeUnits(context, catalogue, definition, units)
          : await computeAll(context, catalogue, definition, { units: units.relation, prior });
      }
    } finally {
      await engine.drop(units.relation);
    }
  }
  return computeAll(context, catalogue, definition);
}

function areComparable(context: TransformContext, { contract, orphansSql }: TableDefinition): boolean {
  return (
    isComparable(context, contract.name) &&
    (orphansSql === undefined || isComparable(context, quarantineOf(contract.name)))
  );
}

async function computeAll(
  context: TransformContext,
  catalogue: Catalogue,
  definition: TableDefinition,
  changed?: MeasureRequest['changed'],
): Promise<readonly TableOutcome[]> {
  const { contract, sql, orphansSql } = definition;
  const { engine, current, dates, signal } = context;
  for (const { input } of contract.recompute.from) await ensureJudged(context, catalogue, input);
  const main = await withMeasures({ engine, definition, dates, current, changed, signal }, () =>
    write(context, { table: contract.name, rows: `(${withDates(sql, dates)})`, key: contract.key }),
  );
  if (orphansSql === undefined) return [main];
  const rows = `(${withDates(orphansSql, dates)})`;
  const orphans = await write(context, { table: quarantineOf(contract.name), rows, key: QUARANTINE_KEY });
  const made = madeOf(contract.recompute.from);
  const live = made === undefined ? undefined : current.get(tableOf(made));
  const counts = {
    rows_in:
      made === undefined || live === undefined
        ? main.totalRows + orphans.totalRows
        : await countRows(engine, made, live),
    rows_out: main.totalRows,
    duplicates: 0,
    quarantined: orphans.totalRows,
  };
  return [{ ...main, conservation: { cumulative: counts, run: counts } }, orphans];
}

async function computeUnits(
  context: TransformContext,
  catalogue: Catalogue,
  { contract, sql, orphansSql }: TableDefinition,
  units: Units,
): Promise<readonly TableOutcome[]> {
  const { engine, current, dates, changes, signal } = context;
  const inputs = new Map<string, string>();
  const results = workName('units_rows', contract.name);
  const orphanRows = workName('units_orphans', contract.name);
  const places = workName('units_places', contract.name);
  try {
    for (const { input, by } of contract.recompute.from) {
      if (by === 'all') continue;
      const name = workName(`of_${input.replace('.', '_')}`, contract.name);
      inputs.set(input, name);
      if (input.startsWith('valid.')) await stageValidOf(context, catalogue, { name, input, by }, units);
      else {
        const live = current.get(tableOf(input));
        if (live === undefined) continue;
        await stageRowsOf(engine, { name, live, columns: by }, units, signal);
      }
    }
    const rows = await engine.stage(results, withInputs(withDates(sql, dates), inputs), signal);
    const scope = { relation: units.relation, by: units.by };
    const main = await write(context, { table: contract.name, rows: results, key: contract.key, scope });
    if (orphansSql === undefined) return [main];

    // Inputs of the units, as they are and as they were: an orphan of theirs is one of these records.
    const sources = contract.recompute.from.flatMap(({ input }) => {
      const definition = catalogue.byName.get(tableOf(input));
      const restricted = inputs.get(input);
      if (definition === undefined || restricted === undefined || !isSourceTable(definition)) return [];
      const change = changes.get(input);
      const relations = [restricted, ...(change?.kind === 'keys' ? [change.relation] : [])];
      return relations.map(
        (relation) => `SELECT ${literal(definition.contract.source)} AS source, ${PLACE.join(', ')} FROM ${relation}`,
      );
    });
    await engine.stage(places, sources.join(' UNION '), signal);
    const found = await engine.stage(orphanRows, withInputs(withDates(orphansSql, dates), inputs), signal);
    const orphans = await write(context, {
      table: quarantineOf(contract.name),
      rows: orphanRows,
      key: QUARANTINE_KEY,
      scope: { relation: places, by: QUARANTINE_KEY },
    });
    const made = madeOf(contract.recompute.from);
    const live = made === undefined ? undefined : current.get(tableOf(made));
    const considered = inputs.get(made ?? '');
    const isCounted = made !== undefined && live !== undefined && considered !== undefined;
    const conservation = {
      cumulative: {
        rows_in: isCounted ? await countRows(engine, made, live) : main.totalRows + orphans.totalRows,
        rows_out: main.totalRows,
        duplicates: 0,
        quarantined: orphans.totalRows,
      },
      run: {
        rows_in: isCounted ? await countOf(engine, considered) : rows + found,
        rows_out: rows,
        duplicates: 0,
        quarantined: found,
      },
    };
    return [{ ...main, conservation }, orphans];
  } finally {
    for (const name of [...inputs.values(), results, orphanRows, places]) await engine.drop(name);
  }
}

/** The input of which each row is one of the table's, or an orphan. */
function madeOf(from: readonly KeyPath[]): string | undefined {
  return from.find(({ by, own }) => by !== 'all' && own !== undefined)?.input;
}
