import { LakeError } from '#errors';

/** Every store refuses a path that could leave its root or mean two things. */
export function checkPath(path: string): string {
  const bad = path === '' || path.startsWith('/') || path.includes('\0') || path.split('/').some(isDots);
  if (!bad) return path;
  throw new LakeError('storage.bad_path', 'invalid', `'${path}' is no object path: use names and /, no '..'.`, {
    at: { path },
  });
}

/** A prefix is the beginning of paths: its folders obey the same rules, its last part may be cut anywhere. */
export function checkPrefix(prefix: string): string {
  const folders = prefix.slice(0, prefix.lastIndexOf('/'));
  if (prefix.includes('/')) checkPath(folders);
  return prefix;
}

export function notFound(store: string, path: string, cause?: unknown): LakeError {
  return new LakeError('storage.not_found', 'notFound', `${path} is not in ${store}.`, { at: { path }, cause });
}

/** The order of every listing: bytes of the UTF-8 path. */
export function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function isDots(part: string): boolean {
  return part === '..' || part === '.' || part === '';
}
