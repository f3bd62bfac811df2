import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { LakeError } from '#errors';
import type { TableContract } from '#contracts';
import type { Position } from './keyset.js';
import { invalidQuery } from './problem.js';
import type { Query } from './query.js';

/** Where a reader stands: in a release, in the rows of a query. */
export interface Cursor {
  readonly release: number;
  /** Of the query, whatever page of it. */
  readonly digest: string;
  readonly position: Position;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A cursor as text for URLs. It can be neither read nor changed without the secret: a place in an order by name holds a
 * name. Equal cursors have equal texts (the nonce follows from the content), so that answers stay the same bytes.
 */
export function sealCursor({ release, digest, position }: Cursor, secret: string): string {
  const plain = JSON.stringify([release, digest, position]);
  const nonce = createHmac('sha256', keyFor('nonce', secret)).update(plain).digest().subarray(0, NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyFor('seal', secret), nonce);
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

/** Throws `query.invalid` for any text that `sealCursor` did not make with this secret. */
export function openCursor(text: string, secret: string): Cursor {
  const bytes = Buffer.from(text, 'base64url');
  // one cursor has one text: Buffer skips what is not base64url
  if (bytes.length <= NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) throw badCursor();
  const decipher = createDecipheriv('aes-256-gcm', keyFor('seal', secret), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    const body = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    const plain = Buffer.concat([body, decipher.final()]).toString('utf8');
    const [release, digest, position] = JSON.parse(plain) as [number, string, Position];
    return { release, digest, position };
  } catch {
    throw badCursor();
  }
}

/**
 * What two pages of one query have in common: all of it but limit, direction and cursor, and the table's key, which its
 * order ends in.
 */
export function queryDigest(query: Query, contract: TableContract): string {
  const { where, sort } = query;
  const { name, version, key } = contract;
  const own =
    query.kind === 'rows'
      ? query.anySelect === true
        ? []
        : [query.select]
      : [query.group, query.measures.map((m) => [m.name, m.measure, m.path ?? null]), query.having];
  const text = JSON.stringify([
    [name, version, key],
    query.kind,
    where,
    sort.map((s) => [s.path, s.descending]),
    ...own,
  ]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** Throws `cursor-mismatch` unless the cursor goes on with the query, answered from a release of that number. */
export function requireFit(cursor: Cursor, query: Query, contract: TableContract, release: number): void {
  // another selection may read other tables: none of them may have changed after the cursor's release
  const isRelease =
    query.kind === 'rows' && query.anySelect === true ? release <= cursor.release : release === cursor.release;
  if (cursor.digest !== queryDigest(query, contract) || !isRelease) throw cursorMismatch();
}

export function cursorMismatch(): LakeError {
  return new LakeError(
    'cursor-mismatch',
    'invalid',
    'The cursor belongs to another query. Send it with the query that it came from, or leave it out to start anew.',
  );
}

function keyFor(purpose: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`shopsmart cursor ${purpose}`).digest();
}

function badCursor(): LakeError {
  const detail = 'this is no cursor of ours: send the cursor of an earlier answer as it came';
  return invalidQuery([{ pointer: '/cursor', code: 'bad-cursor', detail }]);
}
