import type { Writable } from 'node:stream';
import type { LogLevel } from '#platform';

const rank: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Results go to standard output; everything said on the way goes to standard error. */
export class Terminal {
  constructor(
    readonly out: Writable,
    readonly err: Writable & { readonly isTTY?: boolean },
    readonly logLevel: LogLevel,
  ) {}

  get isInteractive(): boolean {
    return this.err.isTTY === true;
  }

  result(text: string): void {
    this.out.write(`${text}\n`);
  }

  json(document: unknown): void {
    this.out.write(`${JSON.stringify(document)}\n`);
  }

  log(level: LogLevel, text: string): void {
    if (rank[level] >= rank[this.logLevel]) this.err.write(`${text}\n`);
  }
}
