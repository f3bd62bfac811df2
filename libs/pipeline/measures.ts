import { measuresOf, type TableDefinition } from '#contracts';
import type { Engine } from '#engine';
import { withDates } from './sql-name.js';

export interface MeasureRequest {
  readonly engine: Engine;
  readonly definition: TableDefinition;
  readonly dates: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Gives work what a table compares its units by, under `measures.<table>`; a table without measures needs nothing. */
export async function withMeasures<T>(request: MeasureRequest, work: () => Promise<T>): Promise<T> {
  const { engine, definition, dates, signal } = request;
  const { contract, measuresSql } = definition;
  if (measuresSql === undefined) return work();
  const relation = measuresOf(contract.name);
  await engine.stage(relation, withDates(measuresSql, dates), signal);
  try {
    return await work();
  } finally {
    await engine.drop(relation);
  }
}
