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
import { literal, relationOf, withDates, workName } from './sql-name.js';

/** A silver table while a run computes it: every bronze record judged, then told apart into winners, losers and rejects. */
export interface JudgedTable {
  readonly contract: SilverContract;
  readonly source: Source;
  readonly sql: string;
  readonly dates: Readonly<Record<string, string>>;
}

/** Names of the relations that `judge` and `rank` leave behind. */
export function judgedNames(table: string): Readonly<Record<'judged' | 'losers' | 'rejects', string>> {
  return {
    judged: workName('judged', table),
    losers: workName('losers', table),
    rejects: workName('rejects', table),
  };
}

/**
 * Stages every bronze record of the source as the transform reads it, with `_bad` where a rule is broken, and offers the
 * good ones as `valid.<table>`. Only the cheap verdict is computed for every row; the reasons are named for rejects alone.
 */
export async function judge(engine: Engine, table: JudgedTable, signal: AbortSignal): Promise<void> {
  const { contract, source, sql, dates } = table;
  const { judged } = judgedNames(contract.name);
  await engine.define(`parsed.${source.name}`, parsedSelect(source));
  await engine.stage(
    judged,
    `SELECT t.*, (${withDates(brokenAny(contract), dates)}) AS _bad FROM (${withDates(sql, dates)}) t`,
    signal,
  );
  await engine.define(relationOf(contract.name).replace('silver.', 'valid.'), `SELECT * FROM ${judged} WHERE NOT _bad`);
}

/** Stages the positions of valid records that lost their key to another one. */
export async function rank(engine: Engine, { contract }: JudgedTable, signal: AbortSignal): Promise<void> {
  const { judged, losers } = judgedNames(contract.name);
  const key = contract.key.join(', ');
  const { winner } = contract;
  const order =
    winner.keep === 'first'
      ? '_position ASC NULLS FIRST'
      : `${winner.by === undefined ? '' : `${winner.by} DESC NULLS LAST, `}_position DESC NULLS LAST`;
  // Few keys come twice: finding those first spares a window over every column of every row.
  await engine.stage(
    losers,
    `WITH repeated AS (SELECT ${key} FROM ${judged} WHERE NOT _bad GROUP BY ${key} HAVING count(*) > 1)
    SELECT _position, _batch_id, _source_file, _source_row FROM (
      SELECT _position, _batch_id, _source_file, _source_row,
        row_number() OVER (PARTITION BY ${key} ORDER BY ${order}) AS place
      FROM ${judged} JOIN repeated USING (${key}) WHERE NOT _bad)
    WHERE place > 1`,
    signal,
  );
}

/** The rows of the silver table: the record that holds each key. */
export function winners({ contract }: JudgedTable): string {
  const { judged, losers } = judgedNames(contract.name);
  return `(SELECT * FROM ${judged} j WHERE NOT _bad AND NOT EXISTS (SELECT 1 FROM ${losers} l WHERE l._position = j._position))`;
}

/**
 * Stages the rejects: the record as it came, where it stood, every rule it breaks, and the later valid record of its key
 * if one came. Runs the same transform again over the rejected records alone.
 */
export async function reject(engine: Engine, table: JudgedTable, signal: AbortSignal): Promise<void> {
  const { contract, source, sql, dates } = table;
  const { judged, rejects } = judgedNames(contract.name);
  const bronze = workName('rejected_bronze', contract.name);
  const parsed = workName('rejected_parsed', contract.name);
  const renamed = (text: string) =>
    text
      .replace(new RegExp(`\\bparsed\\.${source.name}\\b`, 'g'), parsed)
      .replace(new RegExp(`\\bbronze\\.${source.name}\\b`, 'g'), bronze);
  const place = ['_batch_id', '_source_file', '_source_row'];
  const at = (left: string, right: string) => place.map((name) => `${left}.${name} = ${right}.${name}`).join(' AND ');
  const bad = await countOf(engine, `${judged} WHERE _bad`);
  try {
    await engine.stage(
      bronze,
      `SELECT * FROM bronze.${source.name} b WHERE ${
        // mostly nothing is bad, and then bronze need not be read again
        bad === 0 ? 'FALSE' : `EXISTS (SELECT 1 FROM ${judged} j WHERE j._bad AND ${at('j', 'b')})`
      }`,
      signal,
    );
    await engine.define(parsed, renamed(parsedSelect(source)));
    const key = contract.key;
    const sameKey = key.map((name) => `j.${name} = r.${name}`).join(' AND ');
    await engine.stage(
      rejects,
      `WITH unread AS (SELECT ${place.join(', ')}, (${castFailures(source)}) AS cast_rules FROM ${bronze} b),
      judged_again AS (
        SELECT *, (${withDates(ruleList(contract, 'cast_rules'), dates)}) AS own_rules FROM (
          SELECT t.*, u.cast_rules FROM (${withDates(renamed(sql), dates)}) t JOIN unread u ON ${at('t', 'u')})),
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
      JOIN judged_again r ON ${at('r', 'b')}
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
