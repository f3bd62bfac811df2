import { parsedField } from '#contracts';
import { REPAIR_FOLDER } from '../repair.js';
import { literal, relationOf } from '../sql-name.js';
import { bronzeRecordOf } from './draft-repair.js';
import { describeRule, findRecord, type QuarantinedRecord } from './find-records.js';
import { judgeRecords } from './judge-records.js';
import { pendingRepairs, standingOf, type RepairState } from './repair-states.js';
import { readRepair } from './repair-store.js';
import { judgedSource, rejectingTables, type JudgedSource, type Workbench } from './workbench.js';

export interface RecordView extends QuarantinedRecord {
  readonly reasons: readonly { readonly rule: string; readonly description: string }[];
  /** None where the record could not be told apart into fields. */
  readonly fields: readonly FieldView[];
  /** Other records of its key that came in files, in order; the first of them. */
  readonly same_key: readonly RelatedRecord[];
  /** The repair that has it, replayed or not. */
  readonly repaired: {
    readonly repair: string;
    readonly state: RepairState;
    readonly by: string;
    readonly at: string;
    readonly reason: string | null;
    /** As JSON. Identifies people where the source does. */
    readonly after: string;
  } | null;
}

export interface FieldView {
  readonly field: string;
  /** As it came. */
  readonly text: string | null;
  /** As its parser reads it; null where there is nothing, or nothing that it can read. */
  readonly parsed: string | null;
  /** Rules broken that are about it. */
  readonly broken: readonly string[];
}

export interface RelatedRecord {
  readonly load: number;
  readonly file: string;
  readonly row: number;
  readonly line: number | null;
  /** `winner`: the table's row is made of it. `rejected`: it is in quarantine too. `other`: it lost to another one, or was repaired. */
  readonly standing: 'winner' | 'rejected' | 'other';
}

const MOST_RELATED = 20;

/** A record beside its reasons, field by field. Throws `quarantine.not_found`. */
export async function showRecord(bench: Workbench, id: string): Promise<RecordView> {
  const found = await findRecord(bench, id);
  const judged = judgedSource(bench, found.source);
  const record = bronzeRecordOf(judged.source, found);
  const [verdict] = record === undefined ? [] : await judgeRecords(bench, judged, [record]);
  const names = record === undefined ? [] : Object.keys(judged.source.fields);
  return {
    ...found,
    reasons: found.rules.map((rule) => ({ rule, description: describeRule(bench, found.table, found.source, rule) })),
    fields: names.map((field) => ({
      field,
      text: record?.fields[field] ?? null,
      parsed: verdict?.parsed[field] ?? null,
      broken: found.rules.filter((rule) => isAbout(rule, field, judged)),
    })),
    same_key: verdict === undefined ? [] : await sameKey(bench, judged, found, verdict.parsed),
    repaired: await repairOf(bench, found),
  };
}

function isAbout(rule: string, field: string, { definition }: JudgedSource): boolean {
  if (rule === `cast_${field}`) return true;
  const own = definition.contract.rules.find(({ name }) => name === rule);
  return own !== undefined && (own.requires === field || new RegExp(`\\b${field}\\b`).test(own.broken));
}

async function sameKey(
  bench: Workbench,
  { source, definition }: JudgedSource,
  { load, file, row }: QuarantinedRecord,
  parsed: Readonly<Record<string, string | null>>,
): Promise<readonly RelatedRecord[]> {
  const key = definition.contract.key;
  const values = key.map((name) => parsed[name] ?? null);
  if (values.includes(null)) return [];
  const at = (left: string) =>
    ['_batch_id', '_source_file', '_source_row'].map((name) => `${left}.${name} = b.${name}`).join(' AND ');
  const quarantine = rejectingTables(bench).find(({ name }) => name === definition.contract.name)?.quarantine;
  const n = key.length;
  const rows = await bench.engine.query(
    `SELECT b._batch_id, b._source_file, b._source_row, b._source_line,
      EXISTS (SELECT 1 FROM ${relationOf(definition.contract.name)} s WHERE ${at('s')}) AS is_winner,
      ${quarantine === undefined ? 'FALSE' : `EXISTS (SELECT 1 FROM ${quarantine} q WHERE ${at('q')})`} AS is_rejected
    FROM bronze.${source.name} b
    WHERE ${key.map((name, k) => `CAST(${parsedField(source, name)} AS VARCHAR) = $${k + 1}`).join(' AND ')}
      AND NOT (b._batch_id = $${n + 1} AND b._source_file = $${n + 2} AND b._source_row = $${n + 3})
      AND NOT starts_with(b._source_file, ${literal(REPAIR_FOLDER)})
    ORDER BY b._batch_id ASC NULLS FIRST, b._source_file ASC NULLS FIRST, b._source_row ASC NULLS FIRST LIMIT ${MOST_RELATED}`,
    [...values, load, file, row],
  );
  return rows.map((other) => ({
    load: Number(other['_batch_id']),
    file: String(other['_source_file']),
    row: Number(other['_source_row']),
    line: other['_source_line'] === null ? null : Number(other['_source_line']),
    standing: other['is_winner'] === true ? 'winner' : other['is_rejected'] === true ? 'rejected' : 'other',
  }));
}

async function repairOf(bench: Workbench, { id, repair }: QuarantinedRecord): Promise<RecordView['repaired']> {
  const found =
    repair === null
      ? (await pendingRepairs(bench)).findLast(({ records }) => records.some((record) => record.id === id))
      : await readRepair(bench.lake.store, repair);
  const after = found?.records.find((record) => record.id === id)?.after;
  if (found === undefined || after === undefined) return null;
  const { state } = await standingOf(bench, found.id);
  const { by, at, reason } = found;
  return { repair: found.id, state, by, at, reason, after: after.record ?? JSON.stringify(after.fields) };
}
