/** Dead letters in a log of their own, for the tests of `foretill dlq`. */
import { onTestFinished } from 'vitest';
import { manualClock } from '../../../src/clock.ts';
import type { Clock } from '../../../src/clock.ts';
import { resolveConfig } from '../../../src/config.ts';
import type { Config } from '../../../src/config.ts';
import type { Log, LogRecord, OutgoingRecord } from '../../../src/pipeline/log.ts';
import { deadLetterTopic, TOPICS, topicSpecs } from '../../../src/pipeline/topics.ts';
import { deadLetter } from '../../../src/roles/dead-letter.ts';
import type { Refusal } from '../../../src/roles/dead-letter.ts';
import { openTemporaryLog } from '../../adapters/sqlite-log/open-temporary.ts';

export const LETTERS = deadLetterTopic(TOPICS.transactions);
export const BUCKET_LETTERS = deadLetterTopic(TOPICS.buckets);
export const START_MS = Date.UTC(2017, 2, 14);

export type LetterLog = { readonly log: Log; readonly clock: Clock & { advance(ms: number): void } };

export async function openLetterLog(change: Partial<Config> = {}): Promise<LetterLog> {
  const clock = manualClock(START_MS);
  const temporary = await openTemporaryLog({ clock });
  onTestFinished(() => temporary.dispose());
  await temporary.log.ensureTopics(topicSpecs(resolveConfig(change)));
  return { log: temporary.log, clock };
}

/** A letter of a record of the transaction topic; what is not said is plain. */
export function letterOf(
  record: Partial<LogRecord> = {},
  refusal: Partial<Refusal> = {},
  origin: { readonly topic?: string; readonly partition?: number } = {},
): OutgoingRecord {
  const plain = {
    offset: 7,
    timestampMs: START_MS - 1,
    key: Buffer.from('406'),
    value: Buffer.from('x'),
    headers: {},
  };
  const why = { stage: 'parse', reason: 'malformed', message: 'It is wrong.' } as const;
  return deadLetter(
    { topic: TOPICS.transactions, partition: 1, ...origin },
    { ...plain, ...record },
    { ...why, ...refusal },
  );
}
