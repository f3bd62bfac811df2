import { z } from 'zod';
import { LakeError } from '#errors';

export const APP_ID = 'shopsmart';

const stagedSchema = z.object({ path: z.string(), digest: z.string() }).readonly();

const tableSchema = z
  .object({
    /** The release that last changed the table. */
    release: z.int().positive(),
    /** Version of the table's log that the staged actions stand on; -1 when they create the table. */
    base: z.int().min(-1),
    /** Absent when the state is the base itself. */
    staged: stagedSchema.optional(),
    rows: z.int().min(0),
    /** Of contract + SQL + prelude. */
    logic: z.string(),
    schema: z.string(),
  })
  .readonly();

const withdrawnSchema = z.object({ source: z.string(), load: z.int() }).readonly();

const checkSchema = z
  .object({
    table: z.string(),
    name: z.string(),
    severity: z.enum(['error', 'warn']),
    passed: z.boolean(),
    failing_rows: z.int().min(0),
  })
  .readonly();

const releaseSchema = z
  .object({
    format: z.literal(1),
    number: z.int().positive(),
    parent: z.int().positive().nullable(),
    run_id: z.string(),
    /** One a publishing attempt: tells our own record from a winner's after a lost response. */
    nonce: z.string(),
    published_at: z.iso.datetime(),
    as_of: z.iso.date(),
    mode: z.enum(['full', 'incremental', 'stream', 'rollback']),
    tables: z.record(z.string(), tableSchema).readonly(),
    /** Last load consumed, by source. */
    loads: z.record(z.string(), z.int()).readonly(),
    withdrawn: z.array(withdrawnSchema).readonly(),
    /** Next event offset, by partition; text, as some logs' offsets are. */
    offsets: z.record(z.string(), z.string()).readonly(),
    /** Of the tables that this release changed. */
    checks: z.array(checkSchema).readonly(),
    /** Named row counts of the tables that this release changed. */
    counts: z.record(z.string(), z.record(z.string(), z.int().nullable()).readonly()).readonly(),
    complete_until: z.record(z.string(), z.string().nullable()).readonly(),
    /** Path of the run report. */
    report: z.string().nullable(),
  })
  .readonly();

/** One immutable state of all tables: `_releases/<20 digits>.json`. */
export type Release = z.infer<typeof releaseSchema>;
export type ReleaseTable = z.infer<typeof tableSchema>;
export type ReleaseCheck = z.infer<typeof checkSchema>;
export type WithdrawnLoad = z.infer<typeof withdrawnSchema>;

export const RELEASES = '_releases/';
export const STAGED = '_releases/staged/';
export const LATEST_HINT = '_releases/_latest';

export function releasePath(number: number): string {
  return `${RELEASES}${String(number).padStart(20, '0')}.json`;
}

/** The number in a record's path; undefined for whatever else lies beside the records. */
export function releaseNumber(path: string): number | undefined {
  const digits = /^_releases\/(\d{20})\.json$/.exec(path)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function encodeRelease(release: Release): Uint8Array {
  return Buffer.from(`${JSON.stringify(release, undefined, 1)}\n`);
}

export function parseRelease(bytes: Uint8Array, path: string): Release {
  const fail = (reason: string, cause?: unknown) =>
    new LakeError(
      'release.corrupt',
      'corrupt',
      `${path} is no release record: ${reason}. Restore the file from a backup, or serve an earlier release.`,
      { at: { path }, cause },
    );
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw fail('it is not JSON', cause);
  }
  const parsed = releaseSchema.safeParse(json);
  if (!parsed.success) throw fail(z.prettifyError(parsed.error).replaceAll('\n', ' '), parsed.error);
  if (parsed.data.number !== releaseNumber(path)) throw fail(`it says it is release ${parsed.data.number}`);
  return parsed.data;
}

/** Tables whose state this very release brought. */
export function changedTables(release: Release): readonly string[] {
  return Object.keys(release.tables).filter((table) => release.tables[table]?.release === release.number);
}
