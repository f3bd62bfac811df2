import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandBody } from './call.js';
import type { ListOptions, RepairOptions } from './command/quarantine.js';

interface Shared {
  readonly run: (options: { readonly lake?: string }, command: CommandBody) => Promise<void>;
  readonly lake: () => Option;
}

type Lake = { readonly lake?: string };
type Because = Lake & { readonly reason?: string; readonly json?: true };

/** `shopsmart quarantine …` */
export function addQuarantine(shopsmart: Command, { run, lake }: Shared): void {
  const quarantine = shopsmart
    .command('quarantine')
    .description('rejected records: look at them, repair them, replay them');
  const add = (usage: string, description: string) =>
    quarantine.command(usage).description(description).addOption(lake()).option('--json', 'print one JSON document');
  const commands = () => import('./command/quarantine.js');

  filters(add('list', 'rejected records, and how many break each rule'))
    .option('--source <name>', 'of that source')
    .option('--rule <name>', 'that break that rule')
    .addOption(
      new Option('--state <name>', 'which of them (default: open)').choices(['open', 'repaired', 'superseded', 'all']),
    )
    .addOption(new Option('--limit <n>', 'as many, at most 1,000 (default: 20)').argParser(upTo(1_000)))
    .option('--cursor <text>', 'go on where an earlier list ended')
    .action(async (options: Lake & ListOptions) => {
      const { listCommand } = await commands();
      await run(options, (call) => listCommand(call, options));
    });
  add('show <id>', 'a record as it came, field by field, beside its reasons').action(
    async (id: string, options: Lake & { json?: true }) => {
      const { showCommand } = await commands();
      await run(options, (call) => showCommand(call, id, options));
    },
  );
  filters(add('repair [id]', 'draft a repair of one record, or of every open one that breaks a rule'))
    .option('--rule <name>', 'repair every open record that breaks that rule')
    .option(
      '--set <field=value>',
      'what a field becomes, as often as needed; field= empties it, field=@other copies, a.b reaches into JSON',
      (change: string, before: readonly string[] = []) => [...before, change],
    )
    .option('--record <json>', 'the whole record, where it could not be told apart into fields')
    .option('--reason <text>', 'why')
    .option('--force', 'keep what would still be rejected, too')
    .action(async (id: string | undefined, options: Lake & RepairOptions) => {
      const { repairCommand } = await commands();
      await run(options, (call) => repairCommand(call, id, options));
    });
  add('pending', 'repairs that wait to be replayed').action(async (options: Lake & { json?: true }) => {
    const { pendingCommand } = await commands();
    await run(options, (call) => pendingCommand(call, options));
  });
  add('preview [repairs...]', 'what a replay would do to tables and daily figures; changes nothing').action(
    async (ids: readonly string[], options: Because) => {
      const { previewCommand } = await commands();
      await run(options, (call) => previewCommand(call, ids, options));
    },
  );
  add('replay [repairs...]', 'publish pending repairs: all, or those named')
    .option('--reason <text>', 'why')
    .action(async (ids: readonly string[], options: Because) => {
      const { replayCommand } = await commands();
      await run(options, (call) => replayCommand(call, ids, options));
    });
  add('undo <repair>', 'drop a pending repair, or take a replayed one back')
    .option('--reason <text>', 'why')
    .action(async (id: string, options: Because) => {
      const { undoCommand } = await commands();
      await run(options, (call) => undoCommand(call, id, options));
    });
  add('redo <repair>', 'let a repair count again that was undone after its replay')
    .option('--reason <text>', 'why')
    .action(async (id: string, options: Because) => {
      const { redoCommand } = await commands();
      await run(options, (call) => redoCommand(call, id, options));
    });
  add('log', 'who repaired what, newest first').action(async (options: Lake & { json?: true }) => {
    const { logCommand } = await commands();
    await run(options, (call) => logCommand(call, options));
  });
}

function filters(command: Command): Command {
  return command
    .option('--table <name>', 'of the quarantine of that table')
    .option('--file <path>', 'of that landing file')
    .option('--run <id>', 'loaded by that run')
    .option('--text <text>', 'that have it somewhere, in any case');
}

function upTo(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
  };
}
