/** What putting letters back would do: which go where, and which are left out and why. */
import type { Log } from '../../pipeline/log.ts';
import { isDeadLetterTopic } from '../../pipeline/topics.ts';
import type { LetterFilter } from './filter.ts';
import { readLetter } from './letter.ts';
import type { Letter } from './letter.ts';
import type { Replayed } from './replayed.ts';
import { scan } from './scan.ts';
import type { ScanOptions, Stretch } from './scan.ts';

export type ReplayRequest = {
  readonly topics: readonly Stretch[];
  readonly filter: LetterFilter;
  /** What has been put back is left out; null: put back again. */
  readonly replayed: Replayed | null;
  /** Topics that letters can go back to, with their partitions. */
  readonly targets: ReadonlyMap<string, number>;
};

export type Verdict = 'goes' | keyof LeftOut;

export type LeftOut = {
  /** Put back before. */
  readonly replayed: number;
  /** There is nothing to put back: card data, a value that was too large or was never there. */
  readonly withoutBytes: number;
  /** From a topic that is not there, or that these are not the dead letters of. */
  readonly elsewhere: number;
};

export type Plan = {
  readonly letters: number;
  readonly routes: readonly Route[];
  readonly leftOut: LeftOut;
};

type Route = {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly letters: number;
};

/** Reasons are few; where others write letters of ever new ones, the rest is counted together. */
const ROUTES_MAX = 1_000;

export async function replayTargets(log: Pick<Log, 'topics'>): Promise<Map<string, number>> {
  const topics = (await log.topics()).filter(({ name }) => !isDeadLetterTopic(name));
  return new Map(topics.map(({ name, partitions }) => [name, partitions]));
}

/** Of a letter that the filter lets through. */
export function verdictOf(letter: Letter, { replayed, targets }: ReplayRequest): Verdict {
  if (letter.value === null) return 'withoutBytes';
  if (!targets.has(letter.origin.topic) || letter.topic !== `${letter.origin.topic}.dlq`) return 'elsewhere';
  return replayed?.has(letter) === true ? 'replayed' : 'goes';
}

/** Reads all letters, and changes nothing. */
export async function planReplay(
  log: Pick<Log, 'tail' | 'offsets'>,
  request: ReplayRequest,
  options: ScanOptions = {},
): Promise<Plan> {
  const routes = new Map<string, Route>();
  const count = { goes: 0, replayed: 0, withoutBytes: 0, elsewhere: 0 };
  for (const stretch of request.topics) {
    await scan(
      log,
      stretch,
      (place, records) => {
        for (const record of records) {
          const letter = readLetter(place, record);
          if (!request.filter(letter)) continue;
          const verdict = verdictOf(letter, request);
          count[verdict] += 1;
          if (verdict === 'goes') addRoute(routes, letter);
        }
      },
      options,
    );
  }
  const { goes, ...leftOut } = count;
  return { letters: goes, routes: [...routes.values()], leftOut };
}

function addRoute(routes: Map<string, Route>, { topic: from, origin: { topic: to }, reason }: Letter): void {
  const named = `${from} ${reason}`;
  const known = routes.has(named) || routes.size < ROUTES_MAX;
  const name = known ? named : from;
  const letters = (routes.get(name)?.letters ?? 0) + 1;
  routes.set(name, { from, to, reason: known ? reason : '(other reasons)', letters });
}
