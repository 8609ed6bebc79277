/** `foretill produce`: till lines of a file, or simulated ones, as POS events. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { openTable } from '../adapters/csv/open-table.ts';
import { readTickets } from '../adapters/csv/read-tickets.ts';
import { createRowProblems } from '../adapters/csv/row-problems.ts';
import type { RowProblems } from '../adapters/csv/row-problems.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { exitCodeOf, ForetillError } from '../errors.ts';
import type { TransactionMessage } from '../sales/transaction-message.ts';
import { STORES_MAX } from '../simulator/chain.ts';
import { dataDir, loadConfig } from './data-dir-settings.ts';
import { dirOption, jsonOption, positiveNumber, wholeNumber } from './options.ts';
import { openDestination } from './produce-destination.ts';
import type { Destination } from './produce-destination.ts';
import { simulatedNow } from './produce-simulated.ts';
import { addMessagingOptions, PLATFORM_ENVIRONMENT, platformPlaces } from './platform-options.ts';
import type { PlatformPlaces } from './platform-options.ts';
import { startProgress } from './progress.ts';
import { writeErrorDetailsTo } from './report-error.ts';
import { stopSignal } from './stop-signal.ts';
import { addTillOptions, KNOWN_FILES, tillSource } from './till-options.ts';
import type { TillOptions } from './till-options.ts';

type Options = TillOptions &
  PlatformPlaces & {
    readonly simulate?: boolean;
    readonly rate?: number;
    readonly count?: number;
    readonly stores: number;
    readonly seed?: string;
    readonly url?: string;
    readonly tokenFile?: string;
    readonly dir?: string;
    readonly json?: boolean;
  };

/** Batches of messages, and how far the input has been read, 0 to 1. */
type Input = {
  readonly batches: AsyncIterable<readonly TransactionMessage[]>;
  readonly problems: RowProblems;
  readonly about: string;
  progress(sent: number): number;
};

const DEFAULT_SIMULATED_RATE = 50;
const BATCH_MAX = 500;
const BATCHES_PER_SECOND = 10;
const PROGRESS_STEPS = 1_000;

const EXAMPLES = `
Examples:
  foretill produce till.csv.gz --dir ./data                    straight into the log of a directory that is not in use
  foretill produce till.csv --url http://127.0.0.1:8642        to a running system
  foretill produce --simulate --rate 200 --count 10000         seeded traffic with returns, voids, late and doubled events
  foretill produce till.csv --rate 20 --map sku=ItemNo --zone Europe/Berlin

${KNOWN_FILES}
Times are sent as they are in the file. Sending the same again changes nothing. When the directory is in use, it is
sent to the system that runs on it.

Environment:
  FORETILL_TOKEN  token of the running system, when there is no --token-file
${PLATFORM_ENVIRONMENT}`;

export function produceCommand(): Command {
  const command = new Command('produce')
    .argument('[file]', '.csv or .csv.gz of till lines')
    .option('--simulate', 'a simulated chain that sells now, instead of a file')
    .option(
      '--rate <n>',
      `tickets a second (default: as fast as they are taken; simulated ${DEFAULT_SIMULATED_RATE})`,
      positiveNumber(1e6),
    )
    .option('--count <n>', 'stop after so many tickets', wholeNumber(1, 1e9))
    .option('--stores <n>', 'of the simulated chain', wholeNumber(1, STORES_MAX), 10)
    .option('--seed <seed>', 'of the simulated chain: the same again (default: another each time)')
    .option('--url <url>', 'send to a running system')
    .option('--token-file <file>', 'file with its token')
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES);
  return addMessagingOptions(addTillOptions(command)).action(produce);
}

async function produce(file: string | undefined, options: Options): Promise<void> {
  const dir = dataDir(options.dir);
  writeErrorDetailsTo(dir);
  const config = loadConfig(dir);
  const input = await inputOf(file, options, config);
  const token = tokenOf(options);
  const destination = await openDestination({
    dir,
    config,
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(token === undefined ? {} : { token }),
    ...platformPlaces(options),
  });
  const signal = stopSignal(() => process.stderr.write('\nStopping after this batch.\n'));
  try {
    const sent = await send(input, destination, {
      signal,
      rate: rateOf(options),
      count: options.count ?? Number.POSITIVE_INFINITY,
    });
    report(input, destination, sent, options);
  } finally {
    await destination.close();
  }
}

