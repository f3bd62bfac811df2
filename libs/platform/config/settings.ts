import { resolve } from 'node:path';
import { z } from 'zod';
import { LakeError } from '#errors';
import { isLoopback } from './loopback.js';
import { parseMemorySize } from './memory-size.js';
import { Secret } from './secret.js';

/** What a user tunes, checked and frozen. Paths are absolute; a URL stays as it came. */
export interface Settings {
  readonly lake: string;
  readonly landing: string;
  readonly data: string;
  readonly engine: 'duckdb' | 'spark';
  readonly keepReleases: number;
  /** First and last day of dim_date, `YYYY-MM-DD`. */
  readonly dateFrom: string;
  readonly dateTo: string;
  readonly memoryLimitBytes: number;
  readonly threads: number;
  readonly logLevel: LogLevel;
  readonly port: number;
  readonly host: string;
  /** How others reach the api; its `Host` is then answered too. */
  readonly publicUrl: string | undefined;
  /** Undefined: PostgreSQL is started on this machine. */
  readonly databaseUrl: Secret | undefined;
  /** Undefined: queues are kept in PostgreSQL. */
  readonly redisUrl: Secret | undefined;
}

export type LogLevel = (typeof logLevels)[number];

/** What the defaults follow from. */
export interface Machine {
  readonly memoryBytes: number;
  readonly cores: number;
  /** Relative paths start here. */
  readonly workingDir: string;
}

/** A variable by its value, and where it was set when that was not the environment: `.env`, `--lake`. */
export type SettingSources = Readonly<Record<string, { readonly value: string; readonly from?: string }>>;

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

const leastMemoryBytes = 256e6;
const mostDefaultMemoryBytes = 2e9;

const day = z
  .string()
  .refine((text) => isDay(text), 'must be a date such as 2024-01-01')
  .optional();

const count = (least: number, most: number, what: string) =>
  z
    .string()
    .regex(/^\d+$/, `must be ${what}`)
    .transform(Number)
    .refine((n) => n >= least && n <= most, `must be ${what}`)
    .optional();

const location = z
  .string()
  .refine((text) => !/^[a-z][a-z0-9+.-]+:\/\//i.test(text) || /^abfss:\/\/[^@/]+@[^/]+(\/.*)?$/.test(text), {
    message: 'must be a folder or abfss://container@account.dfs.core.windows.net/path',
  })
  .optional();

const url = (schemes: readonly string[], example: string) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && schemes.includes(new URL(text).protocol),
      `must be a URL such as ${example}`,
    )
    .optional();

/** One entry a variable; `docs/settings.md` is made of it. */
export const settingsSchema = z.object({
  SHOPSMART_LAKE: location.meta({
    description: 'Where the lake is: a folder. (`abfss://…` URLs are checked but not readable yet.)',
    default: './data/lake',
  }),
  SHOPSMART_LANDING: location.meta({ description: 'Where source files land: a folder.', default: './data/landing' }),
  SHOPSMART_DATA: z.string().optional().meta({
    description: 'Folder for everything else kept on this machine: caches and the work folder of a run.',
    default: './data',
  }),
  SHOPSMART_ENGINE: z
    .enum(['duckdb', 'spark'], 'must be duckdb or spark')
    .optional()
    .meta({ description: 'What runs the SQL: `duckdb`. (`spark` is refused for now.)', default: 'duckdb' }),
  SHOPSMART_KEEP_RELEASES: count(1, 1_000_000, 'a whole number from 1 to 1000000').meta({
    description:
      'How many of the newest releases stay readable, at least 100. Beyond them the last one of each day stays, and none goes within 24 hours.',
    default: '100',
  }),
  SHOPSMART_DATE_FROM: day.meta({
    description: 'First day of `dim_date`; it grows by whole years where orders need it.',
    default: '2024-01-01',
  }),
  SHOPSMART_DATE_TO: day.meta({
    description: 'Last day of `dim_date`; it grows by whole years where orders need it.',
    default: '2026-12-31',
  }),
  SHOPSMART_MEMORY_LIMIT: z
    .string()
    .transform(parseMemorySize)
    .refine(
      (bytes) => bytes !== undefined && bytes >= leastMemoryBytes,
      'must be a size of at least 256MB, such as 2GB or 512MiB',
    )
    .optional()
    .meta({
      description:
        'Memory that the engine may use before it spills to disk; the process itself needs some 0.5 GB more.',
      default: '2GB, or 60 % of the memory of the machine (or container) where that is less',
    }),
  SHOPSMART_THREADS: count(1, 1024, 'a whole number from 1 to 1024').meta({
    description: 'Threads of the engine.',
    default: 'one for each core',
  }),
  LOG_LEVEL: z
    .enum(logLevels, `must be one of ${logLevels.join(', ')}`)
    .optional()
    .meta({
      description: 'Least important message that is printed; `debug` adds stack traces to errors.',
      default: 'info',
    }),
  PORT: count(0, 65_535, 'a port from 0 to 65535').meta({ description: 'Port of the HTTP api.', default: '3000' }),
  HOST: z
    .string()
    .refine(isLoopback, 'must be a loopback address such as 127.0.0.1 or ::1: there are no keys yet')
    .optional()
    .meta({
      description: 'Address that the HTTP api listens on: a loopback address, as whoever reaches it may do everything.',
      default: '127.0.0.1',
    }),
  SHOPSMART_PUBLIC_URL: url(['http:', 'https:'], 'https://data.example.com').meta({
    description:
      'How a proxy in front of the api is reached; requests for any other host than it or a loopback one are refused.',
    default: 'none',
  }),
  SHOPSMART_AUTH: z.enum(['open'], 'must be open: keys are not built yet').optional().meta({
    description: 'Who may ask: `open`, everybody on this machine.',
    default: 'open',
  }),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/database').meta({
    description: 'PostgreSQL (13 or later) for records of runs, and for queues unless `REDIS_URL` is set.',
    default: 'a PostgreSQL of our own, below `SHOPSMART_DATA`',
  }),
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://host:6379').meta({
    description: 'Redis (6.2 or later) for queues.',
    default: 'queues are in PostgreSQL',
  }),
});

