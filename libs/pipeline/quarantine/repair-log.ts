import { ReleaseReader } from '#releases';
import { repairStandings } from './repair-states.js';
import { droppedRepairs, readRepair, repairRuns } from './repair-store.js';
import type { Workbench } from './workbench.js';

/** One thing that somebody did with repairs. */
export interface RepairAction {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly by: string;
  readonly action: 'draft' | 'drop' | 'replay' | 'undo' | 'redo';
  readonly repairs: readonly string[];
  readonly reason: string | null;
  /** The run that did it, and what it published; null while it did not, or where its release is no longer kept. */
  readonly run_id: string | null;
  readonly release: number | null;
  /** Of a draft: how many records, and the first of them before and after. They identify people where the source does. */
  readonly records: number | null;
  readonly changes: readonly { readonly id: string; readonly before: string; readonly after: string }[];
}

const LISTED = 20;

/** All that was done with repairs, newest first. */
export async function repairLog(bench: Workbench): Promise<readonly RepairAction[]> {
  const { store } = bench.lake;
  const standings = await repairStandings(bench);
  const releases = new Map((await new ReleaseReader(store).after(0)).map(({ run_id, number }) => [run_id, number]));
  const actions: RepairAction[] = [];
  for (const { id } of standings) {
    const { by, at, reason, records } = await readRepair(store, id);
    const changes = records.slice(0, LISTED).map(({ id, before, after }) => ({
      id,
      before,
      after: after.record ?? JSON.stringify(after.fields),
    }));
    actions.push({ ...NO_RUN, at, by, action: 'draft', repairs: [id], reason, records: records.length, changes });
  }
  for (const { repair, by, at, reason } of await droppedRepairs(store)) {
    actions.push({ ...NO_RUN, at, by, action: 'drop', repairs: [repair], reason, ...NO_RECORDS });
  }
  for (const { run_id, by, at, reason, repairs, withdraw, restore } of await repairRuns(store)) {
    const named = (loads: typeof withdraw) =>
      standings.flatMap(({ id, load }) =>
        load !== null && loads.some((one) => one.source === load.source && one.load === load.load) ? [id] : [],
      );
    const did = { at, by, reason, run_id, release: releases.get(run_id) ?? null, ...NO_RECORDS };
    for (const [action, ids] of [
      ['replay', repairs],
      ['undo', named(withdraw)],
      ['redo', named(restore)],
    ] as const) {
      if (ids.length > 0) actions.push({ ...did, action, repairs: ids });
    }
  }
  return actions.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

const NO_RUN = { run_id: null, release: null };
const NO_RECORDS = { records: null, changes: [] };
