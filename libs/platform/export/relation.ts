import { LakeError } from '#errors';

/** What a user calls a table, as the relation it is. A name without layer is gold. Throws `release.no_table`. */
export function resolveRelation(name: string, known: readonly string[]): string {
  const dotted = name
    .trim()
    .toLowerCase()
    .replaceAll('/', '.')
    .replace(/^bronze\.quarantine\./, 'quarantine.');
  const relation = dotted.includes('.') ? dotted : `gold.${dotted}`;
  if (known.includes(relation)) return relation;
  const message = `there is no table '${name}'. There are: ${known.join(', ')}`;
  throw new LakeError('release.no_table', 'notFound', message);
}
