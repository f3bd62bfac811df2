import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { LakeError } from '#errors';
import { writeLines } from '../load-repairs.js';
import { literal } from '../sql-name.js';
import type { Repair } from '../repair.js';
import { allRecords } from './find-records.js';
import { pendingRepairs, repairStandings, type RepairStanding } from './repair-states.js';
import { readRepair } from './repair-store.js';
import type { Workbench } from './workbench.js';

export interface ReplayPlan {
  readonly ready: readonly Repair[];
  /** Repairs whose records are not as they were when the repair was drafted. */
  readonly left_out: readonly StaleRepair[];
}

export interface StaleRepair {
  readonly repair: string;
  readonly records: number;
  /** The first of them. */
  readonly stale: readonly { readonly id: string; readonly detail: string }[];
}

const LISTED = 20;

/**
 * What a replay would take: the repairs named, or all that are pending. One whose record has left the quarantine, or was
 * superseded since, is left out and told. Throws `quarantine.not_pending` for one named that was dropped or withdrawn; one
 * that was replayed is there already and is not named again.
 */
export async function planReplay(bench: Workbench, ids?: readonly string[]): Promise<ReplayPlan> {
  const repairs = ids === undefined ? await pendingRepairs(bench) : await namedRepairs(bench, ids);
  const ready: Repair[] = [];
  const left_out: StaleRepair[] = [];
  for (const repair of repairs) {
    const stale = await staleRecords(bench, repair);
    if (stale.length === 0) ready.push(repair);
    else left_out.push({ repair: repair.id, records: repair.records.length, stale });
  }
  return { ready, left_out };
}

async function namedRepairs(bench: Workbench, ids: readonly string[]): Promise<readonly Repair[]> {
  const standings = new Map((await repairStandings(bench)).map((standing) => [standing.id, standing]));
  const repairs: Repair[] = [];
  for (const id of new Set(ids)) {
    const repair = await readRepair(bench.lake.store, id);
    const standing = standings.get(id);
    if (standing?.state === 'pending') repairs.push(repair);
    else if (standing !== undefined && standing.state !== 'replayed') throw notPending(standing);
  }
  return repairs;
}

/** Compares each record with what the draft says it was. */
async function staleRecords(bench: Workbench, repair: Repair): Promise<StaleRepair['stale']> {
  const { engine, workDir } = bench;
  const id = randomUUID().replaceAll('-', '');
  const file = join(workDir, `draft-${id}.ndjson`);
  const drafted = `work.drafted_${id}`;
  try {
    await mkdir(workDir, { recursive: true });
    const lines = repair.records.map(({ id, original: { load, file, row }, before, superseded_by }) =>
      JSON.stringify({ id, source: repair.source, load, file, row, before, superseded_by }),
    );
    const longest = await writeLines(file, lines);
    await engine.stage(
      drafted,
      `SELECT * FROM read_json(${literal(file)}, format = 'newline_delimited', maximum_object_size = ${longest},
        columns = {id: 'VARCHAR', source: 'VARCHAR', load: 'BIGINT', file: 'VARCHAR', row: 'BIGINT', before: 'VARCHAR', superseded_by: 'VARCHAR'})`,
    );
    const rows = await engine.query(
      `SELECT d.id, CASE
          WHEN a.source IS NULL OR a.state = 'repaired' THEN 'it is no longer in quarantine'
          WHEN a.record <> d.before THEN 'another repair changed it'
          ELSE 'a later valid record of its key came' END AS detail
      FROM ${drafted} d LEFT JOIN ${allRecords(bench)} a
        ON a.source = d.source AND a.load = d.load AND a.file = d.file AND a.row = d.row
      WHERE a.source IS NULL OR a.state = 'repaired' OR a.record <> d.before
        OR a.superseded_by IS DISTINCT FROM d.superseded_by
      ORDER BY d.load, d.file, d.row LIMIT ${LISTED}`,
    );
    return rows.map((row) => ({ id: String(row['id']), detail: String(row['detail']) }));
  } finally {
    await engine.drop(drafted);
    await rm(file, { force: true });
  }
}

function notPending({ id, state }: RepairStanding): LakeError {
  const detail = state === 'withdrawn' ? 'was undone after its replay: redo it' : 'was dropped: draft it again';
  return new LakeError('quarantine.not_pending', 'conflict', `repair ${id} ${detail}`, { at: { field: 'repairs' } });
}
