import { shopCatalogue } from '#products';
import { dailyChanges, diffReleases } from '#pipeline';
import { figuresJson, findRelease } from '#platform';
import type { Call } from '../call.js';
import { withLake } from '../composition.js';
import { diffText } from '../terminal/diff-text.js';

export interface DiffOptions {
  readonly before: number;
  readonly after: number;
  readonly json?: true;
}

/** Days that `--json` lists; of the others it has the number, and the sums by cause are over all. */
const MOST_DAYS = 10_000;

/** What differs between two releases: rows of each table by key, and daily figures by cause. */
export async function diffCommand(
  { settings, terminal, signal }: Call,
  { before: from, after: to, json }: DiffOptions,
): Promise<void> {
  const diff = await withLake(settings, async ({ lake, openEngine }) => {
    const before = await findRelease(lake.store, from);
    const after = await findRelease(lake.store, to);
    const engine = await openEngine();
    try {
      const parts = { engine, lake, catalogue: shopCatalogue(), signal };
      const tables = await diffReleases(parts, before, after);
      const daily = await dailyChanges(parts, before, after, { limit: MOST_DAYS });
      return { before: from, after: to, tables, daily };
    } finally {
      await engine.close();
    }
  });
  terminal.result(json ? figuresJson(diff) : diffText(diff));
}
