import { z } from 'zod';
import { LakeError } from '#errors';
import { proofPath } from '#releases';
import type { ObjectStore } from '#storage';

const valueSchema = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string().nullable()).readonly()]);

const differenceSchema = z
  .object({
    /** `missing`: the release lacks the row. `unexpected`: it should not have it. `changed`: it has it otherwise. */
    kind: z.enum(['missing', 'unexpected', 'changed']),
    key: z.record(z.string(), valueSchema).readonly(),
    /** Of a changed row, each column that differs; what identifies a person is `***`. */
    columns: z
      .array(z.object({ column: z.string(), release: valueSchema, rebuilt: valueSchema }).readonly())
      .readonly(),
  })
  .readonly();

const tableSchema = z
  .object({
    table: z.string(),
    /**
     * `other_rules`: its rules, or those of a table that it follows from, are no longer the release's, and the rows
     * differ: that says nothing against the release. `not_compared`: a file that is needed is missing.
     */
    verdict: z.enum(['same', 'differs', 'other_rules', 'not_compared']),
    /** Whether the rows were rebuilt by the rules that the release was made with. */
    rules: z.enum(['same', 'changed']),
    rows: z.int().min(0),
    rebuilt_rows: z.int().min(0),
    missing: z.int().min(0),
    unexpected: z.int().min(0),
    changed: z.int().min(0),
    /** The first in key order. */
    first: z.array(differenceSchema).readonly(),
  })
  .readonly();

const checkSchema = z
  .object({
    /** Null for one of the whole lake. */
    table: z.string().nullable(),
    name: z.string(),
    severity: z.enum(['error', 'warn']),
    passed: z.boolean(),
    /** Rows, files or records that contradict it. */
    failing: z.int().min(0),
    detail: z.string().nullable(),
  })
  .readonly();

const proofSchema = z
  .object({
    format: z.literal(1),
    release: z.int().positive(),
    /** `unproven`: nothing speaks against the release, but not every table could be compared by its own rules. */
    verdict: z.enum(['ok', 'differs', 'unproven']),
    as_of: z.iso.date(),
    proved_at: z.iso.datetime(),
    seconds: z.number().min(0),
    tables: z.array(tableSchema).readonly(),
    checks: z.array(checkSchema).readonly(),
  })
  .readonly();

/** What a rebuild from bronze says of a release: `_releases/proofs/<20 digits>.json`. */
export type Proof = z.infer<typeof proofSchema>;
export type ProvedTable = z.infer<typeof tableSchema>;
export type ProofCheck = z.infer<typeof checkSchema>;
export type RowDifference = z.infer<typeof differenceSchema>;

/** The last proof wins: it is what is known now. */
export async function writeProof(store: ObjectStore, proof: Proof): Promise<void> {
  await store.put(proofPath(proof.release), Buffer.from(`${JSON.stringify(proof, undefined, 1)}\n`));
}

/** The last proof of a release; undefined while it has none. */
export async function readProof(store: ObjectStore, release: number): Promise<Proof | undefined> {
  const path = proofPath(release);
  const bytes = await store.get(path).catch((error: unknown) => {
    if (error instanceof LakeError && error.kind === 'notFound') return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  try {
    return proofSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    const message = `${path} is no proof of a release; run \`shopsmart prove --release ${release}\` to write it anew.`;
    throw new LakeError('release.corrupt', 'corrupt', message, { at: { path }, cause });
  }
}

/** What lists of releases show of a proof. */
export function proofSummary({ verdict, proved_at, tables, checks }: Proof) {
  return {
    verdict,
    proved_at,
    rows_compared: tables.reduce((sum, { rows }) => sum + rows, 0),
    rows_differing: tables.reduce((sum, { missing, unexpected, changed }) => sum + missing + unexpected + changed, 0),
    checks_failed: checks.filter(({ passed, severity }) => !passed && severity === 'error').length,
  };
}
