import type { TableContract } from '#contracts';
import type { Row, Value } from '#engine';
import { invalidQuery } from './problem.js';

const NULL_PART = '%00';

/** A row's key as REST and OData write it, before the encoding of URLs: parts joined by `~`. */
export function restKey(row: Row, contract: TableContract): string {
  return joinKey(contract.key.map((column) => row[column] ?? null));
}

/**
 * The `where` of a query for the row with that key (already decoded as part of a URL). Throws `query.invalid` if the
 * key does not have the table's parts; what the parts are is left to `parseQuery`.
 */
export function whereKey(text: string, contract: TableContract): Readonly<Record<string, object>> {
  return Object.fromEntries(
    keyParts(text, contract).map(([column, value]) => [column, value === null ? { null: true } : { eq: value }]),
  );
}

/** Each column of the key with its part as text. Throws `query.invalid` if the key does not have the table's parts. */
export function keyParts(text: string, contract: TableContract): readonly (readonly [string, string | null])[] {
  const parts = text.split('~');
  if (parts.length !== contract.key.length) {
    throw badKey(`the key of this table is ${contract.key.join('~')}`);
  }
  return contract.key.map((column, n) => [column, fromPart(parts[n] ?? '')]);
}

/** The same of the key's values in order. */
export function joinKey(values: readonly Value[]): string {
  return values.map(toPart).join('~');
}

function toPart(value: Value): string {
  if (value === null) return NULL_PART;
  return String(value).replaceAll('%', '%25').replaceAll('~', '%7E');
}

function fromPart(part: string): string | null {
  // written `%00` into a URL as it is, decoding has made it a NUL
  if (part === NULL_PART || part === '\0') return null;
  if (/%(?!25|7e)/i.test(part)) throw badKey('within a part, ~ is %7E and % is %25; %00 alone is NULL');
  return part.replace(/%7e/gi, '~').replaceAll('%25', '%');
}

function badKey(detail: string) {
  return invalidQuery([{ pointer: '/key', code: 'bad-key', detail }]);
}