async function inputOf(file: string | undefined, options: Options, config: Config): Promise<Input> {
  const problems = createRowProblems();
  if ((file === undefined) === (options.simulate !== true)) {
    throw new ForetillError('USAGE', 'There must be either a file or --simulate.', {
      remedy: '`foretill produce --help` has examples.',
    });
  }
  if (file === undefined) {
    const seed = options.seed ?? systemClock.nowMs().toString(36);
    const batches = simulatedNow({ seed, stores: options.stores, config, clock: systemClock });
    return {
      batches,
      problems,
      about: `Simulated tickets, seed ${seed}`,
      progress: (sent) => sent / (options.count ?? Number.POSITIVE_INFINITY),
    };
  }
  const table = await openTable(file);
  const source = tillSource(table.header, options, config);
  const { batches } = readTickets(table, {
    source,
    categoryPath: () => undefined,
    isWanted: () => true,
    problems,
  });
  return {
    batches: messagesOf(batches),
    problems,
    about: `Tickets of ${file}`,
    progress: () => table.bytesRead() / table.bytesTotal,
  };
}

async function* messagesOf(
  batches: AsyncIterable<readonly { readonly message: TransactionMessage }[]>,
): AsyncGenerator<readonly TransactionMessage[]> {
  for await (const batch of batches) yield batch.map(({ message }) => message);
}

type Pace = { readonly signal: AbortSignal; readonly rate: number; readonly count: number };

async function send(input: Input, destination: Destination, { signal, rate, count }: Pace): Promise<number> {
  const size = Math.max(1, Math.min(BATCH_MAX, Math.ceil(rate / BATCHES_PER_SECOND)));
  const progress = startProgress({ label: input.about, total: PROGRESS_STEPS });
  const startedMs = performance.now();
  let sent = 0;
  for await (const batch of input.batches) {
    for (let at = 0; at < batch.length && sent < count && !signal.aborted; at += size) {
      const part = batch.slice(at, Math.min(at + size, at + count - sent));
      await destination.send(part);
      sent += part.length;
      progress.update(PROGRESS_STEPS * input.progress(sent), `${sent.toLocaleString('en')} tickets`);
      const aheadMs = (1_000 * sent) / rate - (performance.now() - startedMs);
      if (aheadMs > 0) await delay(aheadMs, undefined, { signal }).catch(() => {});
    }
    if (sent >= count || signal.aborted) break;
  }
  progress.stop(`${sent.toLocaleString('en')} tickets`);
  return sent;
}

function rateOf(options: Options): number {
  return options.rate ?? (options.simulate === true ? DEFAULT_SIMULATED_RATE : Number.POSITIVE_INFINITY);
}

function tokenOf({ tokenFile }: Options): string | undefined {
  if (tokenFile === undefined) return process.env['FORETILL_TOKEN'];
  try {
    return readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    throw new ForetillError('INPUT_NOT_FOUND', `The token file ${tokenFile} cannot be read.`, {
      remedy: 'Check its path and rights, or set FORETILL_TOKEN.',
      cause: error,
    });
  }
}

function report(input: Input, destination: Destination, sent: number, options: Options): void {
  const { refused } = destination;
  const bad = input.problems.count();
  if (sent === 0 || refused.count === sent) process.exitCode = exitCodeOf('INPUT_INVALID');
  if (options.json === true) {
    const problems = input.problems.kept();
    process.stdout.write(
      `${JSON.stringify({ sent, duplicates: destination.duplicates(), refused: refused.count, bad, destination: destination.name, problems })}\n`,
    );
    return;
  }
  process.stdout.write(
    `${sent.toLocaleString('en')} tickets sent to ${destination.name}, ${destination.duplicates()} of them sent before, ${refused.count} refused, ${bad} bad rows left out\n`,
  );
  for (const message of refused.examples) process.stderr.write(`  refused: ${message}\n`);
  for (const { line, column, reason } of input.problems.kept().slice(0, 20))
    process.stderr.write(`  line ${line}${column === '' ? '' : `, column ${column}`}: ${reason}\n`);
}
