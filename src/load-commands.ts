import { InvalidArgumentError, Option, type Command } from 'commander';
import type { WithdrawnLoad } from '#releases';
import type { CommandBody } from './call.js';
import type { ListLoadsOptions } from './command/loads.js';
import type { ExitCode } from './exit-code.js';

interface Shared {
  readonly run: (options: { readonly lake?: string }, command: CommandBody) => Promise<void>;
  readonly lake: () => Option;
  readonly release: () => Option;
  readonly wholeNumber: (least: number) => (text: string) => number;
}

type Lake = { readonly lake?: string };
type Changing = Lake & { readonly reason?: string; readonly json?: true };

/** `shopsmart loads …` */
export function addLoads(shopsmart: Command, { run, lake, release, wholeNumber }: Shared): void {
  const loads = shopsmart.command('loads').description('what was loaded into bronze; loads that count no more');
  const add = (usage: string, description: string) =>
    loads.command(usage).description(description).addOption(lake()).option('--json', 'print one JSON document');
  const commands = () => import('./command/loads.js');

  add('list', 'loads, newest first')
    .addOption(release())
    .option('--withdrawn', 'only those that count no more')
    .option('--source <name>', 'only those of that source')
    .addOption(new Option('--limit <n>', 'as many (default: 50)').argParser(wholeNumber(1)))
    .action(async (options: Lake & ListLoadsOptions) => {
      const { listLoadsCommand } = await commands();
      await run(options, (call) => listLoadsCommand(call, options));
    });
  for (const [name, description] of [
    ['restore', 'let withdrawn loads count again: publishes a release'],
    ['withdraw', 'let loads count no more: publishes a release; bronze keeps their records'],
  ] as const) {
    add(name, description)
      .option('--reason <text>', 'why')
      .argument('<loads...>', 'as loads list names them: orders/3', loadArgument)
      .action(async (named: readonly WithdrawnLoad[], options: Changing) => {
        const { changeLoadsCommand } = await commands();
        await run(options, (call): Promise<ExitCode> => changeLoadsCommand(call, name, named, options));
      });
  }
}

function loadArgument(text: string, before: readonly WithdrawnLoad[] = []): readonly WithdrawnLoad[] {
  const [, source, load] = /^([\w-]+)\/([1-9]\d{0,14})$/.exec(text) ?? [];
  if (source === undefined) throw new InvalidArgumentError('A load is named SOURCE/N, as orders/3.');
  return [...before, { source, load: Number(load) }];
}
