import { proofSummary, readProof } from '#pipeline';
import { openStore } from '#platform';
import { ReleaseReader, changedTables, type Release } from '#releases';
import type { ObjectStore } from '#storage';
import type { Call } from '../call.js';
import { countText, tableText, type TextColumn } from '../terminal/table-text.js';

export interface ReleasesOptions {
  readonly limit?: number;
  readonly json?: true;
}

export async function releasesCommand({ settings, terminal }: Call, { limit, json }: ReleasesOptions): Promise<void> {
  const store = openStore(settings);
  const releases = await new ReleaseReader(store).list({ limit: limit ?? settings.keepReleases });
  const listed: Summary[] = [];
  for (const release of releases) listed.push(await summaryOf(store, release));
  if (json) {
    terminal.json({ data: listed });
    return;
  }
  if (listed.length === 0) {
    terminal.result(`No release in ${settings.lake} yet: npx shopsmart run publishes the first.`);
    return;
  }
  terminal.result(tableText(columns, listed.map(cells)));
}

const columns: readonly TextColumn[] = [
  { title: 'release', align: 'right' },
  { title: 'published', align: 'left' },
  { title: 'as of', align: 'left' },
  { title: 'run', align: 'left' },
  { title: 'mode', align: 'left' },
  { title: 'rows', align: 'right' },
  { title: 'changed tables', align: 'left' },
  { title: 'withdrawn', align: 'right' },
  { title: 'proof', align: 'left' },
];

type Summary = Awaited<ReturnType<typeof summaryOf>>;

async function summaryOf(store: ObjectStore, release: Release) {
  const proof = await readProof(store, release.number);
  return {
    release: release.number,
    published_at: release.published_at,
    as_of: release.as_of,
    run_id: release.run_id,
    mode: release.mode,
    /** The release whose state a rollback published again. */
    rollback_to: release.rollback_to ?? null,
    tables: Object.keys(release.tables).length,
    changed_tables: changedTables(release),
    rows: Object.values(release.tables).reduce((sum, { rows }) => sum + rows, 0),
    withdrawn_loads: release.withdrawn.length,
    proof: proof === undefined ? null : proofSummary(proof),
  };
}

function cells({ changed_tables, tables, ...release }: Summary): readonly string[] {
  return [
    String(release.release),
    release.published_at,
    release.as_of,
    release.run_id,
    release.rollback_to === null ? release.mode : `${release.mode} to ${release.rollback_to}`,
    countText(release.rows),
    `${changed_tables.length} of ${tables}`,
    release.withdrawn_loads === 0 ? '-' : `${countText(release.withdrawn_loads)} loads`,
    release.proof?.verdict ?? '-',
  ];
}