type Variable = keyof typeof settingsSchema.shape;

const secretVariables: ReadonlySet<string> = new Set<string>(['DATABASE_URL', 'REDIS_URL'] satisfies Variable[]);

/**
 * Checks all settings together. An empty value counts as not set. Throws one `settings.invalid` that names every wrong
 * variable with its value.
 */
export function parseSettings(
  sources: SettingSources,
  machine: Machine,
  secrets: ReadonlySet<string> = secretVariables,
): Settings {
  const given = Object.fromEntries(
    Object.keys(settingsSchema.shape).flatMap((name) => {
      const value = sources[name]?.value.trim() ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
  const result = settingsSchema.safeParse(given);
  const mistakes = result.success
    ? datesInOrder(result.data)
    : result.error.issues.map((issue) => ({ name: String(issue.path[0]), message: issue.message }));
  if (!result.success || mistakes.length > 0) {
    const lines = mistakes.map(({ name, message }) => {
      const from = sources[name]?.from;
      const shown = secrets.has(name) ? '***' : JSON.stringify(given[name]);
      return `  ${name} = ${shown}${from === undefined ? '' : ` (from ${from})`}: ${message}`;
    });
    throw new LakeError(
      'settings.invalid',
      'invalid',
      `${mistakes.length === 1 ? 'a setting is' : `${mistakes.length} settings are`} wrong (docs/settings.md lists all):\n${lines.join('\n')}`,
    );
  }
  return Object.freeze(withDefaults(result.data, machine));
}

function withDefaults(given: z.output<typeof settingsSchema>, machine: Machine): Settings {
  const place = (text: string) => (text.includes('://') ? text : resolve(machine.workingDir, text));
  const data = place(given.SHOPSMART_DATA ?? defaultOf('SHOPSMART_DATA'));
  return {
    lake: place(given.SHOPSMART_LAKE ?? defaultOf('SHOPSMART_LAKE')),
    landing: place(given.SHOPSMART_LANDING ?? defaultOf('SHOPSMART_LANDING')),
    data,
    engine: given.SHOPSMART_ENGINE ?? 'duckdb',
    keepReleases: given.SHOPSMART_KEEP_RELEASES ?? Number(defaultOf('SHOPSMART_KEEP_RELEASES')),
    dateFrom: given.SHOPSMART_DATE_FROM ?? defaultOf('SHOPSMART_DATE_FROM'),
    dateTo: given.SHOPSMART_DATE_TO ?? defaultOf('SHOPSMART_DATE_TO'),
    memoryLimitBytes:
      given.SHOPSMART_MEMORY_LIMIT ?? Math.floor(Math.min(mostDefaultMemoryBytes, machine.memoryBytes * 0.6)),
    threads: given.SHOPSMART_THREADS ?? machine.cores,
    logLevel: given.LOG_LEVEL ?? 'info',
    port: given.PORT ?? Number(defaultOf('PORT')),
    host: given.HOST ?? defaultOf('HOST'),
    publicUrl: given.SHOPSMART_PUBLIC_URL,
    databaseUrl: given.DATABASE_URL === undefined ? undefined : new Secret(given.DATABASE_URL),
    redisUrl: given.REDIS_URL === undefined ? undefined : new Secret(given.REDIS_URL),
  };
}

function datesInOrder(given: z.output<typeof settingsSchema>) {
  const from = given.SHOPSMART_DATE_FROM ?? defaultOf('SHOPSMART_DATE_FROM');
  const to = given.SHOPSMART_DATE_TO ?? defaultOf('SHOPSMART_DATE_TO');
  if (from <= to) return [];
  const name = given.SHOPSMART_DATE_TO === undefined ? 'SHOPSMART_DATE_FROM' : 'SHOPSMART_DATE_TO';
  return [{ name, message: `dim_date would run from ${from} to ${to}: the first day must not be after the last` }];
}

function defaultOf(name: Variable): string {
  return String(settingsSchema.shape[name].meta()?.['default']);
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text.startsWith('0000')) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
