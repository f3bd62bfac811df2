import { join } from 'node:path';
import type { Catalogue } from '#contracts';
import type { Engine } from '#engine';
import { computeRun, logicDigests, type ComputedRun } from '../compute.js';
import { lakeTables } from '../lake-schema.js';
import { bindLive, type LiveTable } from '../live-table.js';
import type { ParentState } from '../parent-state.js';
import { StageProgress, type OnProgress } from '../progress.js';
import { noJournal } from '../run-journal.js';
import { relationOf } from '../sql-name.js';
import type { ProveOptions } from './prove.js';

/** Begins the names of the files that a rebuild writes in the work folder; no run has it. */
export const REBUILT = 'rebuilt';

/**
 * Computes every table anew from a release's bronze, with its as_of and without its withdrawn loads, in the work folder.
 * A full run on a parent that has bronze alone: what it needs of a run is what every run does.
 */
export async function rebuild(
  options: ProveOptions,
  engine: Engine,
  released: ReadonlyMap<string, LiveTable>,
  onProgress: OnProgress,
): Promise<ComputedRun> {
  const { lake, release, clock, workDir } = options;
  const catalogue = unpartitioned(options.catalogue);
  const bronze = new Map<string, LiveTable>();
  for (const { name, kind, schema, partitionBy } of lakeTables(catalogue)) {
    const isBronze = kind !== 'computed' && kind !== 'quarantine';
    const live = isBronze ? released.get(name) : undefined;
    if (live !== undefined) bronze.set(name, live);
    await bindLive(engine, relationOf(name), live ?? { schema, partitionBy, files: [] });
  }
  const state: ParentState = { parent: undefined, bases: new Map(), tables: bronze };
  const request = {
    ...options,
    catalogue,
    lake,
    engine,
    state,
    journal: noJournal(join(workDir, REBUILT)),
    stages: new StageProgress(onProgress),
    processedAt: release.published_at,
    asOf: release.as_of,
    runId: REBUILT,
    openEngine: () => Promise.resolve(engine),
    landingDir: workDir,
    newNonce: () => `${clock.nowMs()}`,
    withdraw: release.withdrawn,
    full: true,
    rehash: false,
    onProgress,
  };
  return computeRun(request, { files: new Map(), waiting: [], skipped: [] }, logicDigests(options));
}

/** The same tables in fewer files: where a row lies is no part of it. */
function unpartitioned(catalogue: Catalogue): Catalogue {
  const tables = catalogue.tables.map((one) => ({ ...one, contract: { ...one.contract, partitionBy: [] } }));
  return {
    ...catalogue,
    tables,
    byName: new Map(tables.map((one) => [one.contract.name, one])),
    contracts: catalogue.contracts.map((contract) => ({ ...contract, partitionBy: [] })),
  };
}
