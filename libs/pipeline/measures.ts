import { measuresOf, recomputedUnits, tableOf, type TableDefinition } from '#contracts';
import type { Engine } from '#engine';
import { bindLive, type LiveTable } from './live-table.js';
import { semiJoin } from './semi-join.js';
import { sameValues, withDates, withInputs, workName } from './sql-name.js';

export interface MeasureRequest {
  readonly engine: Engine;
  readonly definition: TableDefinition;
  readonly dates: Readonly<Record<string, string>>;
  /** Every table as it stands in this run so far. */
  readonly current: ReadonlyMap<string, LiveTable>;
  /** The units that changed, and the table in the parent release, which has the measures of the others. Without: all are measured. */
  readonly changed: { readonly units: string; readonly prior: LiveTable } | undefined;
  readonly signal: AbortSignal;
}

/** Gives work what a table compares its units by, under `measures.<table>`; a table without measures needs nothing. */
export async function withMeasures<T>(request: MeasureRequest, work: () => Promise<T>): Promise<T> {
  const { engine, definition, dates, changed, signal } = request;
  const { contract, measuresSql } = definition;
  if (measuresSql === undefined) return work();
  const relation = measuresOf(contract.name);
  const sql = withDates(measuresSql, dates);
  try {
    if (changed === undefined) await engine.stage(relation, sql, signal);
    else await measureAgain({ ...request, changed }, relation, sql);
    return await work();
  } finally {
    await engine.drop(relation);
  }
}

/** Measures the units that changed, from their rows alone; the parent's own rows tell those of the others. */
async function measureAgain(
  { engine, definition, current, changed, signal }: MeasureRequest & { readonly changed: object },
  relation: string,
  sql: string,
): Promise<void> {
  const { contract } = definition;
  const { by, from } = recomputedUnits(contract);
  const columns = [...by, ...(contract.recompute.measures?.columns ?? [])].join(', ');
  const prior = workName('measured', contract.name);
  const inputs = new Map<string, string>();
  try {
    for (const { input, by: path } of from) {
      if (path === 'all') continue;
      const name = workName(`of_${input.replace('.', '_')}`, contract.name);
      inputs.set(input, name);
      const read = current.get(tableOf(input))?.schema.filter((column) => isNamed(column.name, sql)) ?? [];
      await engine.stage(
        name,
        `SELECT ${read.map((column) => `x.${column.name}`).join(', ')} FROM ${input} x${await semiJoin(engine, 'x', { relation: changed.units, by }, path)}`,
        signal,
      );
    }
    await bindLive(engine, prior, changed.prior);
    await engine.stage(
      relation,
      `SELECT ${columns} FROM ${prior} p WHERE NOT EXISTS (SELECT 1 FROM ${changed.units} u WHERE ${sameValues('u', by, 'p')})
      UNION ALL SELECT ${columns} FROM (${withInputs(sql, inputs)}) m`,
      signal,
    );
  } finally {
    for (const name of [...inputs.values(), prior]) await engine.drop(name);
  }
}

/** Units lie all over a table: only the columns that are measured are read. */
function isNamed(column: string, sql: string): boolean {
  return new RegExp(`\\b${column}\\b`).test(sql);
}
