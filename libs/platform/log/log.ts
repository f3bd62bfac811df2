import { pino, type Logger } from 'pino';
import type { LogLevel } from '../config/settings.js';

/** Structured log of a process: `log.info({ run_id }, 'run published')`. One JSON line an entry, on standard output. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** `name` says which process speaks: `api`, `worker`. */
export function openLog(name: string, level: LogLevel): Log {
  return pino(
    { name, level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ sync: true }),
  );
}
