import type { ExitCode } from './exit-code.js';

/** npm passes the Ctrl-C on that the terminal has already sent: what comes at once is no second wish. */
const sameWishMs = 700;

/** Runs the process's one job: Ctrl-C aborts it, its result is the exit code. */
export async function withProcess(job: (signal: AbortSignal) => Promise<ExitCode>): Promise<void> {
  const abort = new AbortController();
  let firstMs = 0;
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait for a clean end; the lake stands it.
      if (abort.signal.aborted && Date.now() - firstMs > sameWishMs) process.exit(1);
      if (!abort.signal.aborted) firstMs = Date.now();
      abort.abort();
    });
  }
  // `shopsmart sql … | head` closes our output early: that is a normal end.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  // The terminal may be gone while the end is told.
  process.stderr.on('error', () => undefined);
  process.exitCode = await job(abort.signal);
}
