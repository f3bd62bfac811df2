/** Coarse on purpose: what the reader of the error can do about it. */
export type ErrorKind = 'invalid' | 'notFound' | 'forbidden' | 'conflict' | 'unavailable' | 'corrupt';

/** Where it happened; every part that is known. */
export interface ErrorPlace {
  readonly table?: string;
  readonly version?: number;
  readonly release?: number;
  readonly path?: string;
  readonly line?: number;
  readonly row?: number;
  readonly field?: string;
}

interface ErrorDetail {
  readonly at?: ErrorPlace;
  readonly cause?: unknown;
}

/**
 * The only error class of the product. `code` is public and listed in docs/errors.md; `message` says what happened,
 * where, and what to do next, and may change at any time.
 */
export class LakeError extends Error {
  readonly at: ErrorPlace;

  constructor(
    readonly code: string,
    readonly kind: ErrorKind,
    message: string,
    detail: ErrorDetail = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'LakeError';
    this.at = detail.at ?? {};
  }
}
