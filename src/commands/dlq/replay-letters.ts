/** Puts letters back where they came from, in order, and notes each append of them. */
import { setTimeout as delay } from 'node:timers/promises';
import { ForetillError } from '../../errors.ts';
import type { Log } from '../../pipeline/log.ts';
import { REPLAYED_TOPIC } from '../../pipeline/topics.ts';
import { originalRecord, readLetter } from './letter.ts';
import type { Letter, Place } from './letter.ts';
import { verdictOf } from './replay-plan.ts';
import type { ReplayRequest } from './replay-plan.ts';
import { noteOf } from './replayed.ts';
import { scan } from './scan.ts';

export type Pace = {
  /** Letters a second. */
  readonly rate: number;
  /** Stops after the append in work. */
  readonly signal: AbortSignal;
  onProgress(replayed: number): void;
};

/** Grows while letters are put back: it is also true when an error ends it. */
export type ReplayOutcome = {
  /** Durable, and noted. */
  replayed: number;
  /** The topic does not take them any more: with the header that counts replays they are beyond its limit. */
  tooLarge: number;
  /** The last letter that was put back. */
  last: Place | null;
};

const PART_MAX = 500;
const PARTS_PER_SECOND = 10;
const SECONDS_PER_BATCH = 5;

export async function replayLetters(
  log: Log,
  request: ReplayRequest,
  outcome: ReplayOutcome,
  { rate, signal, onProgress }: Pace,
): Promise<void> {
  const partMax = Math.max(1, Math.min(PART_MAX, Math.ceil(rate / PARTS_PER_SECOND)));
  const batchRecordsMax = Math.max(1, Math.min(PART_MAX, Math.ceil(rate * SECONDS_PER_BATCH)));
  const startedMs = performance.now();

  async function putBack(letters: readonly Letter[]): Promise<boolean> {
    for (let at = 0; at < letters.length; at += partMax) {
      if (signal.aborted) return false;
      const taken = await append(log, letters.slice(at, at + partMax), request.targets, outcome);
      const last = taken.at(-1);
      if (last !== undefined) {
        await log.append(REPLAYED_TOPIC, [noteOf(taken)]);
        outcome.replayed += taken.length;
        outcome.last = { topic: last.topic, partition: last.partition, offset: last.offset };
        onProgress(outcome.replayed);
      }
      const aheadMs = (1_000 * outcome.replayed) / rate - (performance.now() - startedMs);
      if (aheadMs > 0) await delay(aheadMs, undefined, { signal }).catch(() => {});
    }
    return true;
  }

  for (const stretch of request.topics) {
    await scan(
      log,
      stretch,
      (place, records) => {
        const letters = records.map((record) => readLetter(place, record));
        return putBack(letters.filter((each) => request.filter(each) && verdictOf(each, request) === 'goes'));
      },
      { batchRecordsMax, signal },
    );
  }
}

/** Letters of one partition of dead letters, which all came from one topic. Returns those that its topic took. */
async function append(
  log: Log,
  letters: readonly Letter[],
  targets: ReplayRequest['targets'],
  outcome: ReplayOutcome,
): Promise<readonly Letter[]> {
  const [first] = letters;
  if (first === undefined) return [];
  const { topic } = first.origin;
  const partitions = targets.get(topic) ?? 0;
  try {
    await log.append(
      topic,
      letters.map((letter) => originalRecord(letter, partitions)),
    );
    return letters;
  } catch (error) {
    if (!(error instanceof ForetillError) || error.code !== 'INPUT_INVALID') throw error;
    if (letters.length === 1) {
      outcome.tooLarge += 1;
      return [];
    }
    const taken: Letter[] = [];
    for (const letter of letters) taken.push(...(await append(log, [letter], targets, outcome)));
    return taken;
  }
}
