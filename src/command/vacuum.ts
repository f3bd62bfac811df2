import { systemClock } from '#platform';
import { planVacuum, vacuum, type Orphan } from '#releases';
import type { Call } from '../call.js';
import { withLake } from '../composition.js';
import { countText } from '../terminal/table-text.js';

export async function vacuumCommand(
  { settings, terminal }: Call,
  { dryRun }: { readonly dryRun?: true },
): Promise<void> {
  const removed = await withLake(settings, async ({ lake }) => {
    const plan = await planVacuum(lake, systemClock);
    return dryRun ? plan.orphans : vacuum(lake, systemClock, plan);
  });
  for (const { path, sizeBytes } of removed) terminal.result(`${path}  ${countText(sizeBytes)} bytes`);
  terminal.result(summary(removed, dryRun === true));
}

function summary(orphans: readonly Orphan[], dryRun: boolean): string {
  if (orphans.length === 0) return 'Nothing to remove: releases or running runs need every file.';
  const bytes = orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `${countText(orphans.length)} files, ${countText(bytes)} bytes ${dryRun ? 'would be removed (dry run)' : 'removed'}.`;
}
