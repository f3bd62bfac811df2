import { z } from 'zod';
import { LakeError } from '#errors';

export const APP_ID = 'shopsmart';

const stagedSchema = z.object({ path: z.string(), digest: z.string() }).readonly();

const tableSchema = z
  .object({
    /** The release that last changed the table. */
    release: z.int().positive(),
    /** That release's, which outlive its record; absent where it was published before they were written. */
    as_of: z.iso.date().optional(),
    published_at: z.iso.datetime().optional(),
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
    /** Of a rollback: the release whose state this one publishes again. */
    rollback_to: z.int().positive().optional(),
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
export const SEALED = '_releases/sealed/';
export const LATEST_HINT = '_releases/_latest';
export const DROPPED = '_releases/dropped/';
export const PROOFS = '_releases/proofs/';

export function releasePath(number: number): string {
  return `${RELEASES}${fileName(number)}`;
}

/** Where the record of a dropped release is until nobody reads it any more. */
export function droppedPath(number: number): string {
  return `${DROPPED}${fileName(number)}`;
}

/** What was proved of a release. */
export function proofPath(number: number): string {
  return `${PROOFS}${fileName(number)}`;
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

function fileName(number: number): string {
  return `${String(number).padStart(20, '0')}.json`;
}

/** Tables whose state this very release brought. */
export function changedTables(release: Release): readonly string[] {
  return Object.keys(release.tables).filter((table) => release.tables[table]?.release === release.number);
}
