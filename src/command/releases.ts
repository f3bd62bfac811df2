import { openStore } from '#platform';
import { ReleaseReader, changedTables, type Release } from '#releases';
import type { Call } from '../call.js';
import { countText, tableText } from '../terminal/table-text.js';

export async function releasesCommand({ settings, terminal }: Call, { json }: { readonly json?: true }): Promise<void> {
  const releases = await new ReleaseReader(openStore(settings)).list({ limit: settings.keepReleases });
  if (json) {
    terminal.json({ data: releases.map(summary) });
    return;
  }
  if (releases.length === 0) {
    terminal.result(`No release in ${settings.lake} yet: npx shopsmart run publishes the first.`);
    return;
  }
  terminal.result(
    tableText(
      [
        { title: 'release', align: 'right' },
        { title: 'published', align: 'left' },
        { title: 'as of', align: 'left' },
        { title: 'run', align: 'left' },
        { title: 'rows', align: 'right' },
        { title: 'changed tables', align: 'left' },
      ],
      releases.map((release) => {
        const { published_at, as_of, run_id, rows, changed_tables } = summary(release);
        const changed = `${changed_tables.length} of ${Object.keys(release.tables).length}`;
        return [String(release.number), published_at, as_of, run_id, countText(rows), changed];
      }),
    ),
  );
}

function summary(release: Release) {
  return {
    release: release.number,
    published_at: release.published_at,
    as_of: release.as_of,
    run_id: release.run_id,
    mode: release.mode,
    changed_tables: changedTables(release),
    rows: Object.values(release.tables).reduce((sum, { rows }) => sum + rows, 0),
  };
}
