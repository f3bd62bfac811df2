import { LakeError } from '#errors';
import { loadName, loadsOf, type LoadSummary } from '#pipeline';
import { findRelease, type OpenLake } from '#platform';
import type { WithdrawnLoad } from '#releases';
import type { Call } from '../call.js';
import { runOnce, withLake } from '../composition.js';
import { exitCode, type ExitCode } from '../exit-code.js';
import { reportText } from '../terminal/report-text.js';
import { countText, tableText, type TextColumn } from '../terminal/table-text.js';

export interface ListLoadsOptions {
  readonly withdrawn?: true;
  readonly source?: string;
  readonly limit?: number;
  readonly release?: number;
  readonly json?: true;
}

const DEFAULT_LIMIT = 50;

/** The loads that a release has in bronze, newest first. */
export async function listLoadsCommand({ settings, terminal }: Call, options: ListLoadsOptions): Promise<void> {
  const limit = options.limit ?? DEFAULT_LIMIT;
  const { loads, release, isWhole } = await withLake(settings, async ({ lake, openEngine }) => {
    const release = await findRelease(lake.store, options.release);
    const engine = await openEngine();
    try {
      const loads: LoadSummary[] = [];
      for await (const load of loadsOf({ engine, lake, release })) {
        if (!isWanted(load, options)) continue;
        if (loads.length === limit) return { loads, release, isWhole: false };
        loads.push(load);
      }
      return { loads, release, isWhole: true };
    } finally {
      await engine.close();
    }
  });
  if (options.json) return terminal.json({ data: loads, release: release.number });
  terminal.result(
    loads.length === 0 ? `No such load in release ${release.number}.` : tableText(columns, loads.map(cells)),
  );
  for (const load of loads) for (const line of driftLines(load)) terminal.result(line);
  if (!isWhole) terminal.log('info', `(the newest ${countText(limit)}: --limit N lists more)`);
}

function isWanted(load: LoadSummary, { withdrawn, source }: ListLoadsOptions): boolean {
  return (!withdrawn || load.state === 'withdrawn') && (source === undefined || load.source === source);
}

const columns: readonly TextColumn[] = [
  { title: 'load', align: 'left' },
  { title: 'state', align: 'left' },
  ...['files', 'records', 'malformed'].map((title) => ({ title, align: 'right' as const })),
  { title: 'loaded', align: 'left' },
  { title: 'as of', align: 'left' },
  { title: 'run', align: 'left' },
];

function cells(load: LoadSummary): readonly string[] {
  const { state, files, records, malformed, loaded_at, as_of, run_id } = load;
  return [loadName(load), state, ...[files, records, malformed].map(countText), loaded_at, as_of, run_id];
}

function driftLines(load: LoadSummary): readonly string[] {
  return load.drift.map(({ path, unexpected, missing }) => {
    const said = [
      ...(unexpected.length > 0 ? [`has fields that the contract does not name: ${unexpected.join(', ')}`] : []),
      ...(missing.length > 0 ? [`lacks ${missing.join(', ')}`] : []),
    ];
    return `${loadName(load)}: ${path} ${said.join('; ')}`;
  });
}

/** Publishes a release in which the named loads count, or do not; nothing that has landed since is loaded. */
export async function changeLoadsCommand(
  call: Call,
  change: 'restore' | 'withdraw',
  named: readonly WithdrawnLoad[],
  { reason, json }: { readonly reason?: string; readonly json?: true },
): Promise<ExitCode> {
  const asOf = await withLake(call.settings, (open) => checkLoads(open, named));
  // A repair is a load too: whoever takes one out this way finds it in the log of repairs.
  const repairing = { repairs: [], withdraw: [], restore: [], [change]: named, by: LOCAL, reason: reason ?? null };
  const { outcome, report } = await runOnce(call, { asOf, full: false, rehash: false, repairing });
  if (json) call.terminal.json(report);
  else call.terminal.result(reportText(report));
  return outcome === 'check_failed' ? exitCode.checkFailed : exitCode.done;
}

/** Until there are keys, whoever can run a command is meant. */
const LOCAL = 'local';

/** Throws `load.not_found`; returns the as_of of the newest release, so that nothing changes but the loads. */
async function checkLoads({ lake, openEngine }: OpenLake, named: readonly WithdrawnLoad[]): Promise<string> {
  const release = await findRelease(lake.store, undefined);
  const unknown = new Set(named.map(loadName));
  const engine = await openEngine();
  try {
    for await (const load of loadsOf({ engine, lake, release })) unknown.delete(loadName(load));
  } finally {
    await engine.close();
  }
  if (unknown.size === 0) return release.as_of;
  const names = [...unknown].join(', ');
  throw new LakeError(
    'load.not_found',
    'notFound',
    `There is no load ${names}: npx shopsmart loads list shows those there are.`,
  );
}
