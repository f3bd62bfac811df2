import type { RequestMistake } from './request-error.js';

interface Asked {
  /** Of the URL; it goes before the header. */
  readonly parameter: string | undefined;
  readonly header: string | string[] | undefined;
}

/** The release that a request names, by `?release=` or `X-Release`; undefined is the newest. */
export function askedRelease({ parameter, header }: Asked, mistakes: RequestMistake[]): number | undefined {
  const text = parameter ?? header;
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^[1-9]\d{0,14}$/.test(text)) return Number(text);
  mistakes.push({
    parameter: parameter === undefined ? 'X-Release' : 'release',
    code: 'wrong-type',
    detail: 'expected the number of a release, as GET /v1/releases lists them',
  });
  return undefined;
}
