import { systemClock } from '#platform';
import { planVacuum, retentionOf, vacuum, type Orphan, type VacuumPlan } from '#releases';
import type { Call } from '../call.js';
import { withLake } from '../composition.js';
import { countText } from '../terminal/table-text.js';

export async function vacuumCommand(
  { settings, terminal }: Call,
  { dryRun }: { readonly dryRun?: true },
): Promise<void> {
  const { plan, removed } = await withLake(settings, async ({ lake }) => {
    const plan = await planVacuum(lake, systemClock, retentionOf(settings.keepReleases));
    return { plan, removed: dryRun ? plan.orphans : await vacuum(lake, systemClock, plan) };
  });
  for (const line of releaseLines(plan, dryRun === true)) terminal.result(line);
  for (const { path, sizeBytes } of removed) terminal.result(`${path}  ${countText(sizeBytes)} bytes`);
  terminal.result(summary(plan, removed, dryRun === true));
}

/** What becomes of releases and logs, in the order in which it is done. */
function releaseLines({ drops, seals, cleanings }: VacuumPlan, dryRun: boolean): readonly string[] {
  const done = (what: string) => (dryRun ? `would be ${what}` : what);
  return [
    ...(drops.length === 0
      ? []
      : [`releases ${rangesText(drops)} ${done('dropped')}; what they alone need stays for another hour`]),
    ...seals.map(
      ({ table, version }) => `${table}: the files of version ${version} ${done('sealed')} for releases kept`,
    ),
    ...cleanings.map(
      ({ table, paths, firstVersion }) =>
        `${table}: ${countText(paths.length)} log files before version ${firstVersion} ${done('removed')}`,
    ),
  ];
}

/** `1-3, 5` of 1, 2, 3, 5. */
function rangesText(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

function summary({ drops, cleanings }: VacuumPlan, orphans: readonly Orphan[], dryRun: boolean): string {
  if (orphans.length === 0 && drops.length + cleanings.length === 0)
    return 'Nothing to remove: releases or running runs need every file.';
  const bytes = orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `${countText(orphans.length)} files, ${countText(bytes)} bytes ${dryRun ? 'would be removed (dry run)' : 'removed'}.`;
}
