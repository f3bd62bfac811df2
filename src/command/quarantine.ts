import {
  countByRule,
  draftRepair,
  findRecords,
  parseChange,
  pendingRepairs,
  planReplay,
  redoRepair,
  repairLog,
  showRecord,
  undoRepair,
  type RecordFilter,
  type ReplayPlan,
  type StaleRepair,
} from '#pipeline';
import { figuresJson, openWorkbench, type OpenWorkbench, type Repairing } from '#platform';
import type { Call } from '../call.js';
import { planOnce, runOnce, withLake } from '../composition.js';
import { exitCode, usageError, type ExitCode } from '../exit-code.js';
import { draftText, listText, logText, pendingText, recordText, staleText } from '../terminal/quarantine-text.js';
import { planText } from '../terminal/plan-text.js';
import { reportText } from '../terminal/report-text.js';

/** Until there are keys, whoever has the command line. */
const LOCAL = 'local';

interface Json {
  readonly json?: true;
}

interface Because {
  readonly reason?: string;
}

export interface ListOptions extends Json {
  readonly table?: string;
  readonly source?: string;
  readonly rule?: string;
  readonly file?: string;
  readonly run?: string;
  readonly text?: string;
  readonly state?: NonNullable<RecordFilter['state']>;
  readonly limit?: number;
  readonly cursor?: string;
}

export interface RepairOptions extends Json, Because {
  readonly rule?: string;
  readonly table?: string;
  readonly file?: string;
  readonly run?: string;
  readonly text?: string;
  readonly set?: readonly string[];
  readonly record?: string;
  readonly force?: true;
}

const DEFAULT_LIMIT = 20;

/** Records that were rejected, and how many break each rule. */
export async function listCommand(call: Call, options: ListOptions): Promise<void> {
  const { limit = DEFAULT_LIMIT, cursor, json, ...rest } = options;
  const filter = filterOf(rest);
  const found = await withWorkbench(call, async (bench) => ({
    ...(await findRecords(bench, filter, { limit, ...(cursor === undefined ? {} : { after: cursor }) })),
    ...(await countByRule(bench, filter)),
    pending: new Map((await pendingRepairs(bench)).flatMap(({ id, records }) => records.map((one) => [one.id, id]))),
  }));
  const { records, next, total, rules, pending } = found;
  const listed = records.map((record) => ({ ...record, pending: pending.get(record.id) ?? null }));
  if (json) return call.terminal.json({ records: listed, next, total, rules });
  call.terminal.result(listText({ records: listed, next, total, rules }));
}

export async function showCommand(call: Call, id: string, { json }: Json): Promise<void> {
  const view = await withWorkbench(call, (bench) => showRecord(bench, id));
  if (json) return call.terminal.json(view);
  call.terminal.result(recordText(view));
}

/** Drafts a repair of one record, or of every open one that breaks a rule. */
export async function repairCommand(call: Call, id: string | undefined, options: RepairOptions): Promise<void> {
  const { rule, set = [], record, reason, force, json, ...rest } = options;
  if ((id === undefined) === (rule === undefined)) throw usageError('name a record by its ID, or records by --rule');
  if (set.length === 0 && record === undefined) throw usageError('say what to change: --set field=value');
  if (rule !== undefined && record !== undefined) throw usageError('--record is one whole record: name it by its ID');
  const drafted = await withWorkbench(call, (bench) =>
    draftRepair(bench, {
      which: id === undefined ? { rule: rule ?? '', filter: filterOf(rest) } : { id },
      changes: set.map(parseChange),
      ...(record === undefined ? {} : { record }),
      by: LOCAL,
      reason: reason ?? null,
      force: force === true,
    }),
  );
  if (json) return call.terminal.json(drafted);
  call.terminal.result(draftText(drafted));
}

export async function pendingCommand(call: Call, { json }: Json): Promise<void> {
  const { ready, left_out } = await withWorkbench(call, (bench) => planReplay(bench));
  if (json) return call.terminal.json({ pending: ready, left_out });
  call.terminal.result(pendingText(ready));
  if (left_out.length > 0) call.terminal.result(staleText(left_out));
}

