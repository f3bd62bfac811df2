import { z } from 'zod';
import type { Catalogue } from '#contracts';
import type { RunRequest } from '#platform';
import { pointerAt } from '#serving';
import { invalidRequest } from '../edge/request-error.js';

const MAX_REASON = 1_000;
const MAX_TABLES = 100;
const MAX_KEY = 255;
/** PostgreSQL stores neither NUL nor half a character. */
const STORABLE = /^[^\0\p{Surrogate}]*$/u;

/**
 * Reads the body of POST /v1/admin/runs; no body asks for an ordinary run. A gold table may go without its layer. Throws
 * `request.invalid` with every mistake.
 */
export function parseRunRequest(body: unknown, catalogue: Catalogue): RunRequest {
  const table = z
    .string()
    .transform((name) => (name.includes('/') ? name : `gold/${name}`))
    .refine((name) => catalogue.byName.has(name), `expected one of ${[...catalogue.byName.keys()].join(', ')}`);
  const schema = z.strictObject({
    as_of: z.iso.date('expected a date, as 2026-01-31').optional(),
    full: z.boolean().optional(),
    tables: z.array(table).max(MAX_TABLES).optional(),
    reason: z.string().max(MAX_REASON).regex(STORABLE, 'expected Unicode text without NUL').optional(),
  });
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) {
    const given = Object.entries(parsed.data).filter(([, value]) => value !== undefined);
    return Object.fromEntries(given);
  }
  throw invalidRequest(
    parsed.error.issues.flatMap(({ path, message, ...issue }) => {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
      if (unknown.length === 0) return [{ pointer: pointerOf(path), code: 'wrong-type', detail: message }];
      const detail = 'a run has as_of, full, tables, reason';
      return unknown.map((key) => ({ pointer: pointerOf([...path, key]), code: 'unknown-property', detail }));
    }),
  );
}

/** The header `Idempotency-Key`, if there is one. Throws `request.invalid`. */
export function parseIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && new RegExp(`^[\\x21-\\x7e]{1,${MAX_KEY}}$`).test(header)) return header;
  const detail = `expected once, 1 to ${MAX_KEY} visible ASCII characters`;
  throw invalidRequest([{ parameter: 'Idempotency-Key', code: 'wrong-type', detail }]);
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((pointer, part) => pointerAt(pointer, String(part)), '');
}
