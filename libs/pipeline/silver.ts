import {
  castFailures,
  brokenAny,
  parsedSelect,
  recordText,
  ruleList,
  type SilverContract,
  type Source,
} from '#contracts';
import type { Engine } from '#engine';
import { countOf } from './count-of.js';
import { literal, PLACE, relationOf, samePlace, withDates, withInputs, workName } from './sql-name.js';

/** A silver table while a run computes it: its bronze records judged, then told apart into winners, losers and rejects. */
export interface JudgedTable {
  readonly contract: SilverContract;
  readonly source: Source;
  readonly sql: string;
  readonly dates: Readonly<Record<string, string>>;
  /** The relation of bronze records that are judged: `bronze.orders`, or some of it. */
  readonly records: string;
}

type Name = 'parsed' | 'judged' | 'contenders' | 'losers' | 'rejects';

/** Names of the relations that `judge`, `rank` and `reject` leave behind. */
export function judgedNames(table: string): Readonly<Record<Name, string>> {
  return {
    parsed: workName('parsed', table),
    judged: workName('judged', table),
    contenders: workName('contenders', table),
    losers: workName('losers', table),
    rejects: workName('rejects', table),
  };
}

/** What `parsed.<source>` would be over other records than all of bronze. */
export function parsedFrom(source: Source, records: string): string {
  return withInputs(parsedSelect(source), new Map([[`bronze.${source.name}`, records]]));
}

/** The records as the transform reads them, with `_bad` where a rule is broken; `parsed` is defined as they are parsed. */
export function judgedQuery({ contract, source, sql, dates, records }: JudgedTable, parsed: string): string {
  const inputs = new Map([
    [`parsed.${source.name}`, parsed],
    [`bronze.${source.name}`, records],
  ]);
  const transformed = withInputs(withDates(sql, dates), inputs);
  return `SELECT t.*, (${withDates(brokenAny(contract), dates)}) AS _bad FROM (${transformed}) t`;
}

/**
 * Stages the judged records; the good ones are contenders for their keys. Only the cheap verdict is computed for every
 * row; the reasons are named for rejects alone.
 */
export async function judge(engine: Engine, table: JudgedTable, signal: AbortSignal): Promise<void> {
  const { parsed, judged, contenders } = judgedNames(table.contract.name);
  await engine.define(parsed, parsedFrom(table.source, table.records));
  await engine.stage(judged, judgedQuery(table, parsed), signal);
  await engine.define(contenders, `SELECT * FROM ${judged} WHERE NOT _bad`);
}

/** Offers the contenders, which must be all there are, as `valid.<table>`. */
export async function offerValid(engine: Engine, { contract }: JudgedTable): Promise<void> {
  const { contenders } = judgedNames(contract.name);
  await engine.define(relationOf(contract.name).replace('silver.', 'valid.'), `SELECT * FROM ${contenders}`);
}

/** Stages the positions of contenders that lost their key to another one. */
export async function rank(engine: Engine, { contract }: JudgedTable, signal: AbortSignal): Promise<void> {
  const { contenders, losers } = judgedNames(contract.name);
  const key = contract.key.join(', ');
  const { winner } = contract;
  const order =
    winner.keep === 'first'
      ? '_position ASC NULLS FIRST'
      : `${winner.by === undefined ? '' : `${winner.by} DESC NULLS LAST, `}_position DESC NULLS LAST`;
  // Few keys come twice: finding those first spares a window over every column of every row.
  await engine.stage(
    losers,
    `WITH repeated AS (SELECT ${key} FROM ${contenders} GROUP BY ${key} HAVING count(*) > 1)
    SELECT _position, _batch_id, _source_file, _source_row FROM (
      SELECT _position, _batch_id, _source_file, _source_row,
        row_number() OVER (PARTITION BY ${key} ORDER BY ${order}) AS place
      FROM ${contenders} JOIN repeated USING (${key}))
    WHERE place > 1`,
    signal,
  );
}

/** The rows of the silver table: the record that holds each key. */
export function winners({ contract }: JudgedTable): string {
  const { contenders, losers } = judgedNames(contract.name);
  return `(SELECT * FROM ${contenders} c WHERE NOT EXISTS (SELECT 1 FROM ${losers} l WHERE l._position = c._position))`;
}

/**
 * Stages the rejects: the record as it came, where it stood, every rule it breaks, and the later valid record of its key
 * if one came. Runs the same transform again over the rejected records alone.
 */
export async function reject(engine: Engine, table: JudgedTable, signal: AbortSignal): Promise<void> {
  const { contract, source, sql, dates, records } = table;
  const { judged, rejects } = judgedNames(contract.name);
  const bronze = workName('rejected_bronze', contract.name);
  const parsed = workName('rejected_parsed', contract.name);
  const inputs = new Map([
    [`parsed.${source.name}`, parsed],
    [`bronze.${source.name}`, bronze],
  ]);
  const bad = await countOf(engine, `${judged} WHERE _bad`);
  try {
    await engine.stage(
      bronze,
      `SELECT * FROM ${records} b WHERE ${
        // mostly nothing is bad, and then bronze need not be read again
        bad === 0 ? 'FALSE' : `EXISTS (SELECT 1 FROM ${judged} j WHERE j._bad AND ${samePlace('j', 'b')})`
      }`,
      signal,
    );
    await engine.define(parsed, parsedFrom(source, bronze));
    const key = contract.key;
    const sameKey = key.map((name) => `j.${name} = r.${name}`).join(' AND ');
    await engine.stage(
      rejects,
      `WITH unread AS (SELECT ${PLACE.join(', ')}, (${castFailures(source)}) AS cast_rules FROM ${bronze} b),
      judged_again AS (
        SELECT *, (${withDates(ruleList(contract, 'cast_rules'), dates)}) AS own_rules FROM (
          SELECT t.*, u.cast_rules FROM (${withInputs(withDates(sql, dates), inputs)}) t JOIN unread u ON ${samePlace('t', 'u')})),
      later AS (
        SELECT r._position AS position, max(j._position) AS winner
        FROM judged_again r JOIN ${judged} j ON ${sameKey} AND j._position > r._position
        WHERE NOT j._bad GROUP BY r._position)
      SELECT ${literal(source.name)} AS source, ${recordText(source)} AS record,
        CASE WHEN b._malformed THEN ['malformed'] ELSE list_concat(r.cast_rules, r.own_rules) END AS rules,
        CASE WHEN w._position IS NULL THEN NULL
          ELSE concat_ws(':', CAST(w._batch_id AS VARCHAR), w._source_file, CAST(w._source_row AS VARCHAR)) END AS superseded_by,
        b._source_file, b._source_row, b._source_line, b._batch_id, b._loaded_at, b._as_of, f.run_id AS _run_id
      FROM ${bronze} b
      JOIN judged_again r ON ${samePlace('r', 'b')}
      LEFT JOIN later l ON l.position = r._position
      LEFT JOIN ${judged} w ON w._position = l.winner
      LEFT JOIN bronze.loads f ON f.source = ${literal(source.name)} AND f.load = b._batch_id AND f.path = b._source_file`,
      signal,
    );
  } finally {
    await engine.drop(parsed);
    await engine.drop(bronze);
  }
}
