import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { SettingOptions } from '#platform';
import type { DemoOptions } from './command/demo.js';
import { callCommand, type CommandBody } from './call.js';
import { addLoads } from './load-commands.js';
import { exitCode, type ExitCode } from './exit-code.js';
import { addQuarantine } from './quarantine-commands.js';

interface LakeOptions {
  readonly lake?: string;
  readonly landing?: string;
  readonly engine?: string;
}

/** Runs one command line and returns its exit code. Never throws. */
export async function main(args: readonly string[], signal: AbortSignal): Promise<ExitCode> {
  let code: ExitCode = exitCode.done;
  const run: RunCommand = async (options, command) => {
    code = await callCommand(signal, settingOptions(options), command);
  };
  try {
    await program(run).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its message, or the help that was asked for.
    return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  }
}

type RunCommand = (options: LakeOptions, command: CommandBody) => Promise<void>;

/** Commands are imported when they are called: `--help` needs none of them. */
function program(run: RunCommand): Command {
  const shopsmart = new Command('shopsmart')
    .description(
      'Raw files to an audited lakehouse. Settings: docs/settings.md. Exit codes: 0 done, 2 wrong usage, 3 a check failed, 1 anything else.',
    )
    .exitOverride()
    .showHelpAfterError('(--help lists the options)');
  const add = (usage: string, description: string) => shopsmart.command(usage).description(description);

  add('run', 'load, transform, check and publish')
    .addOption(landing())
    .addOption(lake())
    .addOption(asOf('the date that rules about "today" use (default: today, UTC)'))
    .option('--full', 'recompute every table')
    .option('--rehash', 'digest files again although their path, size and time are known')
    .addOption(new Option('--engine <name>', 'what runs the SQL').choices(['duckdb', 'spark']))
    .option('--json', 'print the report as one JSON document')
    .action(async (options: LakeOptions & { asOf?: string; full?: true; rehash?: true; json?: true }) => {
      const { runCommand } = await import('./command/run.js');
      await run(options, (call) => runCommand(call, options));
    });

  add('plan', 'what a run would do; changes nothing')
    .addOption(landing())
    .addOption(lake())
    .addOption(asOf('the date that rules about "today" would use (default: today, UTC)'))
    .option('--full', 'as if every table were recomputed')
    .option('--rehash', 'as if files were digested again although their path, size and time are known')
    .option('--json', 'print the plan as one JSON document')
    .action(async (options: LakeOptions & { asOf?: string; full?: true; rehash?: true; json?: true }) => {
      const { planCommand } = await import('./command/plan.js');
      await run(options, (call) => planCommand(call, options));
    });

  add('demo', 'write the landing files of a demo shop')
    .addOption(new Option('--out <dir>', 'folder to write to (default: the landing folder)').argParser(notEmpty))
    .addOption(new Option('--scale <n>', 'size: 1 is 2,000 orders (default: 1)').argParser(positive))
    .addOption(new Option('--seed <n>', 'another seed, another shop (default: 42)').argParser(wholeNumber(0)))
    .addOption(asOf('the last day of the data (default: today, UTC)'))
    .addOption(
      new Option('--next-day', 'write the day that follows what the demo shop in the folder has').conflicts([
        'scale',
        'seed',
        'asOf',
      ]),
    )
    .addOption(new Option('--days <n>', 'with --next-day: as many days (default: 1)').argParser(wholeNumber(1)))
    .action(async (options: DemoOptions, command: Command) => {
      if (options.days !== undefined && !options.nextDay)
        command.error('error: --days counts the days that --next-day writes: give both');
      const { demoCommand } = await import('./command/demo.js');
      await run({}, (call) => demoCommand(call, options));
    });

  add('releases', 'list the releases, newest first')
    .addOption(lake())
    .addOption(new Option('--limit <n>', 'as many (default: SHOPSMART_KEEP_RELEASES)').argParser(wholeNumber(1)))
    .option('--json', 'print one JSON document')
    .action(async (options: LakeOptions & { limit?: number; json?: true }) => {
      const { releasesCommand } = await import('./command/releases.js');
      await run(options, (call) => releasesCommand(call, options));
    });

  add('diff', 'what changed between two releases: rows added, removed and changed, by table')
    .addArgument(new Argument('<a>', 'number of a release').argParser(wholeNumber(1)))
    .addArgument(new Argument('<b>', 'number of another, usually a later one').argParser(wholeNumber(1)))
    .addOption(lake())
    .option('--json', 'print one JSON document')
    .action(async (before: number, after: number, options: LakeOptions & { json?: true }) => {
      const { diffCommand } = await import('./command/diff.js');
      await run(options, (call) => diffCommand(call, { before, after, ...options }));
    });

  add('rollback', 'publish the state of an earlier release again; bronze stays, later loads count no more')
    .addArgument(new Argument('<n>', 'number of the release to go back to').argParser(wholeNumber(1)))
    .addOption(lake())
    .option('--json', 'print one JSON document')
    .action(async (to: number, options: LakeOptions & { json?: true }) => {
      const { rollbackCommand } = await import('./command/rollback.js');
      await run(options, (call) => rollbackCommand(call, { to, ...options }));
    });

  addLoads(shopsmart, { run, lake, release, wholeNumber });

  add('export <table>', 'write a table to a file; gold.fact_sales may be called fact_sales')
    .addOption(lake())
    .addOption(release())
    .addOption(
      new Option('--format <name>', 'file format (default: by the ending of FILE, else csv)').choices([
        'parquet',
        'csv',
        'ndjson',
      ]),
    )
    .addOption(
      new Option('--out <file>', 'file to write (default: standard output; parquet needs a file)').argParser(notEmpty),
    )
    .action(async (table: string, options: LakeOptions & { release?: number; format?: string; out?: string }) => {
      const { exportCommand } = await import('./command/export.js');
      await run(options, (call) => exportCommand(call, { table, ...options }));
    });

  add(
    'sql <select>',
    'ask one SELECT; unqualified names are gold, others are silver.orders, bronze.orders, quarantine.orders',
  )
    .addOption(lake())
    .addOption(release())
    .option('--json', 'print {data: [rows], release}')
    .action(async (select: string, options: LakeOptions & { release?: number; json?: true }) => {
      const { sqlCommand } = await import('./command/sql.js');
      await run(options, (call) => sqlCommand(call, { select, ...options }));
    });

  add('trace <table> <key>', 'show a silver or gold row and the records, files and lines behind it')
    .addOption(lake())
    .addOption(release())
    .addOption(
      new Option('--limit <n>', 'records to list of each source, at most 1,000 (default: 20)').argParser(
        wholeNumber(1),
      ),
    )
    .option('--json', 'print {data: {table, key, row, through, sources, shared}, release}')
    .action(
      async (table: string, key: string, options: LakeOptions & { release?: number; limit?: number; json?: true }) => {
        const { traceCommand } = await import('./command/trace.js');
        await run(options, (call) => traceCommand(call, { table, key, ...options }));
      },
    );

  add('prove', 'rebuild a release from bronze beside the lake and compare every row; ends with 1 if anything differs')
    .addOption(lake())
    .addOption(new Option('--release <n>', 'prove that release (default: the newest)').argParser(wholeNumber(1)))
    .option('--json', 'print the proof as one JSON document')
    .action(async (options: LakeOptions & { release?: number; json?: true }) => {
      const { proveCommand } = await import('./command/prove.js');
      await run(options, (call) => proveCommand(call, options));
    });

  add('vacuum', 'drop releases that need not be kept; remove files that no release and no running run needs')
    .addOption(lake())
    .option('--dry-run', 'only list them')
    .action(async (options: LakeOptions & { dryRun?: true }) => {
      const { vacuumCommand } = await import('./command/vacuum.js');
      await run(options, (call) => vacuumCommand(call, options));
    });

  add('doctor', 'check settings, lake and landing: a line each')
    .addOption(lake())
    .addOption(landing())
    .action(async (options: LakeOptions) => {
      const { doctorCommand } = await import('./command/doctor.js');
      await run(options, doctorCommand);
    });

  addQuarantine(shopsmart, { run, lake });

  for (const command of allCommands(shopsmart)) command.exitOverride().showHelpAfterError('(--help lists the options)');
  return shopsmart;
}

