import type { ExitCode } from './exit-code.js';

/** Runs the process's one job: Ctrl-C aborts it, its result is the exit code. */
export async function withProcess(job: (signal: AbortSignal) => Promise<ExitCode>): Promise<void> {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait for a clean end; the lake stands it.
      if (abort.signal.aborted) process.exit(1);
      abort.abort();
    });
  }
  // `shopsmart sql … | head` closes our output early: that is a normal end.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  process.exitCode = await job(abort.signal);
}
