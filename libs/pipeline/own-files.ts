import type { Add } from '#delta';

/** The files of a table's state that another state does not have: rows of shared files are the same in both. */
export function ownFiles<F extends { readonly add: Add }>(
  own: readonly F[],
  other: readonly { readonly add: Add }[],
): readonly F[] {
  const shared = new Set(other.map(({ add }) => add.path));
  return own.filter(({ add }) => !shared.has(add.path));
}
