import { rollBackShop } from '#platform';
import type { Call } from '../call.js';
import { withLake } from '../composition.js';
import { rollbackText } from '../terminal/rollback-text.js';

export interface RollbackOptions {
  readonly to: number;
  readonly json?: true;
}

/** Publishes the state of an earlier release again. */
export async function rollbackCommand(
  { settings, terminal, signal }: Call,
  { to, json }: RollbackOptions,
): Promise<void> {
  const report = await withLake(settings, (open) => rollBackShop(settings, open, { to, signal }));
  if (json) terminal.json(report);
  else terminal.result(rollbackText(report));
}
