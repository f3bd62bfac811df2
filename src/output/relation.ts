import { LakeError } from '#errors';
import { relationOf } from '#pipeline';
import { usageError } from '../exit-code.js';

/** Tables of a release as SQL names them: `gold/fact_sales` is `gold.fact_sales`, `bronze/quarantine/orders` is `quarantine.orders`. */
export function relationNames(tables: readonly string[]): readonly string[] {
  return tables.map(relationOf).sort();
}

/** What a user calls a table, as the relation it is. A name without layer is gold. */
export function resolveRelation(name: string, known: readonly string[]): string {
  const dotted = name
    .trim()
    .toLowerCase()
    .replaceAll('/', '.')
    .replace(/^bronze\.quarantine\./, 'quarantine.');
  const relation = dotted.includes('.') ? dotted : `gold.${dotted}`;
  if (known.includes(relation)) return relation;
  throw usageError(`there is no table '${name}'. There are: ${known.join(', ')}`);
}

/** The release that was asked for (the newest, where none was named) is not there. */
export function unknownRelease(number: number | undefined, lake: string): LakeError {
  if (number === undefined)
    return new LakeError(
      'release.not_found',
      'notFound',
      `there is no release in ${lake} yet: npx shopsmart run publishes the first`,
    );
  return new LakeError(
    'release.not_found',
    'notFound',
    `there is no release ${number} in ${lake}: npx shopsmart releases lists them`,
    {
      at: { release: number },
    },
  );
}
