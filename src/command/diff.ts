import { shopCatalogue } from '#products';
import { diffReleases, type TableDiff } from '#pipeline';
import { findRelease } from '#platform';
import type { Call } from '../call.js';
import { withLake } from '../composition.js';
import { countText, tableText, type TextColumn } from '../terminal/table-text.js';

export interface DiffOptions {
  readonly before: number;
  readonly after: number;
  readonly json?: true;
}

/** What is in one release and not in another: rows of each table by key. */
export async function diffCommand(
  { settings, terminal }: Call,
  { before: from, after: to, json }: DiffOptions,
): Promise<void> {
  const diffs = await withLake(settings, async ({ lake, openEngine }) => {
    const before = await findRelease(lake.store, from);
    const after = await findRelease(lake.store, to);
    const engine = await openEngine();
    try {
      return await diffReleases({ engine, lake, catalogue: shopCatalogue() }, before, after);
    } finally {
      await engine.close();
    }
  });
  if (json) return terminal.json({ before: from, after: to, tables: diffs });
  if (diffs.length === 0) return terminal.result(`Releases ${from} and ${to} have the same rows.`);
  terminal.result(tableText(columns, diffs.map(cells)));
  for (const { table, columns_added, columns_removed } of diffs) {
    for (const name of columns_added) terminal.result(`${table} has the new column ${name}`);
    for (const name of columns_removed) terminal.result(`${table} no longer has the column ${name}`);
  }
}

const columns: readonly TextColumn[] = [
  { title: 'table', align: 'left' },
  ...['added', 'removed', 'changed', 'rows before', 'rows after'].map((title) => ({ title, align: 'right' as const })),
];

function cells({ table, added, removed, changed, rows_before, rows_after }: TableDiff): readonly string[] {
  return [table, ...[added, removed, changed, rows_before, rows_after].map(countText)];
}
