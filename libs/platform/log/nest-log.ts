import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.js';

/** What Nest has to say goes into our log; its account of the start is for debugging. */
export class NestLog implements LoggerService {
  constructor(private readonly log_: Log) {}

  log(message: unknown): void {
    this.log_.debug({}, String(message));
  }

  debug(message: unknown): void {
    this.log_.debug({}, String(message));
  }

  warn(message: unknown): void {
    this.log_.warn({}, String(message));
  }

  error(message: unknown): void {
    this.log_.error({}, String(message));
  }
}
