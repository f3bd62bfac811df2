import { createHash } from 'node:crypto';
import { z } from 'zod';

const originalSchema = z
  .object({
    load: z.int().positive(),
    file: z.string(),
    row: z.int().positive(),
    line: z.int().positive().nullable(),
    loaded_at: z.string(),
    as_of: z.string(),
  })
  .readonly();

const repairedSchema = z
  .object({
    /** As the workbench names the original: `orders:3:17`. */
    id: z.string(),
    original: originalSchema,
    /** Rules that it broke. */
    rules: z.array(z.string()).readonly(),
    /** As the quarantine had it when the repair was drafted. */
    superseded_by: z.string().nullable(),
    /** The record as it came, or as an earlier repair left it. */
    before: z.string(),
    /** As bronze keeps it: the fields that the contract names as text, the others as JSON, the whole of a JSON source. */
    after: z
      .object({
        fields: z.record(z.string(), z.string().nullable()).readonly(),
        rescued: z.string().nullable(),
        record: z.string().nullable(),
      })
      .readonly(),
  })
  .readonly();

export const repairSchema = z
  .object({
    format: z.literal(1),
    id: z.string(),
    source: z.string(),
    /** In whose quarantine the records were: `silver/orders`. */
    table: z.string(),
    by: z.string(),
    at: z.string(),
    reason: z.string().nullable(),
    records: z.array(repairedSchema).readonly(),
  })
  .readonly();

/** Corrected records of one source that are replayed together: a load of their own. Stored as `_repairs/<id>.json`. */
export type Repair = z.infer<typeof repairSchema>;
export type RepairedRecord = z.infer<typeof repairedSchema>;
/** What is known of a record once it is told apart into fields. */
export type BronzeRecord = RepairedRecord['after'];

export const REPAIR_FOLDER = '_repairs/';

/** Where a repair lies in the lake; the file of its records, as far as bronze and the ledger are concerned. */
export function repairPath(id: string): string {
  return `${REPAIR_FOLDER}${id}.json`;
}

export function encodeRepair(repair: Repair): Uint8Array {
  return Buffer.from(`${JSON.stringify(repair)}\n`);
}

export function repairDigest(repair: Repair): string {
  return createHash('sha256').update(encodeRepair(repair)).digest('hex');
}