function allCommands({ commands }: Command): readonly Command[] {
  return commands.flatMap((command) => [command, ...allCommands(command)]);
}

const lake = () =>
  new Option('--lake <dir>', 'the lake (default: SHOPSMART_LAKE, else ./data/lake)').argParser(notEmpty);
const landing = () =>
  new Option('--landing <dir>', 'where source files land (default: SHOPSMART_LANDING, else ./data/landing)').argParser(
    notEmpty,
  );
const release = () => new Option('--release <n>', 'read that release (default: the newest)').argParser(wholeNumber(1));
const asOf = (description: string) => new Option('--as-of <date>', description).argParser(date);

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number, at least ${least}.`);
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}

/** An empty value is a script's unset variable, not a wish for the default. */
function notEmpty(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty.');
}

function date(text: string): string {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text) && !text.startsWith('0000');
  const parsed = new Date(`${text}T00:00:00Z`);
  if (isDate && !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text)) return text;
  throw new InvalidArgumentError('It must be a date such as 2026-02-17.');
}

/** An option beats the variable that stands for the same. */
function settingOptions({ lake, landing, engine }: LakeOptions): SettingOptions {
  const given = [
    ['SHOPSMART_LAKE', lake, '--lake'],
    ['SHOPSMART_LANDING', landing, '--landing'],
    ['SHOPSMART_ENGINE', engine, '--engine'],
  ] as const;
  return Object.fromEntries(
    given.flatMap(([name, value, from]) => (value === undefined ? [] : [[name, { value, from }]])),
  );
}
