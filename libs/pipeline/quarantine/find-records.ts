import { createHash } from 'node:crypto';
import type { Parameter, Row } from '#engine';
import { LakeError } from '#errors';
import { standingRepairs } from '../considered.js';
import { literal } from '../sql-name.js';
import { formatRecordId, parseRecordId, type RecordId } from './record-id.js';
import { ruleText } from './rule-text.js';
import { rejectingTable, rejectingTables, type Workbench } from './workbench.js';

/** `open`: no later valid record of its key came, and nobody repaired it. */
export type RecordState = 'open' | 'repaired' | 'superseded';
export const recordStates = ['open', 'repaired', 'superseded', 'all'] as const;

export interface RecordFilter {
  /** `orders`, `silver.orders` or `silver/orders`. */
  readonly table?: string;
  readonly source?: string;
  readonly rule?: string;
  /** Its path below the landing folder. */
  readonly file?: string;
  /** That loaded it. */
  readonly run?: string;
  /** Somewhere in the record, in any case. */
  readonly text?: string;
  /** Default: `open`. */
  readonly state?: (typeof recordStates)[number];
}

/** A rejected record, and where it stands. Times are RFC 3339 in UTC. */
export interface QuarantinedRecord {
  readonly id: string;
  /** That does not take it: `silver/orders`. */
  readonly table: string;
  readonly source: string;
  readonly state: RecordState;
  readonly rules: readonly string[];
  readonly file: string;
  readonly row: number;
  readonly line: number | null;
  readonly load: number;
  readonly loaded_at: string;
  readonly as_of: string;
  readonly run_id: string | null;
  /** Load, file and row of a later valid record of its key. */
  readonly superseded_by: string | null;
  /** The repair that took its place; of one that is not replayed yet see `pendingRepairs`. */
  readonly repair: string | null;
  /** As it came, or as an earlier repair left it. Identifies people where the source does. */
  readonly record: string;
}

export interface RuleCount {
  readonly table: string;
  readonly rule: string;
  readonly description: string;
  readonly records: number;
}

export interface RecordPage {
  readonly records: readonly QuarantinedRecord[];
  /** Pass as `after` for what follows; null at the end. */
  readonly next: string | null;
}

const MAX_PAGE = 1_000;

/** In order of source, load and ordinal. Throws `quarantine.unknown_table` and `cursor-mismatch`. */
export async function findRecords(
  bench: Workbench,
  filter: RecordFilter,
  page: { readonly limit: number; readonly after?: string },
): Promise<RecordPage> {
  const { conditions, parameters } = conditionsOf(bench, filter);
  if (page.after !== undefined) {
    const { source, load, ordinal } = openCursor(page.after, filter);
    parameters.push(source, load, ordinal);
    const at = parameters.length - 2;
    conditions.push(
      `(source > $${at} OR (source = $${at} AND (load > $${at + 1} OR (load = $${at + 1} AND ordinal > $${at + 2}))))`,
    );
  }
  const limit = Math.min(page.limit, MAX_PAGE);
  const rows = await bench.engine.query(
    `SELECT * FROM ${allRecords(bench)} ${whereOf(conditions)} ORDER BY ${ORDER} LIMIT ${limit + 1}`,
    parameters,
  );
  const records = rows.slice(0, limit).map(toRecord);
  const last = records.at(-1);
  return { records, next: rows.length > limit && last !== undefined ? cursorAt(last.id, filter) : null };
}

/** Every record that the filter names, in order; for work on all of them. More than `most` is an error. */
export async function everyRecord(
  bench: Workbench,
  filter: RecordFilter,
  most: number,
): Promise<readonly QuarantinedRecord[]> {
  const { conditions, parameters } = conditionsOf(bench, filter);
  const rows = await bench.engine.query(
    `SELECT * FROM ${allRecords(bench)} ${whereOf(conditions)} ORDER BY ${ORDER} LIMIT ${most}`,
    parameters,
    { maxRows: most },
  );
  return rows.map(toRecord);
}

/** How many records break each rule. A record that breaks several counts for each. */
export async function countByRule(
  bench: Workbench,
  filter: RecordFilter,
): Promise<{
  readonly total: number;
  readonly rules: readonly RuleCount[];
}> {
  const { conditions, parameters } = conditionsOf(bench, filter);
  const matching = `${allRecords(bench)} ${whereOf(conditions)}`;
  const [total] = await bench.engine.query(`SELECT count(*) AS n FROM ${matching}`, parameters);
  const rows = await bench.engine.query(
    `SELECT table_name, source, rule, count(*) AS n FROM (SELECT table_name, source, unnest(rules) AS rule FROM ${matching})
    GROUP BY ALL ORDER BY table_name, n DESC, rule`,
    parameters,
  );
  return {
    total: Number(total?.['n'] ?? 0),
    rules: rows.map((row) => {
      const [table, rule] = [String(row['table_name']), String(row['rule'])];
      return {
        table,
        rule,
        description: describeRule(bench, table, String(row['source']), rule),
        records: Number(row['n']),
      };
    }),
  };
}

export function describeRule({ catalogue }: Workbench, table: string, sourceName: string, rule: string): string {
  const definition = catalogue.byName.get(table);
  const source = catalogue.sources.find(({ name }) => name === sourceName);
  return definition === undefined || source === undefined ? rule : ruleText(rule, definition, source);
}

