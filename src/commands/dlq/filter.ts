/** Which dead letters are meant: options on the command line, and the question they put to each letter. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { instantOfText } from '../../adapters/csv/local-time.ts';
import { ForetillError } from '../../errors.ts';
import { collect, dateText } from '../options.ts';
import type { Letter } from './letter.ts';

/** As they come from the command line. */
export type FilterOptions = {
  readonly topic?: readonly string[];
  readonly reason?: readonly string[];
  readonly stage?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly key?: string;
  readonly store?: string;
  readonly contains?: string;
};

export type LetterFilter = (letter: Letter) => boolean;

export function addFilterOptions(command: Command): Command {
  return command
    .addOption(repeatable('--topic <name>', 'of this topic (with or without .dlq; repeatable; default: all)'))
    .addOption(
      repeatable('--reason <code>', 'refused for this reason, e.g. malformed, out_of_range (repeatable)'),
    )
    .addOption(repeatable('--stage <name>', 'refused at this stage: decode or parse (repeatable)'))
    .option(
      '--since <time>',
      'refused at or after it: 2017-03-27, 2017-03-27T06:00, 2017-03-27T06:00:00Z',
      dateText,
    )
    .option(
      '--until <time>',
      'refused before it; without an offset both are in the zone of the chain',
      dateText,
    )
    .option('--key <text>', 'with this key', nonEmpty)
    .addOption(
      new Option('--store <id>', 'of this store: the key of a ticket').argParser(nonEmpty).conflicts('key'),
    )
    .option('--contains <text>', 'with this text in the value, the key, the error or a header', nonEmpty);
}

/** Throws USAGE for a time that is none. `timeZone`: of times without an offset. */
export function letterFilter(options: Omit<FilterOptions, 'topic'>, timeZone: string): LetterFilter {
  const sinceMs = instantOf('--since', options.since, timeZone) ?? Number.NEGATIVE_INFINITY;
  const untilMs = instantOf('--until', options.until, timeZone) ?? Number.POSITIVE_INFINITY;
  const keyText = options.key ?? options.store;
  const key = keyText === undefined ? null : Buffer.from(keyText);
  const reasons = new Set(options.reason ?? []);
  const stages = new Set(options.stage ?? []);
  const text = options.contains === undefined ? null : Buffer.from(options.contains);
  return (letter) =>
    letter.refusedAtMs >= sinceMs &&
    letter.refusedAtMs < untilMs &&
    (reasons.size === 0 || reasons.has(letter.reason)) &&
    (stages.size === 0 || stages.has(letter.stage)) &&
    (key === null || (letter.key !== null && letter.key.equals(key))) &&
    (text === null || holds(letter, text));
}

function holds({ key, value, headers }: Letter, text: Buffer): boolean {
  return [value, key, ...Object.values(headers)].some((bytes) => bytes !== null && bytes.includes(text));
}

function instantOf(option: string, text: string | undefined, timeZone: string): number | null {
  if (text === undefined) return null;
  const ms = instantOfText(text, { timeZone, order: 'iso' });
  if (ms !== null) return ms;
  throw new ForetillError('USAGE', `${option} ${text} is no time.`, {
    remedy: 'Write it like 2017-03-27, 2017-03-27T06:00 or 2017-03-27T06:00:00Z.',
  });
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: readonly string[] | undefined) =>
    collect(value, before ?? []),
  );
}

function nonEmpty(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It must not be empty.');
}
