/** What every `foretill dlq` stands on, and the options that say where it is. */
import { Argument, Command } from 'commander';
import { systemClock } from '../../clock.ts';
import { openMessaging, openRecords } from '../../platform.ts';
import type { Messaging, PlatformOptions, Records } from '../../platform.ts';
import { createTelemetry } from '../../telemetry/telemetry.ts';
import { dataDir, loadConfig } from '../data-dir-settings.ts';
import { dirOption, jsonOption, wholeNumber } from '../options.ts';
import { addMessagingOptions, PLATFORM_ENVIRONMENT, platformPlaces } from '../platform-options.ts';
import type { PlatformPlaces } from '../platform-options.ts';
import { writeErrorDetailsTo } from '../report-error.ts';

export type CommonOptions = PlatformPlaces & { readonly dir?: string; readonly json?: boolean };

const WHERE = `
The log of a data directory belongs to the system that runs on it: stop that first. With Kafka it may go on.
${PLATFORM_ENVIRONMENT}`;

/** A subcommand; `help` are its examples. Its own options come first, then `addCommonOptions`. */
export function dlqSubcommand(name: string, help: string): Command {
  return new Command(name)
    .addHelpText('after', `${help}${WHERE}`)
    .showHelpAfterError('(add --help for the options and examples)')
    .exitOverride();
}

export function addCommonOptions(command: Command): Command {
  return addMessagingOptions(command.addOption(jsonOption()).addOption(dirOption()));
}

/** The place of one letter: topic, partition, offset. */
export function placeArguments({ required }: { readonly required: boolean }): Argument[] {
  const number = wholeNumber(0, Number.MAX_SAFE_INTEGER);
  const name = (word: string): string => (required ? `<${word}>` : `[${word}]`);
  return [
    new Argument(name('topic'), 'dead-letter topic of one letter (with or without .dlq)'),
    new Argument(name('partition'), 'its partition').argParser(number),
    new Argument(name('offset'), 'its offset').argParser(number),
  ];
}

/** Opens, works, closes; what letters say in their own schema is not to be had. */
export function withRecords<T>(options: CommonOptions, work: (records: Records) => Promise<T>): Promise<T> {
  return withOpened(openRecords, options, work);
}

/** As `withRecords`, with the schemas. */
export function withMessaging<T>(
  options: CommonOptions,
  work: (messaging: Messaging) => Promise<T>,
): Promise<T> {
  return withOpened(openMessaging, options, work);
}

async function withOpened<O extends Records, T>(
  open: (options: PlatformOptions) => Promise<O>,
  options: CommonOptions,
  work: (opened: O) => Promise<T>,
): Promise<T> {
  const dir = dataDir(options.dir);
  writeErrorDetailsTo(dir);
  const opened = await open({
    dir,
    config: loadConfig(dir),
    clock: systemClock,
    telemetry: createTelemetry({ level: 'warn', format: 'human' }),
    ...platformPlaces(options),
  });
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}
