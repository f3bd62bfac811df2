import { createHash } from 'node:crypto';
import { PRIVATE_SCOPE } from './compile.js';
import type { Query } from './query.js';

/** Raised when the same question of the same tables gets other bytes than before. */
const FORM_VERSION = 1;

/** Scopes as far as answers depend on them. */
export type ScopeClass = 'all' | 'masked';

export function scopeClass(scopes: ReadonlySet<string>): ScopeClass {
  return scopes.has(PRIVATE_SCOPE) ? 'all' : 'masked';
}

/** All that the bytes of an answer depend on. */
export interface AnswerIdentity {
  /** `PinnedRelease.versionOf` the tables that the query reads. */
  readonly versions: string;
  readonly table: string;
  readonly query: Query;
  readonly scopes: ReadonlySet<string>;
  /** How the answer is written, in words of the door: `json`, `json,total,decimals=string`. */
  readonly form: string;
}

/** The answer's strong ETag, quoted; also its key in `AnswerCache`. */
export function answerKey({ versions, table, query, scopes, form }: AnswerIdentity): string {
  return strongEtag(JSON.stringify([FORM_VERSION, versions, table, query, scopeClass(scopes), form]));
}

/** The ETag of an answer that follows from `text` alone, or is it; quoted. */
export function strongEtag(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
}
