import type { Source } from '#contracts';
import { LakeError } from '#errors';
import { indexFields, parseJsonRecord } from '../load/json-record.js';
import type { BronzeRecord } from '../repair.js';

/** One field, or one inside of a JSON field, that gets another value. */
export interface FieldChange {
  /** `address.city` */
  readonly field: string;
  /** A text (empty is none), or the name of another field whose text it takes. */
  readonly to: { readonly text: string } | { readonly copyOf: string };
}

/** `field=value`; `field=` empties, `field=@other` copies. Throws `quarantine.bad_change`. */
export function parseChange(text: string): FieldChange {
  const at = text.indexOf('=');
  if (at > 0) {
    const [field, value] = [text.slice(0, at), text.slice(at + 1)];
    return { field, to: value.startsWith('@') ? { copyOf: value.slice(1) } : { text: value } };
  }
  throw new LakeError('quarantine.bad_change', 'invalid', `'${text}' is no change: write field=value`, {
    at: { field: 'set' },
  });
}

/** The record with the changes made, in order; pure. Throws `quarantine.unknown_field` and `quarantine.bad_change`. */
export function changeRecord(source: Source, record: BronzeRecord, changes: readonly FieldChange[]): BronzeRecord {
  const fields: Record<string, string | null> = { ...record.fields };
  for (const { field, to } of changes) {
    const [name = '', ...path] = field.split('.');
    assertField(source, name, field);
    if ('copyOf' in to) assertField(source, to.copyOf, to.copyOf);
    const text = 'copyOf' in to ? (fields[to.copyOf] ?? null) : to.text === '' ? null : to.text;
    fields[name] = path.length === 0 ? text : changeInside(source, fields[name] ?? null, { field, path, text });
  }
  return completed(source, fields, record.rescued);
}

/**
 * A whole record in the place of another, which is how one that could not be told apart into fields is repaired. Throws
 * `quarantine.bad_record` and `quarantine.unknown_field`.
 */
export function readRecord(source: Source, json: string, before: BronzeRecord): BronzeRecord {
  const parsed = parseJsonRecord(json, indexFields(source.fields));
  if (parsed === undefined) {
    throw new LakeError('quarantine.bad_record', 'invalid', 'the record is not one JSON object', {
      at: { field: 'record' },
    });
  }
  const known = before.rescued === null ? [] : Object.keys(JSON.parse(before.rescued) as object);
  for (const name of parsed.rescued === null ? [] : Object.keys(JSON.parse(parsed.rescued) as object)) {
    if (!known.includes(name)) assertField(source, name, name);
  }
  const names = Object.keys(source.fields);
  return completed(
    source,
    Object.fromEntries(names.map((name, at) => [name, parsed.fields[at] ?? null])),
    parsed.rescued,
  );
}

export function isSameRecord(source: Source, a: BronzeRecord, b: BronzeRecord): boolean {
  const texts = ({ fields, rescued }: BronzeRecord) =>
    JSON.stringify([...Object.keys(source.fields).map((name) => fields[name] ?? null), rescued]);
  return texts(a) === texts(b);
}

/** Bronze keeps every record of a JSON source as a whole, too. */
function completed(source: Source, fields: BronzeRecord['fields'], rescued: string | null): BronzeRecord {
  return { fields, rescued, record: source.format === 'json' ? recordJson(source, fields, rescued) : null };
}

function recordJson(source: Source, fields: BronzeRecord['fields'], rescued: string | null): string {
  const members = Object.entries(source.fields).map(([name, { kind }]) => {
    const text = fields[name] ?? null;
    const isPlain = kind === 'integer' || kind === 'decimal' ? NUMBER : kind === 'boolean' ? BOOLEAN : undefined;
    // text that is JSON by its field's kind stays so; whatever else came is a string
    const asIs = text !== null && (isPlain === undefined ? kind === 'json' && isJson(text) : isPlain.test(text));
    return `${JSON.stringify(name)}:${asIs ? text : JSON.stringify(text)}`;
  });
  const others = rescued === null ? [] : [rescued.slice(1, -1)];
  return `{${[...members, ...others.filter((text) => text !== '')].join(',')}}`;
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;
const BOOLEAN = /^(true|false)$/;

function changeInside(
  source: Source,
  json: string | null,
  { field, path, text }: { readonly field: string; readonly path: readonly string[]; readonly text: string | null },
): string {
  const [name = ''] = field.split('.');
  const whole: unknown = json === null ? {} : isJson(json) ? JSON.parse(json) : undefined;
  if (source.fields[name]?.kind !== 'json' || !isObject(whole)) {
    throw new LakeError(
      'quarantine.bad_change',
      'invalid',
      `${name} is no JSON object, so there is no ${field}: set ${name}`,
      {
        at: { field },
      },
    );
  }
  let inner = whole;
  for (const part of path.slice(0, -1)) {
    const next = Object.hasOwn(inner, part) ? inner[part] : undefined;
    inner = inner[part] = isObject(next) ? next : {};
  }
  const last = path.at(-1) ?? '';
  // a number or a list stays one
  const was = Object.hasOwn(inner, last) ? inner[last] : null;
  const keepsType = text !== null && was !== null && typeof was !== 'string' && isJson(text);
  inner[last] = keepsType ? JSON.parse(text) : text;
  return JSON.stringify(whole);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function assertField(source: Source, name: string, given: string): void {
  if (Object.hasOwn(source.fields, name)) return;
  throw new LakeError(
    'quarantine.unknown_field',
    'invalid',
    `records of ${source.name} have no field ${given}: there are ${Object.keys(source.fields).join(', ')}`,
    { at: { field: given } },
  );
}
