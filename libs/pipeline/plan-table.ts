import type { Catalogue } from '#contracts';
import type { Engine, Row } from '#engine';
import { tableReport } from './build-report.js';
import { changedRows } from './changed-rows.js';
import type { ComputedRun } from './compute.js';
import { bindLive } from './live-table.js';
import { ownFiles } from './own-files.js';
import type { ParentState } from './parent-state.js';
import type { TableReport } from './report.js';
import { workName } from './sql-name.js';
import type { TableOutcome } from './transform.js';

/** What a run would do to one table. */
export interface TablePlan extends TableReport {
  /** Rows that would come, go or change. */
  readonly changed_keys: number;
  /** Keys of some of them, in key order; none for bronze, whose rows only come. */
  readonly sample_keys: readonly Row[];
  /** Partitions in which files would come or go; an unpartitioned table counts as one. */
  readonly partitions: number;
  readonly bytes_added: number;
  readonly bytes_removed: number;
  /** Rows in the files that would come, moved ones too. */
  readonly rows_written: number;
}

const SAMPLE = 5;

interface Planned {
  readonly engine: Engine;
  readonly catalogue: Catalogue;
  readonly state: ParentState;
  readonly outcome: ComputedRun['outcomes'][number];
}

export async function planTable(planned: Planned): Promise<TablePlan> {
  const { outcome } = planned;
  const { added = [], removed = [], partitionBy = [] } = outcome.change ?? {};
  const partitions = [...added, ...removed].map((file) =>
    JSON.stringify(partitionBy.map((name) => file.partitionValues[name] ?? null)),
  );
  const { inserted, updated, deleted } = outcome.write;
  const changed = inserted + updated + deleted;
  return {
    ...tableReport(outcome),
    changed_keys: changed,
    sample_keys: changed === 0 ? [] : await sampleKeys(planned),
    partitions: new Set(partitions).size,
    bytes_added: sum(added.map(({ sizeBytes }) => sizeBytes)),
    bytes_removed: sum(removed.map(({ size }) => size)),
    rows_written: sum(added.map(({ rows }) => rows)),
  };
}

async function sampleKeys({ engine, catalogue, state, outcome }: Planned): Promise<readonly Row[]> {
  const contract = catalogue.contracts.find(({ name }) => name === outcome.table);
  if (contract === undefined || (contract.layer === 'bronze' && !outcome.table.includes('/quarantine/'))) return [];
  const keys = contract.key.map((name) => `coalesce(a.${name}, b.${name}) AS ${name}`).join(', ');
  const sides = await bindSides(engine, state, outcome);
  try {
    return await engine.query(
      `SELECT ${keys} FROM ${changedRows({ ...sides, contract })} ORDER BY ${contract.key.map((_, n) => n + 1).join(', ')} LIMIT ${SAMPLE}`,
    );
  } finally {
    await engine.drop(sides.from);
    await engine.drop(sides.to);
  }
}

/** Binds a table's rows before and after, without the files that stay; the caller drops both. */
export async function bindSides(engine: Engine, state: ParentState, { table, live }: TableOutcome) {
  const [from, to] = [workName('before', table), workName('after', table)];
  const prior = state.tables.get(table) ?? { ...live, files: [] };
  await bindLive(engine, from, { ...prior, files: ownFiles(prior.files, live.files) });
  await bindLive(engine, to, { ...live, files: ownFiles(live.files, prior.files) });
  return { from, to, before: prior.schema, after: live.schema };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
