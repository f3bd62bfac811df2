import { LakeError } from '#errors';

/** The number in a URL's path. Throws `release.not_found`. */
export function releaseNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new LakeError('release.not_found', 'notFound', 'Releases are numbered from 1.');
}
