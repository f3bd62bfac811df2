import { join } from 'node:path';
import { endRun, planBase, publish, registerRun, rollForward, storePathOf, type Release } from '#releases';
import type { Engine } from '#engine';
import { relationOf } from '../sql-name.js';
import { bindRelease } from '../bind-release.js';
import type { SmallLake } from './small-lake.js';

interface Publishing {
  readonly lake: SmallLake;
  readonly engine: Engine;
  readonly runId: string;
  readonly dir: string;
  readonly table: string;
  /** Gives the rows that the table is to have. */
  readonly sql: string;
  readonly withdrawn?: Release['withdrawn'];
  /** What the log is to say of each file. */
  readonly stats?: (truth: string) => string;
}

/** What no run would do: other rows of one table, as the next release, by the protocol that every run keeps to. */
export async function publishRows(publishing: Publishing): Promise<Release> {
  const { engine, runId, dir, table, sql, withdrawn, stats = (truth: string) => truth } = publishing;
  const { lake, clock } = publishing.lake;
  const parent = await publishing.lake.latest();
  await registerRun(lake.store, clock, { runId, owner: 'batch', parent: parent.number });
  await bindRelease(engine, lake, parent);
  const base = await planBase(lake, parent, table);
  const entry = parent.tables[table];
  if (base === undefined || entry === undefined) throw new Error(`no table ${table}`);
  const target = { filePrefix: runId, schema: base.schema, partitionBy: base.metadata.partitionColumns };
  const files = await engine.materialise(sql, { dir: join(dir, relationOf(table)), ...target });
  for (const { addPath, localPath } of files) await lake.store.put(storePathOf(table, addPath), { file: localPath });
  const removed = [...base.files.values()].map(({ path }) => ({
    remove: { path, deletionTimestamp: clock.nowMs(), dataChange: true },
  }));
  const added = files.map((file) => ({
    add: {
      path: file.addPath,
      partitionValues: file.partitionValues,
      size: file.sizeBytes,
      modificationTime: 0,
      dataChange: true,
      stats: stats(file.stats),
    },
  }));
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const { logic, schema } = entry;
  const outcome = await publish({
    store: lake.store,
    clock,
    runId,
    nonce: runId,
    owner: 'batch',
    parent,
    listedAtMs: clock.nowMs(),
    mode: 'incremental',
    asOf: undefined,
    changes: new Map([[table, { owner: 'batch', base, actions: [...removed, ...added], rows, logic, schema }]]),
    readSet: new Set(),
    consumed: { loads: {}, offsets: {}, completeUntil: {} },
    ...(withdrawn === undefined ? {} : { withdrawn }),
    checks: [],
    counts: {},
    report: null,
  });
  if (outcome.kind !== 'published') throw new Error('another run was quicker');
  await rollForward(lake, clock, outcome.release);
  await endRun(lake.store, clock, runId, 'published');
  return outcome.release;
}
