import type { TableContract } from '#contracts';
import type { Row, Value } from '#engine';
import { invalidQuery } from './problem.js';

const NULL_PART = '%00';

/** A row's key as REST and OData write it, before the encoding of URLs: parts joined by `~`. */
export function restKey(row: Row, contract: TableContract): string {
  return contract.key.map((column) => toPart(row[column] ?? null)).join('~');
}

/**
 * The `where` of a query for the row with that key (already decoded as part of a URL). Throws `query.invalid` if the
 * key does not have the table's parts; what the parts are is left to `parseQuery`.
 */
export function whereKey(text: string, contract: TableContract): Readonly<Record<string, object>> {
  const parts = text.split('~');
  if (parts.length !== contract.key.length) {
    throw badKey(`the key of this table is ${contract.key.join('~')}`);
  }
  return Object.fromEntries(
    contract.key.map((column, n) => {
      const value = fromPart(parts[n] ?? '');
      return [column, value === null ? { null: true } : { eq: value }];
    }),
  );
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
