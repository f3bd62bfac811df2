import { readSettings, type SettingOptions, type Settings } from '#platform';
import { exitCode, exitCodeOf, type ExitCode } from './exit-code.js';
import { errorText } from './terminal/error-text.js';
import { Terminal } from './terminal/terminal.js';

/** What every command is given. */
export interface Call {
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

export type CommandBody = (call: Call) => Promise<ExitCode | void>;

/** Reads the settings, runs a command and turns whatever it throws into a message and an exit code. Never throws. */
export async function callCommand(
  signal: AbortSignal,
  options: SettingOptions,
  command: CommandBody,
): Promise<ExitCode> {
  let debug = false;
  try {
    const settings = readSettings(options);
    debug = settings.logLevel === 'debug';
    const terminal = new Terminal(process.stdout, process.stderr, settings.logLevel);
    return (await command({ settings, terminal, signal })) ?? exitCode.done;
  } catch (error) {
    process.stderr.write(signal.aborted ? 'Stopped. Nothing of this was published.\n' : `${errorText(error, debug)}\n`);
    return signal.aborted ? exitCode.failed : exitCodeOf(error);
  }
}
