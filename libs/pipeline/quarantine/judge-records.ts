import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { castFailures, parsedSelect, ruleList } from '#contracts';
import { splitSelect } from '../load/bronze-sql.js';
import { writeRecordLines } from '../load-repairs.js';
import type { BronzeRecord } from '../repair.js';
import { literal, withDates } from '../sql-name.js';
import type { JudgedSource, Workbench } from './workbench.js';

/** What a silver table would say of a record. */
export interface Verdict {
  /** Rules that it breaks, in the quarantine's order; none: it would be taken. */
  readonly rules: readonly string[];
  /** Each field as its parser reads it, as text: times in RFC 3339, decimals with their scale. */
  readonly parsed: Readonly<Record<string, string | null>>;
}

/** Judges records by the rules of their table, as of the release's date; in the order given. Changes nothing. */
export async function judgeRecords(
  { engine, release, workDir }: Workbench,
  { source, definition }: JudgedSource,
  records: readonly BronzeRecord[],
): Promise<readonly Verdict[]> {
  const id = randomUUID().replaceAll('-', '');
  const name = (role: string) => `work.tried_${role}_${id}`;
  const [bronze, parsed, loads] = [name('bronze'), name('parsed'), name('loads')];
  const renamed = (sql: string) =>
    sql
      .replace(new RegExp(`\\bparsed\\.${source.name}\\b`, 'g'), parsed)
      .replace(new RegExp(`\\bbronze\\.${source.name}\\b`, 'g'), bronze)
      .replace(/\bbronze\.loads\b/g, loads);
  const dates = { as_of: release.as_of };
  const path = 'tried';
  const file = join(workDir, `tried-${id}.ndjson`);
  try {
    await mkdir(workDir, { recursive: true });
    const longest = await writeRecordLines(file, source, records);
    const stamp = { path, loadedAt: release.published_at, batchId: 1, asOf: release.as_of };
    await engine.stage(bronze, splitSelect(source, file, longest, stamp));
    await engine.stage(
      loads,
      `SELECT ${literal(source.name)} AS source, CAST(1 AS BIGINT) AS load, ${literal(path)} AS path, CAST(0 AS BIGINT) AS row_offset`,
    );
    await engine.define(parsed, renamed(parsedSelect(source)));
    const fields = Object.keys(source.fields);
    const rows = await engine.query(
      `SELECT r.rules, ${fields.map((field) => `p.${field} AS parsed_${field}`).join(', ')}
      FROM (
        SELECT _source_row, list_concat(cast_rules, (${withDates(ruleList(definition.contract, 'cast_rules'), dates)})) AS rules
        FROM (SELECT t.*, u.cast_rules FROM (${withDates(renamed(definition.sql), dates)}) t
          JOIN (SELECT _source_row, (${castFailures(source)}) AS cast_rules FROM ${bronze} b) u ON u._source_row = t._source_row)) r
      JOIN ${parsed} p ON p._source_row = r._source_row
      ORDER BY r._source_row ASC NULLS FIRST`,
      [],
      { maxRows: records.length },
    );
    return rows.map((row) => ({
      rules: row['rules'] as readonly string[],
      parsed: Object.fromEntries(
        fields.map((field) => {
          const value = row[`parsed_${field}`] ?? null;
          return [field, value === null ? null : String(value)];
        }),
      ),
    }));
  } finally {
    await engine.drop(parsed);
    await engine.drop(bronze);
    await engine.drop(loads);
    await rm(file, { force: true });
  }
}
