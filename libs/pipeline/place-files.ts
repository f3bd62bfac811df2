import { createHash } from 'node:crypto';
import { createActions, metadataAction, type Action, type Add, type Schema } from '#delta';
import type { WrittenFile } from '#engine';
import { storePathOf, type PublishRequest, type TableChange as ReleaseChange } from '#releases';
import type { ObjectStore } from '#storage';
import type { ComputedChange, ComputedRun } from './compute.js';
import { addOf, schemaShape } from './live-table.js';
import type { ParentState } from './parent-state.js';
import type { StageProgress } from './progress.js';
import type { CheckReport } from './report.js';
import type { RunOptions } from './run.js';

/** Files on their way at once: waiting for the disk is most of the time. */
const AT_ONCE = 16;

/** Moves the run's new files into the lake. No log names them yet, so no reader sees them. */
export async function placeFiles(
  store: ObjectStore,
  changes: Iterable<{ readonly table: string; readonly added: readonly WrittenFile[] }>,
  stages: StageProgress,
): Promise<void> {
  const files = [...changes].flatMap(({ table, added }) => added.map((file) => ({ table, file })));
  // the last step is the release itself
  stages.begin('publish', files.length + 1);
  const placeNext = async (): Promise<void> => {
    for (let next = files.pop(); next !== undefined; next = files.pop()) {
      await store.put(storePathOf(next.table, next.file.addPath), { file: next.file.localPath });
      stages.step('publish');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, placeNext));
}

interface Publishing {
  readonly options: RunOptions;
  readonly parent: PublishRequest['parent'];
  readonly listedAtMs: number;
  readonly state: ParentState;
  readonly computed: ComputedRun;
  readonly checks: readonly CheckReport[];
  readonly reportPath: string;
  readonly nonce: string;
}

/** Pure: what the run asks the release protocol to publish. */
export function toPublish(publishing: Publishing): PublishRequest {
  const { options, parent, listedAtMs, state, computed, checks, reportPath, nonce } = publishing;
  const nowMs = options.clock.nowMs();
  const changes = new Map<string, ReleaseChange>();
  for (const change of computed.changes.values()) {
    changes.set(change.table, {
      owner: change.owner,
      base: state.bases.get(change.table),
      actions: actionsOf(change, state, nowMs, options.newNonce()),
      rows: change.totalRows,
      logic: change.logic,
      schema: schemaDigest(change.schema),
    });
  }
  return {
    store: options.lake.store,
    clock: options.clock,
    runId: options.runId,
    nonce,
    owner: 'batch',
    parent,
    listedAtMs,
    mode: computed.mode === 'none' ? 'incremental' : computed.mode,
    asOf: options.asOf,
    changes,
    readSet: computed.readSet,
    ...(computed.movesLoads ? { withdrawn: computed.withdrawn } : {}),
    consumed: { loads: Object.fromEntries(computed.loads), offsets: {}, completeUntil: {} },
    checks: checks.map(({ layer, table, name, severity, passed, failing_rows }) => ({
      table: `${layer}/${table}`,
      name,
      severity,
      passed,
      failing_rows,
    })),
    counts: Object.fromEntries(
      computed.outcomes.map(({ table, totalRows, write }) => [
        table,
        { rows: totalRows, inserted: write.inserted, updated: write.updated, deleted: write.deleted },
      ]),
    ),
    report: reportPath,
  };
}

function actionsOf(change: ComputedChange, state: ParentState, nowMs: number, id: string): readonly Action[] {
  const definition = { partitionBy: change.partitionBy, description: change.describes, configuration: {} };
  const base = state.bases.get(change.table);
  const moved = new Set(change.moved);
  const redefinition: readonly Action[] =
    change.redefines === 'creates' || base === undefined
      ? createActions(change.schema, { ...definition, id, nowMs })
      : change.redefines === 'alters'
        ? [metadataAction(base.metadata, change.schema, definition)]
        : [];
  return [
    ...redefinition,
    ...change.removed.map((add) => ({ remove: { ...removalOf(add, nowMs), dataChange: !moved.has(add.path) } })),
    ...change.added.map((file) => ({ add: { ...addOf(file, nowMs), dataChange: !moved.has(file.addPath) } })),
  ];
}

function removalOf(add: Add, deletionTimestamp: number) {
  const { path, partitionValues, size } = add;
  return { path, deletionTimestamp, extendedFileMetadata: true, partitionValues, size };
}

function schemaDigest(schema: Schema): string {
  return `sha256:${createHash('sha256').update(schemaShape(schema)).digest('hex')}`;
}
