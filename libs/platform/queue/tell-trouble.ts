import type { Log } from '../log/log.js';

/** BullMQ tries again without a pause, and says so each time. */
const SAY_AGAIN_MS = 10_000;

/** A queue or a worker of BullMQ. */
interface Source {
  readonly name: string;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A listener for errors: without one the first lost connection would end the process. The same words are told now and then. */
export function troubleTeller(queue: string, log: Log): (error: Error) => void {
  let said = '';
  let saidMs = 0;
  return (error) => {
    const reason = String(error);
    const nowMs = Date.now();
    if (reason === said && nowMs - saidMs < SAY_AGAIN_MS) return;
    [said, saidMs] = [reason, nowMs];
    log.warn({ queue, reason }, 'trouble with the queue');
  };
}

export function tellTrouble<T extends Source>(source: T, log: Log): T {
  source.on('error', troubleTeller(source.name, log));
  return source;
}
