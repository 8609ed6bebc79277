/**
 * `npm run stack -- start|stop|status`: Kafka, a schema registry, ClickHouse, and Prometheus and Alertmanager where
 * they are installed, on this machine, for development and tests. All listen on the loopback only. Data, logs and what
 * was started are kept in a directory; a stack that is stopped and started again has its topics, schemas and tables.
 *
 * Exit codes: 0 done (status: ready), 2 usage, 4 directory, 5 no free port, 10 not ready, 130 interrupted.
 */
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { lockDataDir } from '../../src/adapters/data-dir-lock.ts';
import { reportError, writeErrorDetailsTo } from '../../src/commands/report-error.ts';
import { exitCodeOf, ForetillError } from '../../src/errors.ts';
import { endParts } from './end-parts.ts';
import { statusText } from './status-text.ts';
import { startStack } from './start-stack.ts';
import { isAlive, readState, writeState } from './state-file.ts';
import { stackStatus } from './status.ts';

type Options = { readonly dir: string; readonly json?: true; readonly anyPorts?: true };

const USUAL_DIR = '.foretill/stack';
/** The longest that another command may take before it, a first fetch included. */
const LOCK_MS_MAX = 600_000;
const INTERRUPTED_EXIT_CODE = 130;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const program = new Command('npm run stack --')
      .description('Kafka, a schema registry and ClickHouse on this machine, for development and tests.')
      .exitOverride()
      .showHelpAfterError();
    subcommand(program, 'start', 'start what does not run yet, and wait until all of it answers')
      .option('--any-ports', 'any ports that are free instead of the usual ones')
      .action(start);
    subcommand(program, 'stop', 'stop what was started').action(stop);
    subcommand(program, 'status', 'what runs and answers, and where').action(status);
    await program.parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodeOf('USAGE');
    return reportError(error);
  }
}

function subcommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--dir <directory>', 'where data, logs and state are kept', USUAL_DIR)
    .option('--json', 'the result as JSON');
}

async function start(options: Options): Promise<void> {
  const dir = ownDir(options);
  const abort = new AbortController();
  const interrupt = (): void => abort.abort(new Error('interrupted'));
  try {
    await locked(dir, async () => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
      const anyPorts = options.anyPorts === true;
      const count = await startStack({ dir, anyPorts, tell, signal: abort.signal });
      if (count === 0) tell('The stack already runs.');
    });
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    tell('Interrupted: what was started has been ended.');
    process.exit(INTERRUPTED_EXIT_CODE);
  }
  await status(options);
}

async function stop(options: Options): Promise<void> {
  const dir = ownDir(options);
  await locked(dir, async () => {
    const running = readState(dir).filter(isAlive);
    tell(
      running.length === 0
        ? 'Nothing of the stack runs.'
        : `Stopping ${running.map(({ name }) => name).join(', ')}…`,
    );
    await endParts(running);
    writeState(dir, []);
  });
  if (options.json === true) process.stdout.write(`${JSON.stringify(await stackStatus(dir), null, 2)}\n`);
}

async function status(options: Options): Promise<void> {
  const found = await stackStatus(ownDir(options));
  process.stdout.write(options.json === true ? `${JSON.stringify(found, null, 2)}\n` : statusText(found));
  process.exitCode = found.ready ? 0 : exitCodeOf('NOT_READY');
}

function ownDir({ dir }: Options): string {
  const path = resolve(dir);
  writeErrorDetailsTo(path);
  return path;
}

/** One command at a time changes a stack. */
async function locked(dir: string, work: () => Promise<void>): Promise<void> {
  const command = 'npm run stack';
  const lock = await lockDataDir(dir, { command }).catch((error: unknown) => {
    if (!(error instanceof ForetillError) || error.code !== 'DATA_DIR_LOCKED') throw error;
    tell(`${error.message} Waiting for it…`);
    return lockDataDir(dir, { command, waitMs: LOCK_MS_MAX });
  });
  try {
    await work();
  } finally {
    await lock.release();
  }
}

/** Progress, beside the result on standard output. */
function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
