import { LakeError } from '#errors';
import type { WithdrawnLoad } from '#releases';
import { REPAIRS } from '../lake-schema.js';
import { relationOf } from '../sql-name.js';
import type { Repair } from '../repair.js';
import { dropRepair, droppedRepairs, readRepair, repairIds } from './repair-store.js';
import type { Workbench } from './workbench.js';

/** `withdrawn`: it was replayed and undone, by itself or by a rollback. */
export type RepairState = 'pending' | 'dropped' | 'replayed' | 'withdrawn';

export interface RepairStanding {
  readonly id: string;
  readonly state: RepairState;
  /** Its load, once it was replayed. */
  readonly load: WithdrawnLoad | null;
}

/** Where every repair has got to in the release, oldest first. */
export async function repairStandings(bench: Workbench): Promise<readonly RepairStanding[]> {
  const { engine, lake, release } = bench;
  const dropped = new Set((await droppedRepairs(lake.store)).map(({ repair }) => repair));
  const loads = new Map<string, WithdrawnLoad>();
  if (release.tables[REPAIRS] !== undefined) {
    const sql = `SELECT DISTINCT repair, source, _batch_id FROM ${relationOf(REPAIRS)}`;
    for await (const rows of engine.stream(sql)) {
      for (const row of rows) {
        loads.set(String(row['repair']), { source: String(row['source']), load: Number(row['_batch_id']) });
      }
    }
  }
  const isWithdrawn = ({ source, load }: WithdrawnLoad) =>
    release.withdrawn.some((out) => out.source === source && out.load === load);
  return (await repairIds(lake.store)).map((id): RepairStanding => {
    const load = loads.get(id);
    if (load !== undefined) return { id, state: isWithdrawn(load) ? 'withdrawn' : 'replayed', load };
    return { id, state: dropped.has(id) ? 'dropped' : 'pending', load: null };
  });
}

/** Repairs that a replay would take. */
export async function pendingRepairs(bench: Workbench): Promise<readonly Repair[]> {
  const pending = (await repairStandings(bench)).filter(({ state }) => state === 'pending');
  const repairs: Repair[] = [];
  for (const { id } of pending) repairs.push(await readRepair(bench.lake.store, id));
  return repairs;
}

/** Throws `quarantine.unknown_repair`. */
export async function standingOf(bench: Workbench, id: string): Promise<RepairStanding> {
  const standing = (await repairStandings(bench)).find((one) => one.id === id);
  if (standing !== undefined) return standing;
  throw new LakeError('quarantine.unknown_repair', 'notFound', `there is no repair '${id.slice(0, 50)}'`, {
    at: { field: 'repair' },
  });
}

/** What undoing a repair takes: one that was not replayed is dropped here and now, the load of another is withdrawn by a run. */
export async function undoRepair(
  bench: Workbench,
  id: string,
  { by, reason }: { readonly by: string; readonly reason: string | null },
): Promise<{ readonly kind: 'dropped' } | { readonly kind: 'withdraw'; readonly load: WithdrawnLoad }> {
  const { state, load } = await standingOf(bench, id);
  if (state === 'replayed' && load !== null) return { kind: 'withdraw', load };
  const at = new Date(bench.clock.nowMs()).toISOString();
  if (state === 'pending' && (await dropRepair(bench.lake.store, { repair: id, by, at, reason }))) {
    return { kind: 'dropped' };
  }
  throw undoneAlready(id);
}

/** The load that a run has to restore. Throws `quarantine.not_undone`. */
export async function redoRepair(bench: Workbench, id: string): Promise<WithdrawnLoad> {
  const { state, load } = await standingOf(bench, id);
  if (state === 'withdrawn' && load !== null) return load;
  throw new LakeError(
    'quarantine.not_undone',
    'conflict',
    `repair ${id} is ${state}: only one that was undone after its replay can be done again`,
    {
      at: { field: 'repair' },
    },
  );
}

function undoneAlready(id: string): LakeError {
  return new LakeError('quarantine.undone', 'conflict', `repair ${id} is undone already`, { at: { field: 'repair' } });
}
