/** `foretill dlq`: the dead letters, i.e. what was refused, with its bytes and the reason. */
import { Command } from 'commander';
import { listCommand } from './dlq/list.ts';
import { replayCommand } from './dlq/replay.ts';
import { showCommand } from './dlq/show.ts';

const HELP = `
Examples:
  foretill dlq list --summary
  foretill dlq show retail.pos.transaction.v1 0 1200
  foretill dlq replay --reason unknown_schema --dry-run`;

export function dlqCommand(): Command {
  return new Command('dlq')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(replayCommand())
    .addHelpText('after', HELP);
}