/** What a replay would do to every table and to the daily figures; changes nothing. */
export async function previewCommand(call: Call, ids: readonly string[], { json }: Json): Promise<ExitCode> {
  const { ready, left_out, asOf } = await replayPlan(call, ids);
  if (left_out.length > 0) call.terminal.log('warn', staleText(left_out));
  if (ready.length === 0) return nothingToReplay(call, left_out, json);
  const repairing = { repairs: ready, ...NO_LOADS, by: LOCAL, reason: null };
  const plan = await planOnce(call, { asOf, full: false, rehash: false, repairing });
  const repairs = ready.map(({ id }) => id);
  if (json) call.terminal.result(figuresJson({ repairs, left_out, plan }));
  else call.terminal.result(`Replaying ${repairs.join(', ')} would come to this:\n\n${planText(plan)}`);
  return exitCode.done;
}

/** Publishes pending repairs: all, or those named. */
export async function replayCommand(
  call: Call,
  ids: readonly string[],
  { reason, json }: Json & Because,
): Promise<ExitCode> {
  const { ready, left_out, asOf } = await replayPlan(call, ids);
  if (left_out.length > 0) call.terminal.log('warn', staleText(left_out));
  if (ready.length === 0) return nothingToReplay(call, left_out, json);
  return runRepairs(call, asOf, { repairs: ready, ...NO_LOADS, by: LOCAL, reason: reason ?? null }, json);
}

function nothingToReplay({ terminal }: Call, left_out: readonly StaleRepair[], json: true | undefined): ExitCode {
  if (json) terminal.json({ repairs: [], left_out });
  else terminal.result('No repair to replay.');
  return left_out.length > 0 ? exitCode.failed : exitCode.done;
}

/** Drops a pending repair; withdraws one that was replayed. */
export async function undoCommand(call: Call, id: string, { reason, json }: Json & Because): Promise<ExitCode> {
  const because = { by: LOCAL, reason: reason ?? null };
  const { undone, asOf } = await withWorkbench(call, async (bench) => ({
    undone: await undoRepair(bench, id, because),
    asOf: bench.release.as_of,
  }));
  if (undone.kind === 'dropped') {
    if (json) call.terminal.json({ repair: id, undone: 'dropped' });
    else call.terminal.result(`${id} is dropped: it was not replayed, so no table changes.`);
    return exitCode.done;
  }
  return runRepairs(call, asOf, { repairs: [], withdraw: [undone.load], restore: [], ...because }, json);
}

export async function redoCommand(call: Call, id: string, { reason, json }: Json & Because): Promise<ExitCode> {
  const { load, asOf } = await withWorkbench(call, async (bench) => ({
    load: await redoRepair(bench, id),
    asOf: bench.release.as_of,
  }));
  return runRepairs(
    call,
    asOf,
    { repairs: [], withdraw: [], restore: [load], by: LOCAL, reason: reason ?? null },
    json,
  );
}

export async function logCommand(call: Call, { json }: Json): Promise<void> {
  const actions = await withWorkbench(call, repairLog);
  if (json) return call.terminal.json({ actions });
  call.terminal.result(logText(actions));
}

async function runRepairs(call: Call, asOf: string, repairing: Repairing, json: true | undefined): Promise<ExitCode> {
  const { outcome, report } = await runOnce(call, { asOf, full: false, rehash: false, repairing });
  if (json) call.terminal.json(report);
  else call.terminal.result(reportText(report));
  return outcome === 'check_failed' ? exitCode.checkFailed : exitCode.done;
}

const NO_LOADS = { withdraw: [], restore: [] };

function replayPlan(call: Call, ids: readonly string[]): Promise<ReplayPlan & { readonly asOf: string }> {
  return withWorkbench(call, async (bench) => ({
    ...(await planReplay(bench, ids.length === 0 ? undefined : ids)),
    // what a repair changes is to be the repair's doing alone
    asOf: bench.release.as_of,
  }));
}

function filterOf({ table, source, rule, file, run, text, state }: ListOptions): RecordFilter {
  const given = Object.entries({ table, source, rule, file, run, text, state });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function withWorkbench<T>({ settings }: Call, work: (bench: OpenWorkbench) => Promise<T>): Promise<T> {
  return withLake(settings, async (open) => {
    const bench = await openWorkbench(settings, open);
    try {
      return await work(bench);
    } finally {
      await bench.close();
    }
  });
}