/** One record, wherever it has got to. Throws `quarantine.bad_id` and `quarantine.not_found`. */
export async function findRecord(bench: Workbench, id: string): Promise<QuarantinedRecord> {
  const { source, load, ordinal } = parseRecordId(id);
  const [row] = await bench.engine.query(
    `SELECT * FROM ${allRecords(bench)} WHERE source = $1 AND load = $2 AND ordinal = $3`,
    [source, load, ordinal],
  );
  if (row !== undefined) return toRecord(row);
  throw new LakeError(
    'quarantine.not_found',
    'notFound',
    `no record ${formatRecordId({ source, load, ordinal })} is in quarantine or was repaired: the list has those there are`,
    { at: { field: 'id' } },
  );
}

const ORDER = 'source ASC NULLS FIRST, load ASC NULLS FIRST, ordinal ASC NULLS FIRST';

/** Records in quarantine, and those that a repair brought out of it. */
export function allRecords(bench: Workbench): string {
  const columns = 'table_name, source, load, file, row, line, loaded_at, as_of, rules, record, superseded_by';
  const rejected = rejectingTables(bench).map(
    ({ name, quarantine }) =>
      `SELECT ${literal(name)} AS table_name, source, _batch_id AS load, _source_file AS file, _source_row AS row,
        _source_line AS line, _loaded_at AS loaded_at, _as_of AS as_of, rules, record, superseded_by FROM ${quarantine}`,
  );
  if (rejected.length === 0) return `(SELECT NULL AS source WHERE FALSE)`;
  const hasRepairs = bench.release.tables['bronze/repairs'] !== undefined;
  const repaired = hasRepairs
    ? `UNION ALL BY NAME SELECT table_name, source, original_load AS load, original_file AS file, original_row AS row,
        original_line AS line, original_loaded_at AS loaded_at, original_as_of AS as_of, rules, before AS record,
        CAST(NULL AS VARCHAR) AS superseded_by, repair, TRUE AS is_repaired
      FROM ${standingRepairs(bench.release.withdrawn)} s WHERE NOT EXISTS (SELECT 1 FROM rejected q
        WHERE q.source = s.source AND q.load = s.original_load AND q.file = s.original_file AND q.row = s.original_row)`
    : '';
  return `(WITH rejected AS (${rejected.join(' UNION ALL ')}),
  every AS (SELECT ${columns}, CAST(NULL AS VARCHAR) AS repair, FALSE AS is_repaired FROM rejected ${repaired})
  SELECT e.*, f.row_offset + e.row AS ordinal, f.run_id,
    CASE WHEN is_repaired THEN 'repaired' WHEN superseded_by IS NOT NULL THEN 'superseded' ELSE 'open' END AS state
  FROM every e LEFT JOIN bronze.loads f ON f.source = e.source AND f.load = e.load AND f.path = e.file)`;
}

function conditionsOf(bench: Workbench, filter: RecordFilter) {
  const { table, source, rule, file, run, text, state = 'open' } = filter;
  const parameters: Parameter[] = [];
  const conditions: string[] = [];
  const add = (condition: (place: string) => string, value: string | undefined) => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(condition(`$${parameters.length}`));
  };
  add((at) => `table_name = ${at}`, table === undefined ? undefined : rejectingTable(bench, table).name);
  add((at) => `source = ${at}`, source);
  add((at) => `list_contains(rules, ${at})`, rule);
  add((at) => `file = ${at}`, file);
  add((at) => `run_id = ${at}`, run);
  add((at) => `contains(lower(record), lower(${at}))`, text);
  add((at) => `state = ${at}`, state === 'all' ? undefined : state);
  return { conditions, parameters };
}

function whereOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}

function toRecord(row: Row): QuarantinedRecord {
  const text = (name: string) => String(row[name]);
  const maybe = (name: string) => (row[name] === null ? null : text(name));
  const [source, load, ordinal] = [text('source'), Number(row['load']), Number(row['ordinal'])];
  return {
    id: formatRecordId({ source, load, ordinal }),
    table: text('table_name'),
    source,
    state: text('state') as RecordState,
    rules: row['rules'] as readonly string[],
    file: text('file'),
    row: Number(row['row']),
    line: row['line'] === null ? null : Number(row['line']),
    load,
    loaded_at: text('loaded_at'),
    as_of: text('as_of'),
    run_id: maybe('run_id'),
    superseded_by: maybe('superseded_by'),
    repair: maybe('repair'),
    record: text('record'),
  };
}

/** Names the filter too: a page of another list does not go on with this one. */
function cursorAt(id: string, filter: RecordFilter): string {
  return Buffer.from(JSON.stringify([filterDigest(filter), id])).toString('base64url');
}

function openCursor(cursor: string, filter: RecordFilter): RecordId {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && parsed[0] === filterDigest(filter)) return parseRecordId(String(parsed[1]));
  } catch {
    // told below
  }
  throw new LakeError(
    'cursor-mismatch',
    'invalid',
    'This is no place in this list: pass the next of the page before with the same filters, or begin without it.',
    { at: { field: 'cursor' } },
  );
}

function filterDigest(filter: RecordFilter): string {
  const given = Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(given)).digest('hex').slice(0, 16);
}
