import type { Source } from '#contracts';
import { indexFields, parseJsonRecord } from '../load/json-record.js';
import type { RecordView } from './show-record.js';

/**
 * A record's text for somebody who may not see who is in it: fields that identify a person are null, and so is what the
 * contract does not name. Null where the fields cannot be told apart.
 */
export function maskedText(source: Source, text: string): string | null {
  const { pii = [] } = source;
  if (pii.length === 0) return text;
  const parsed = parseJsonRecord(text, indexFields(source.fields));
  if (parsed === undefined) return null;
  const names = Object.keys(source.fields);
  return JSON.stringify(
    Object.fromEntries(names.map((name, at) => [name, pii.includes(name) ? null : (parsed.fields[at] ?? null)])),
  );
}

export type MaskedView = Omit<RecordView, 'record' | 'repaired'> & {
  readonly record: string | null;
  readonly repaired: (Omit<NonNullable<RecordView['repaired']>, 'after'> & { readonly after: string | null }) | null;
};

export function maskedView(source: Source, view: RecordView): MaskedView {
  const { pii = [] } = source;
  const { repaired } = view;
  return {
    ...view,
    record: maskedText(source, view.record),
    fields: view.fields.map((field) => (pii.includes(field.field) ? { ...field, text: null, parsed: null } : field)),
    repaired: repaired === null ? null : { ...repaired, after: maskedText(source, repaired.after) },
  };
}
