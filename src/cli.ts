#!/usr/bin/env node
/** `foretill <command>`: finds the command, loads only that one, and ends with its exit code. */
import { Command, CommanderError } from 'commander';
import { reportError } from './commands/report-error.ts';

type Entry = { readonly summary: string; readonly load: () => Promise<Command> };

const COMMANDS: Readonly<Record<string, Entry>> = {
  demo: {
    summary: 'a chain of stores comes alive: real till lines or a simulator, with live forecasts',
    load: async () => (await import('./commands/demo.ts')).demoCommand(),
  },
  run: {
    summary: 'run the system on a data directory: ingest, forecast and serve',
    load: async () => (await import('./commands/run.ts')).runCommand(),
  },
  import: {
    summary: 'load history and companion data from a CSV file',
    load: async () => (await import('./commands/import.ts')).importCommand(),
  },
  produce: {
    summary: 'send till lines of a CSV file, or simulated ones, as POS events',
    load: async () => (await import('./commands/produce.ts')).produceCommand(),
  },
  backtest: {
    summary: 'how accurate forecasts would have been, on any CSV of series',
    load: async () => (await import('./commands/backtest.ts')).backtestCommand(),
  },
  topics: {
    summary: 'create missing topics and show where each begins and ends',
    load: async () => (await import('./commands/topics.ts')).topicsCommand(),
  },
  dlq: {
    summary: 'list, show and put back what was refused: the dead letters',
    load: async () => (await import('./commands/dlq.ts')).dlqCommand(),
  },
  migrate: {
    summary: 'bring the tables up to the current version',
    load: async () => (await import('./commands/migrate.ts')).migrateCommand(),
  },
  doctor: {
    summary: 'check whether this machine and data directory can run Foretill',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  },
};

const EXIT_CODES = `
Exit codes:
  0 done            2 usage or configuration   3 input file          4 data directory
  5 address in use  6 disk full                7 log                 8 store
  9 schema registry 10 not ready               1 anything unexpected 130 stopped by force

Environment:
  FORETILL_DIR    data directory when --dir is not given
  FORETILL_LOG    debug, info, warn, error or silent
  FORETILL_DEBUG  1: show stack traces`;

// Who reads our output may go before the end of it: `foretill … | head`.
process.stdout.on('error', () => process.exit());
process.on('uncaughtException', (error) => process.exit(reportError(error)));
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const program = await buildProgram(args.find((word) => !word.startsWith('-')));
    await program.parseAsync(args.length === 0 ? ['--help'] : args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error);
  }
}

async function buildProgram(chosen: string | undefined): Promise<Command> {
  const program = new Command('foretill')
    .description('Sales forecasts for retail, updated as each sale arrives.')
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for the options and examples)')
    .exitOverride()
    .addHelpText('afterAll', EXIT_CODES);
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = name === chosen ? await load() : new Command(name);
    program.addCommand(
      command
        .description(summary)
        .exitOverride()
        .showHelpAfterError('(add --help for the options and examples)'),
    );
  }
  return program;
}
