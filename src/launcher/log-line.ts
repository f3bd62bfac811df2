import type { LogLevel } from '#platform';

/** One entry of the log, whoever spoke. */
export interface Entry {
  readonly at: Date;
  readonly name: string;
  readonly level: LogLevel;
  readonly text: string;
  /** Lines that help a developer only. */
  readonly stack?: string;
}

/** A line of a child: JSON as pino writes it, or anything else as it is; `level` is that of the latter. */
export function parseLine(line: string, name: string, level: LogLevel, now: Date): Entry {
  const fields = jsonFields(line);
  return fields === undefined ? { at: now, name, level, text: line } : entryOf(fields, name, now);
}

/** `17:03:12 api      warn: slow answer ms=1200`, in the zone of whoever watches. */
export function terminalLine({ at, name, text }: Entry): string {
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
  return `${time} ${name.padEnd(nameWidth)} ${printable(text)}`;
}

/** `2026-02-17T16:03:12.345Z api      warn: slow answer ms=1200`, then the stack. */
export function fileLines({ at, name, text, stack }: Entry): string {
  const head = `${at.toISOString()} ${name.padEnd(nameWidth)} ${printable(text)}`;
  const trace = stack === undefined ? [] : stack.split('\n').map((line) => `    ${printable(line.trim())}`);
  return [head, ...trace, ''].join('\n');
}

export function leveled(level: LogLevel, text: string): string {
  return level === 'info' ? text : `${level}: ${text}`;
}

const nameWidth = 'postgres'.length;

function entryOf(fields: Record<string, unknown>, name: string, now: Date): Entry {
  const { level: number, time, msg, err, ...rest } = fields;
  const level = levelOf(Number(number));
  const told = typeof time === 'string' || typeof time === 'number' ? new Date(time) : now;
  const error = err as { readonly message?: unknown; readonly stack?: unknown } | undefined;
  const parts = [
    ...(typeof msg === 'string' ? [msg] : []),
    ...Object.entries(rest)
      .filter(([key]) => !ofEveryLine.has(key))
      .map(([key, value]) => `${key}=${shown(value)}`),
    ...(error?.message !== undefined && error.message !== msg ? [`error=${shown(error.message)}`] : []),
  ];
  return {
    at: Number.isNaN(told.getTime()) ? now : told,
    name,
    level,
    text: leveled(level, parts.join(' ')),
    ...(typeof error?.stack === 'string' ? { stack: error.stack } : {}),
  };
}

const ofEveryLine: ReadonlySet<string> = new Set(['name', 'pid', 'hostname']);

function jsonFields(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const fields = JSON.parse(line) as Record<string, unknown>;
    return typeof fields['level'] === 'number' ? fields : undefined;
  } catch {
    return undefined;
  }
}

/** pino's numbers. */
function levelOf(level: number): LogLevel {
  if (level >= 50) return 'error';
  if (level >= 40) return 'warn';
  return level >= 30 ? 'info' : 'debug';
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}

/** Data of strangers ends up in logs: it must not steer the terminal of whoever reads them. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (char) =>
    char === '\t' ? ' ' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
