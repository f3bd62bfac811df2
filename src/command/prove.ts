import { proveShop } from '#platform';
import type { Call } from '../call.js';
import { withLake } from '../composition.js';
import { exitCode, type ExitCode } from '../exit-code.js';
import { startProgress } from '../terminal/progress.js';
import { proofText } from '../terminal/proof-text.js';

export interface ProveOptions {
  readonly release?: number;
  readonly json?: true;
}

/** Rebuilds a release beside the lake and compares it row by row. */
export async function proveCommand(
  { settings, terminal, signal }: Call,
  { release, json }: ProveOptions,
): Promise<ExitCode> {
  const progress = startProgress(terminal);
  try {
    const proof = await withLake(settings, (open) =>
      proveShop(settings, open, {
        ...(release === undefined ? {} : { release }),
        onProgress: ({ done, total, what }) => progress.step(done, total, what),
        signal,
      }),
    );
    progress.end();
    if (json) terminal.json(proof);
    else terminal.result(proofText(proof));
    return proof.verdict === 'ok' ? exitCode.done : exitCode.failed;
  } finally {
    progress.end();
  }
}
