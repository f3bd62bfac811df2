import { exitBy, openLog, readSettings, toldToEnd } from '#platform';
import { startWorker, type WorkerOptions } from './start-worker.js';

/** For jobs to be handed on; then they are found to be lost. */
const GRACE_MS = 15_000;

/** The worker as a process: tells its parent that it is ready, and ends on SIGTERM, SIGINT and when the parent has gone. */
export async function runProgram(options: Pick<WorkerOptions, 'silenceMs'> = {}): Promise<never> {
  const told = toldToEnd();
  try {
    const settings = readSettings();
    const log = openLog('worker', settings.logLevel);
    // Nothing is lost by a worker that ends while it starts.
    void told.then(() => setTimeout(() => process.exit(0), GRACE_MS).unref());
    const worker = await startWorker({ ...options, settings, log });
    process.send?.({ kind: 'ready' });
    log.info({ reason: await told }, 'ending');
    await worker.close();
    return process.exit(0);
  } catch (error) {
    return exitBy(error);
  }
}
