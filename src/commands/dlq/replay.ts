/** `foretill dlq replay`: puts refused records back to the topic they came from. */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { ForetillError } from '../../errors.ts';
import type { Log } from '../../pipeline/log.ts';
import type { Records } from '../../platform.ts';
import { wholeNumber } from '../options.ts';
import { startProgress } from '../progress.ts';
import { stopSignal } from '../stop-signal.ts';
import { addFilterOptions, letterFilter } from './filter.ts';
import type { FilterOptions } from './filter.ts';
import type { Place } from './letter.ts';
import { oneLetter } from './one-letter.ts';
import { addCommonOptions, dlqSubcommand, placeArguments, withRecords } from './open.ts';
import type { CommonOptions } from './open.ts';
import { printable } from './printable.ts';
import { replayLetters } from './replay-letters.ts';
import type { ReplayOutcome } from './replay-letters.ts';
import { planReplay, replayTargets } from './replay-plan.ts';
import type { LeftOut, Plan, ReplayRequest } from './replay-plan.ts';
import { readingProgress } from './reading-progress.ts';
import { readReplayed } from './replayed.ts';
import { deadLetterTopics } from './topics.ts';

type Options = CommonOptions &
  FilterOptions & {
    readonly dryRun?: boolean;
    readonly rate?: number;
    readonly yes?: boolean;
    readonly again?: boolean;
  };

const HELP = `
Examples:
  foretill dlq replay --reason unknown_schema --dry-run     which letters would go where
  foretill dlq replay --reason unknown_schema --rate 200 --yes
  foretill dlq replay retail.pos.transaction.v1 0 1200      this one

Key, value and headers go back as they were, to the partition they were in, with a header foretill-replays that counts.
Only letters that are there at the start are put back: what is refused once more becomes a new letter. Putting a ticket
back twice changes no total. What has been put back is left out the next time, so that after Ctrl-C or a failure the
same command goes on; --again puts it back once more. Letters without a value (card data) are left out and counted.

With --json one object:
  {"dryRun", "letters", "routes": [{"from", "to", "reason", "letters"}],
   "leftOut": {"replayed", "withoutBytes", "elsewhere"}, "replayed", "tooLarge", "stopped", "last"}
"letters" is how many were to go, "replayed" how many went, "last" the place of the last of them.
`;

export function replayCommand(): Command {
  const command = dlqSubcommand('replay', HELP).description('put refused records back where they came from');
  for (const argument of placeArguments({ required: false })) command.addArgument(argument);
  addFilterOptions(command)
    .option('--dry-run', 'say what would go where, and put nothing back')
    .addOption(
      new Option('--rate <n>', 'letters a second (default: as fast as they are taken)').argParser(
        wholeNumber(1, 1e6),
      ),
    )
    .option('--yes', 'do not ask before more than one letter is put back')
    .option('--again', 'also what has been put back before');
  return addCommonOptions(command).action(
    async (
      topic: string | undefined,
      partition: number | undefined,
      offset: number | undefined,
      options: Options,
    ) => {
      const place = placeOf(topic, partition, offset, options);
      await withRecords(options, (platform) => replay(platform, place, options));
    },
  );
}

async function replay({ log, config }: Records, place: Place | null, options: Options): Promise<void> {
  const topics =
    place === null ? await deadLetterTopics(log, options.topic ?? []) : [await oneLetter(log, place)];
  const request: ReplayRequest = {
    topics,
    filter: letterFilter(options, config.timeZone),
    replayed: options.again === true ? null : await readReplayed(log, topics),
    targets: await replayTargets(log),
  };
  const signal = stopSignal(() => process.stderr.write('\nStopping after these letters.\n'));
  const { onRead, end } = readingProgress(topics);
  const plan = await planReplay(log, request, { signal, onRead });
  end();
  const outcome: ReplayOutcome = { replayed: 0, tooLarge: 0, last: null };
  if (options.dryRun !== true && !signal.aborted && (await agreed(plan, options, signal)))
    await putBack(log, request, { plan, outcome, options, signal });
  report(plan, outcome, { ...options, stopped: signal.aborted });
}

type Work = {
  readonly plan: Plan;
  readonly outcome: ReplayOutcome;
  readonly options: Options;
  readonly signal: AbortSignal;
};

