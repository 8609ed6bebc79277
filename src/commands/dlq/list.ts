/** `foretill dlq list`: what was refused, and why. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { ForetillError } from '../../errors.ts';
import type { Records } from '../../platform.ts';
import { wholeNumber } from '../options.ts';
import type { Cursor } from './cursor.ts';
import { parseCursor } from './cursor.ts';
import { addFilterOptions, letterFilter } from './filter.ts';
import type { FilterOptions } from './filter.ts';
import { addCommonOptions, dlqSubcommand, withRecords } from './open.ts';
import type { CommonOptions } from './open.ts';
import { readPage } from './page.ts';
import type { Page } from './page.ts';
import type { LetterEntry } from './partition-letters.ts';
import { instant, printable } from './printable.ts';
import { readingProgress } from './reading-progress.ts';
import { readReplayed } from './replayed.ts';
import type { Replayed } from './replayed.ts';
import { summarise } from './summary.ts';
import type { SummaryRow } from './summary.ts';
import { deadLetterTopics } from './topics.ts';

type Options = CommonOptions &
  FilterOptions & {
    readonly limit: number;
    readonly oldestFirst?: boolean;
    readonly before?: Cursor;
    readonly after?: Cursor;
    readonly pending?: boolean;
    readonly summary?: boolean;
  };

/** Entries are held in memory, without their bytes. */
const LIMIT_MAX = 10_000;
const DEFAULT_LIMIT = 50;

const HELP = `
Examples:
  foretill dlq list --summary                               how many of what
  foretill dlq list --reason unknown_schema --since 2017-03-27
  foretill dlq list --store 406 --contains T-1001 --pending
  foretill dlq list --before retail.pos.transaction.v1.dlq/0/1200      the page before this letter

With --json one object:
  {"letters": [{"topic", "partition", "offset", "refusedAt", "stage", "reason", "error", "key", "valueBytes",
                "omitted", "replays", "replayed",
                "origin": {"topic", "partition", "offset", "timestamp"}}],
   "next": place for --before (--after with --oldest-first), null on the last page}
and with --summary:
  {"summary": [{"topic", "reason", "letters", "replayed", "oldest", "newest"}], "letters"}
Times are ISO 8601 in UTC. "omitted" says why a letter has no value (card_data, too_large), "replays" how often it had
been put back before it was refused this time, "replayed" whether it has been put back since.
`;

export function listCommand(): Command {
  const command = dlqSubcommand('list', HELP)
    .description('what was refused, and why')
    .addOption(
      new Option('--limit <n>', 'letters on a page')
        .argParser(wholeNumber(1, LIMIT_MAX))
        .default(DEFAULT_LIMIT),
    )
    .option('--oldest-first', 'instead of the newest first')
    .addOption(
      new Option('--before <place>', 'letters before it: the page that follows, newest first')
        .argParser(parseCursor)
        .conflicts(['oldestFirst', 'after', 'summary']),
    )
    .addOption(
      new Option('--after <place>', 'letters from it on: the page that follows, oldest first')
        .argParser(parseCursor)
        .conflicts(['summary']),
    )
    .option('--pending', 'only what has not been put back yet')
    .option('--summary', 'how many of each topic and reason, oldest and newest');
  return addCommonOptions(addFilterOptions(command)).action(async (options: Options) => {
    if (options.after !== undefined && options.oldestFirst !== true) {
      throw new ForetillError('USAGE', '--after goes with --oldest-first.', {
        remedy: 'Add --oldest-first, or use --before: the newest come first.',
      });
    }
    await withRecords(options, (platform) => list(platform, options));
  });
}

async function list({ log, config }: Records, options: Options): Promise<void> {
  const topics = await deadLetterTopics(log, options.topic ?? []);
  const replayed = await readReplayed(log, topics);
  const chosen = letterFilter(options, config.timeZone);
  const filter: typeof chosen = (letter) =>
    chosen(letter) && !(options.pending === true && replayed.has(letter));
  const { onRead, end } = readingProgress(topics);
  if (options.summary === true) {
    const rows = await summarise(log, topics, { filter, replayed }, { onRead });
    end();
    printSummary(rows, options);
    return;
  }
  const order = options.oldestFirst === true ? 'oldest' : 'newest';
  const cursor = options.before ?? options.after ?? null;
  const page = await readPage(log, topics, { order, limit: options.limit, filter, cursor, onRead });
  end();
  printPage(page, replayed, options);
}

function printPage({ letters, next }: Page, replayed: Replayed, options: Options): void {
  if (options.json === true) {
    const json = letters.map((entry) => toJson(entry, replayed.has(entry)));
    process.stdout.write(`${JSON.stringify({ letters: json, next })}\n`);
    return;
  }
  if (letters.length === 0) process.stdout.write('No letters.\n');
  for (const entry of letters) process.stdout.write(`${lineOf(entry, replayed.has(entry))}\n`);
  if (next !== null)
    process.stdout.write(
      `More: ${options.oldestFirst === true ? '--oldest-first --after' : '--before'} ${next}\n`,
    );
}

function lineOf(entry: LetterEntry, isReplayed: boolean): string {
  const { topic, partition, offset, stage, reason, key, valueBytes, omitted, replays, error } = entry;
  const facts = [
    `${topic}/${partition}/${offset}`,
    `${stage} ${reason}`,
    key === null ? 'no key' : `key ${key}`,
    valueBytes === null ? `no value${omitted === null ? '' : ` (${omitted})`}` : `${valueBytes} bytes`,
    ...(replays === 0 ? [] : [`came back ${replays === 1 ? 'once' : `${replays} times`}`]),
    ...(isReplayed ? ['put back'] : []),
  ];
  return `${instant(entry.refusedAtMs)}  ${printable(facts.join(', '))}\n    ${printable(error)}`;
}

function toJson(entry: LetterEntry, isReplayed: boolean): unknown {
  const { refusedAtMs, origin, ...rest } = entry;
  const { timestampMs, ...from } = origin;
  return {
    ...rest,
    refusedAt: instant(refusedAtMs),
    replayed: isReplayed,
    origin: { ...from, timestamp: timestampMs === null ? null : instant(timestampMs) },
  };
}

function printSummary(rows: readonly SummaryRow[], options: Options): void {
  const letters = rows.reduce((sum, row) => sum + row.letters, 0);
  if (options.json === true) {
    const summary = rows.map(({ oldestMs, newestMs, ...rest }) => ({
      ...rest,
      oldest: instant(oldestMs),
      newest: instant(newestMs),
    }));
    process.stdout.write(`${JSON.stringify({ summary, letters })}\n`);
    return;
  }
  for (const row of rows) {
    const count = row.letters.toLocaleString('en').padStart(12);
    const back = row.replayed === 0 ? '' : `, ${row.replayed.toLocaleString('en')} put back`;
    process.stdout.write(
      `${row.topic}  ${printable(row.reason).padEnd(24)}${count}  ${instant(row.oldestMs)} … ${instant(row.newestMs)}${back}\n`,
    );
  }
  process.stdout.write(`${letters.toLocaleString('en')} letters\n`);
}
