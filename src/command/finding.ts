import { LakeError } from '#errors';

/** One line of `shopsmart doctor`. */
export interface Finding {
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly what: string;
  readonly says: string;
}

export function failure(what: string, error: unknown, verdict: 'warn' | 'fail' = 'fail'): Finding {
  const says = error instanceof LakeError ? `${error.message} (${error.code})` : String(error);
  return { verdict, what, says };
}
