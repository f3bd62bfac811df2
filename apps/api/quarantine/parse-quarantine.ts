import { z } from 'zod';
import { parseChange, recordStates, type FieldChange, type RecordFilter } from '#pipeline';
import { pointerAt } from '#serving';
import type { ParameterReader } from '../edge/parameters.js';
import { invalidRequest } from '../edge/request-error.js';

const FILTERS = ['table', 'source', 'rule', 'file', 'run', 'text', 'state'] as const;
export const LIST_PARAMETERS = [...FILTERS, 'limit', 'cursor'];

/** PostgreSQL stores neither NUL nor half a character. */
const STORABLE = /^[^\0\p{Surrogate}]*$/u;
const ANY = /^[^\0]{1,1000}$/su;
const STATE = new RegExp(`^(${recordStates.join('|')})$`);

/** What of the quarantine a URL asks for; mistakes stay with the reader. */
export function readFilter(parameters: ParameterReader): RecordFilter {
  const read = FILTERS.map((name) => [name, parameters.text(name, name === 'state' ? STATE : ANY)] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

const reason = z.string().max(1_000).regex(STORABLE, 'expected Unicode text without NUL').optional();
const values = z.record(z.string().min(1).max(200), z.union([z.string().max(1_000_000), z.null()]));
const change = {
  /** By field, or by the path of what is inside a JSON field; null or empty text empties it. */
  set: values.optional(),
  /** The name of the field whose text it takes, by field. */
  copy: z.record(z.string().min(1).max(200), z.string().min(1).max(200)).optional(),
  reason,
  force: z.boolean().optional(),
};
const filter = z.string().min(1).max(1_000).optional();

export const repairBody = z.strictObject({ ...change, record: z.record(z.string(), z.unknown()).optional() });
export const repairByRuleBody = z.strictObject({
  ...change,
  rule: z.string().min(1).max(200),
  ...{ table: filter, file: filter, run: filter, text: filter },
});
export const replayBody = z.strictObject({ repairs: z.array(z.string().max(50)).max(1_000).optional(), reason });
export const undoBody = z.strictObject({ repair: z.string().max(50), reason });
export const reasonBody = z.strictObject({ reason });

/** Throws `request.invalid` with every mistake of a body. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw invalidRequest(
    parsed.error.issues.flatMap(({ path, message, ...issue }) => {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
      if (unknown.length === 0) return [{ pointer: pointerOf(path), code: 'wrong-type', detail: message }];
      const detail = 'there is no such property';
      return unknown.map((key) => ({ pointer: pointerOf([...path, key]), code: 'unknown-property', detail }));
    }),
  );
}

/** Changes of a body, those of `set` first. */
export function changesOf({
  set = {},
  copy = {},
}: Pick<z.infer<typeof repairBody>, 'set' | 'copy'>): readonly FieldChange[] {
  return [
    ...Object.entries(set).map(([field, text]): FieldChange => ({ field, to: { text: text ?? '' } })),
    ...Object.entries(copy).map(([field, from]) => parseChange(`${field}=@${from}`)),
  ];
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((pointer, part) => pointerAt(pointer, String(part)), '');
}
