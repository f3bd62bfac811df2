import type { Call } from '../call.js';
import { runOnce } from '../composition.js';
import { exitCode, type ExitCode } from '../exit-code.js';
import { reportText } from '../terminal/report-text.js';

export interface RunOptions {
  readonly asOf?: string;
  readonly full?: true;
  readonly rehash?: true;
  readonly json?: true;
}

export async function runCommand(call: Call, { asOf, full, rehash, json }: RunOptions): Promise<ExitCode> {
  const { outcome, report } = await runOnce(call, { asOf, full: full === true, rehash: rehash === true });
  if (json) call.terminal.json(report);
  else call.terminal.result(reportText(report));
  return outcome === 'check_failed' ? exitCode.checkFailed : exitCode.done;
}