async function putBack(
  log: Log,
  request: ReplayRequest,
  { plan, outcome, options, signal }: Work,
): Promise<void> {
  if (plan.letters === 0) return;
  const progress = startProgress({ label: 'Putting letters back', total: plan.letters });
  const note = (): string => `${outcome.replayed.toLocaleString('en')} letters`;
  try {
    await replayLetters(log, request, outcome, {
      rate: options.rate ?? Number.POSITIVE_INFINITY,
      signal,
      onProgress: (replayed) => progress.update(replayed, note()),
    });
    if (signal.aborted) progress.giveUp();
    else progress.stop(note());
  } catch (error) {
    progress.giveUp();
    process.stderr.write(`${howFar(plan, outcome)} The same command goes on from there.\n`);
    throw error;
  }
}

/** Rejects with USAGE where nobody can be asked. */
async function agreed({ letters, routes }: Plan, { yes }: Options, signal: AbortSignal): Promise<boolean> {
  if (letters <= 1 || yes === true) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new ForetillError('USAGE', `${letters.toLocaleString('en')} letters would be put back.`, {
      remedy: 'Look at them with --dry-run, then say --yes: there is no terminal to ask on.',
    });
  }
  for (const line of routeLines(routes)) process.stderr.write(`${line}\n`);
  const answer = await ask(`Put ${letters.toLocaleString('en')} letters back? [y/N] `, signal);
  return /^y(es)?$/i.test(answer.trim());
}

/** Nothing when the input ends, or at Ctrl-C. */
async function ask(question: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<null>((resolve) => terminal.once('close', () => resolve(null)));
  const answer = await Promise.race([terminal.question(question, { signal }).catch(() => null), closed]);
  terminal.close();
  if (answer === null) process.stderr.write('\n');
  return answer ?? '';
}

function placeOf(
  topic: string | undefined,
  partition: number | undefined,
  offset: number | undefined,
  options: Options,
): Place | null {
  if (topic === undefined) return null;
  if (partition !== undefined && offset !== undefined && options.topic === undefined)
    return { topic, partition, offset };
  throw new ForetillError('USAGE', 'One letter is named by topic, partition and offset, all three.', {
    remedy: 'For all letters of a topic use --topic; `foretill dlq replay --help` has examples.',
  });
}

function report(
  plan: Plan,
  outcome: ReplayOutcome,
  { dryRun, json, stopped }: Options & { readonly stopped: boolean },
): void {
  if (json === true) {
    const { letters, routes, leftOut } = plan;
    const said = { dryRun: dryRun === true, letters, routes, leftOut, ...outcome, stopped };
    process.stdout.write(`${JSON.stringify(said)}\n`);
    return;
  }
  const lines =
    dryRun === true
      ? [...routeLines(plan.routes), `${plan.letters.toLocaleString('en')} letters would be put back.`]
      : [howFar(plan, outcome), ...(stopped ? ['Stopped; the same command goes on from there.'] : [])];
  if (outcome.tooLarge > 0) lines.push(`${outcome.tooLarge} are too large for the topic they came from.`);
  process.stdout.write(`${[...lines, ...leftOutLines(plan.leftOut)].join('\n')}\n`);
}

function howFar({ letters }: Plan, { replayed, last }: ReplayOutcome): string {
  const of = `${replayed.toLocaleString('en')} of ${letters.toLocaleString('en')} letters put back`;
  return last === null ? `${of}.` : `${of}, the last was ${last.topic}/${last.partition}/${last.offset}.`;
}

function routeLines(routes: Plan['routes']): string[] {
  return routes.map(
    ({ from, to, reason, letters }) =>
      `${from} → ${to}  ${printable(reason)}  ${letters.toLocaleString('en')}`,
  );
}

function leftOutLines({ replayed, withoutBytes, elsewhere }: LeftOut): string[] {
  const lines = [
    [replayed, 'put back before (--again includes them)'],
    [withoutBytes, 'without a value: nothing to put back'],
    [elsewhere, 'not from the topic that these are the dead letters of'],
  ] as const;
  return lines.flatMap(([count, why]) =>
    count === 0 ? [] : [`Left out: ${count.toLocaleString('en')} ${why}.`],
  );
}
