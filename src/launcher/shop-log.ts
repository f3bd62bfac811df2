import type { Readable } from 'node:stream';
import { pino } from 'pino';
import type { Log, LogLevel } from '#platform';
import type { Terminal } from '../terminal/terminal.js';
import type { LogFile } from './log-file.js';
import { fileLines, leveled, parseLine, terminalLine, type Entry } from './log-line.js';

/** One log of all processes: on standard error for whoever watches, and in a file. */
export class ShopLog {
  constructor(
    private readonly terminal: Terminal,
    private readonly file: LogFile,
  ) {}

  say(name: string, level: LogLevel, text: string): void {
    this.add({ at: new Date(), name, level, text: leveled(level, text) });
  }

  /** For a part of this process that logs as the programs do. */
  logOf(name: string): Log {
    return pino({ level: 'debug' }, { write: (line) => this.line(name, 'info', line) });
  }

  /** Takes whatever a process writes, line by line; `level` is that of lines which are no JSON. */
  follow(name: string, level: LogLevel, output: Readable): void {
    let rest = '';
    output.setEncoding('utf8');
    output.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > mostLineChars) {
        lines.push(rest);
        rest = '';
      }
      for (const line of lines) this.line(name, level, line);
    });
    output.on('end', () => this.line(name, level, rest));
    // The process was killed while it wrote.
    output.on('error', () => undefined);
  }

  close(): void {
    this.file.close();
  }

  private line(name: string, level: LogLevel, line: string): void {
    if (line.trim() !== '') this.add(parseLine(line.slice(0, mostLineChars), name, level, new Date()));
  }

  private add(entry: Entry): void {
    this.terminal.log(entry.level, terminalLine(entry));
    this.file.append(fileLines(entry));
  }
}

const mostLineChars = 32_768;
