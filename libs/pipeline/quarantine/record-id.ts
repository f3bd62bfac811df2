import { LakeError } from '#errors';

/** Where a record stands in the one order there is: its source's load, and its ordinal in that load from 1. */
export interface RecordId {
  readonly source: string;
  readonly load: number;
  readonly ordinal: number;
}

/** `orders:3:17`: what people type, and one segment of a URL. */
export function formatRecordId({ source, load, ordinal }: RecordId): string {
  return `${source}:${load}:${ordinal}`;
}

/** Takes `orders/3/17` too. Throws `quarantine.bad_id`. */
export function parseRecordId(text: string): RecordId {
  const [, source, load, ordinal] = /^(\w{1,100})[:/](\d{1,9})[:/](\d{1,9})$/.exec(text) ?? [];
  if (source !== undefined) return { source, load: Number(load), ordinal: Number(ordinal) };
  throw new LakeError(
    'quarantine.bad_id',
    'invalid',
    `'${text.slice(0, 100)}' is no id of a quarantined record: it is SOURCE:LOAD:ORDINAL, as orders:3:17`,
    { at: { field: 'id' } },
  );
}
