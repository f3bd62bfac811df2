import type { Source } from '#contracts';
import { LakeError } from '#errors';
import { indexFields, parseJsonRecord } from '../load/json-record.js';
import type { BronzeRecord, Repair, RepairedRecord } from '../repair.js';
import { changeRecord, isSameRecord, readRecord, type FieldChange } from './change-record.js';
import {
  countByRule,
  describeRule,
  everyRecord,
  findRecord,
  type QuarantinedRecord,
  type RecordFilter,
} from './find-records.js';
import { judgeRecords } from './judge-records.js';
import { addRepair, dropRepair } from './repair-store.js';
import { pendingRepairs } from './repair-states.js';
import { judgedSource, rejectingTable, type Workbench } from './workbench.js';

export interface RepairRequest {
  /** One record by its id, or every open record that breaks a rule. */
  readonly which: { readonly id: string } | { readonly rule: string; readonly filter: RecordFilter };
  readonly changes: readonly FieldChange[];
  /** The whole record as JSON, before the changes. */
  readonly record?: string;
  readonly by: string;
  readonly reason: string | null;
  /** Keeps what would still be rejected, too. */
  readonly force: boolean;
}

export interface DraftedRepair {
  readonly repair: Repair;
  /** The pending repair of the same record that this one takes the place of. */
  readonly replaces: string | null;
  /** Records that would still be rejected: part of the repair only if it was forced. The first of them. */
  readonly still_broken: readonly { readonly id: string; readonly rules: readonly string[] }[];
  readonly still_broken_records: number;
  /** Records that another pending repair has. */
  readonly pending_already: number;
  /** Records that the changes leave as they are. */
  readonly unchanged: number;
  /** There are more open records than one repair holds: draft another one for the rest. */
  readonly more: boolean;
}

/** Of one repair: it is one object in the lake, and held in memory. */
const MAX_RECORDS = 20_000;
const LISTED = 20;

/**
 * Drafts a repair and stores it, judged by the rules of its table: what would still be rejected is refused (a single
 * record) or left out (of many), unless forced. Nothing moves before it is replayed.
 */
export async function draftRepair(bench: Workbench, request: RepairRequest): Promise<DraftedRepair> {
  const chosen =
    'id' in request.which ? [await findRecord(bench, request.which.id)] : await recordsOfRule(bench, request.which);
  const found = chosen.slice(0, MAX_RECORDS);
  const [first] = found;
  if (first === undefined) throw nothingToRepair(request);
  const judged = judgedSource(bench, first.source);
  const { source } = judged;
  refuseStream(source);
  const single = 'id' in request.which ? first : undefined;
  if (single?.state === 'repaired') throw alreadyRepaired(single);
  const pending = await pendingByRecord(bench);
  const former = single === undefined ? undefined : pending.get(single.id);
  if (former !== undefined && former.records.length > 1) throw pendingAlready(first.id, former);
  const free = single === undefined ? found.filter(({ id }) => !pending.has(id)) : found;

  const changed = free.flatMap((record) => {
    const before = bronzeRecordOf(source, record);
    const after = changedRecord(source, record, before, request);
    return before !== undefined && isSameRecord(source, before, after) ? [] : [{ record, after }];
  });
  if (changed.length === 0) throw changesNothing(free.length, pending.size);
  const verdicts = await judgeRecords(
    bench,
    judged,
    changed.map(({ after }) => after),
  );
  const broken = changed.flatMap(({ record: { id, table, source } }, n) => {
    const rules = verdicts[n]?.rules ?? [];
    return rules.length === 0
      ? []
      : [{ id, rules, told: rules.map((rule) => `${rule} (${describeRule(bench, table, source, rule)})`) }];
  });
  if (!request.force && broken.length === changed.length) throw stillBroken(broken);
  const kept = request.force ? changed : changed.filter((_, n) => verdicts[n]?.rules.length === 0);
  const repair = await addRepair(bench.lake.store, {
    source: source.name,
    table: first.table,
    by: request.by,
    at: new Date(bench.clock.nowMs()).toISOString(),
    reason: request.reason,
    records: kept.map(({ record, after }) => repaired(record, after)),
  });
  // after the new one is safe: a record with two drafts is repaired by the later one
  if (former !== undefined) {
    await dropRepair(bench.lake.store, {
      repair: former.id,
      by: request.by,
      at: repair.at,
      reason: `replaced by ${repair.id}`,
    });
  }
  return {
    repair,
    replaces: former?.id ?? null,
    still_broken: broken.slice(0, LISTED).map(({ id, rules }) => ({ id, rules })),
    still_broken_records: broken.length,
    pending_already: found.length - free.length,
    unchanged: free.length - changed.length,
    more: chosen.length > MAX_RECORDS,
  };
}

/** What is known of a rejected record: undefined where it could not be told apart into fields. */
export function bronzeRecordOf(source: Source, { record, rules }: QuarantinedRecord): BronzeRecord | undefined {
  const parsed = rules.includes('malformed') ? undefined : parseJsonRecord(record, indexFields(source.fields));
  if (parsed === undefined) return undefined;
  const names = Object.keys(source.fields);
  return {
    fields: Object.fromEntries(names.map((name, at) => [name, parsed.fields[at] ?? null])),
    rescued: parsed.rescued,
    record: source.format === 'json' ? record : null,
  };
}

function changedRecord(
  source: Source,
  { id }: QuarantinedRecord,
  before: BronzeRecord | undefined,
  { record, changes }: RepairRequest,
): BronzeRecord {
  const whole = record === undefined ? before : readRecord(source, record, before ?? NO_FIELDS);
  if (whole !== undefined) return changeRecord(source, whole, changes);
  const message = `${id} could not be told apart into fields: give the whole record as a JSON object`;
  throw new LakeError('quarantine.malformed', 'invalid', message, { at: { field: 'record' } });
}

const NO_FIELDS: BronzeRecord = { fields: {}, rescued: null, record: null };

async function recordsOfRule(
  bench: Workbench,
  { rule, filter }: { readonly rule: string; readonly filter: RecordFilter },
): Promise<readonly QuarantinedRecord[]> {
  const { rules } = await countByRule(bench, { ...filter, rule, state: 'open' });
  const tables = [...new Set(rules.filter((one) => one.rule === rule).map(({ table }) => table))];
  const [table] = tables;
  if (tables.length > 1) {
    throw new LakeError(
      'quarantine.which_table',
      'invalid',
      `${rule} is a rule of ${tables.join(' and ')}: say which table`,
      {
        at: { field: 'table' },
      },
    );
  }
  if (table === undefined) {
    const known = filter.table === undefined ? undefined : rejectingTable(bench, filter.table).name;
    const message = `no open record ${known === undefined ? '' : `of ${known} `}breaks ${rule.slice(0, 100)}`;
    throw new LakeError('quarantine.nothing_to_repair', 'notFound', message, { at: { field: 'rule' } });
  }
  const open = await everyRecord(bench, { ...filter, table, rule, state: 'open' }, MAX_RECORDS + 1);
  // what cannot be told apart is repaired one by one
  return open.filter(({ rules }) => !rules.includes('malformed'));
}

async function pendingByRecord(bench: Workbench): Promise<ReadonlyMap<string, Repair>> {
  const pending = await pendingRepairs(bench);
  return new Map(pending.flatMap((repair) => repair.records.map(({ id }) => [id, repair] as const)));
}

function repaired(record: QuarantinedRecord, after: BronzeRecord): RepairedRecord {
  const { id, load, file, row, line, loaded_at, as_of, rules, superseded_by } = record;
  return {
    id,
    original: { load, file, row, line, loaded_at, as_of },
    rules,
    superseded_by,
    before: record.record,
    after,
  };
}

function refuseStream({ name, owner }: Source): void {
  if (owner !== 'stream') return;
  const message = `records of ${name} come from a stream, whose tables no batch run may write: send the event again`;
  throw new LakeError('quarantine.of_stream', 'invalid', message, { at: { field: 'source' } });
}

function nothingToRepair({ which }: RepairRequest): LakeError {
  const what = 'rule' in which ? `breaks ${which.rule.slice(0, 100)} and can be told apart into fields` : 'is open';
  return new LakeError('quarantine.nothing_to_repair', 'notFound', `no record ${what}`);
}

function alreadyRepaired({ id, repair }: QuarantinedRecord): LakeError {
  const message = `${id} was repaired by ${repair}: undo that first to repair it otherwise`;
  return new LakeError('quarantine.repaired', 'conflict', message, { at: { field: 'id' } });
}

function pendingAlready(id: string, former: Repair): LakeError {
  const message = `${id} is one of ${former.records.length} records of the pending repair ${former.id}: replay or undo that first`;
  return new LakeError('quarantine.pending', 'conflict', message, { at: { field: 'id' } });
}

function changesNothing(records: number, pending: number): LakeError {
  const message =
    records === 0 && pending > 0
      ? 'every such record has a pending repair: replay or undo it first'
      : 'the record is as the changes would have it already: nothing to repair';
  return new LakeError('quarantine.changes_nothing', 'invalid', message, { at: { field: 'set' } });
}

function stillBroken(broken: readonly { readonly id: string; readonly told: readonly string[] }[]): LakeError {
  const [first] = broken;
  const others = broken.length > 1 ? `; so would ${broken.length - 1} more` : '';
  const message = `${first?.id} would still be rejected: ${first?.told.join(', ')}${others}. Change what breaks them too, or force the repair`;
  return new LakeError('quarantine.still_broken', 'invalid', message, { at: { field: 'set' } });
}
