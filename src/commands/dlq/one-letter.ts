/** The stretch of exactly one letter. */
import { ForetillError } from '../../errors.ts';
import type { Log } from '../../pipeline/log.ts';
import type { Place } from './letter.ts';
import type { Stretch } from './scan.ts';
import { deadLetterTopics } from './topics.ts';

/** `topic` with or without `.dlq`. Throws INPUT_NOT_FOUND for a place where nothing lies (any more). */
export async function oneLetter(
  log: Pick<Log, 'topics' | 'offsets'>,
  { topic, partition, offset }: Place,
): Promise<Stretch> {
  const [stretch] = await deadLetterTopics(log, [topic]);
  const range = stretch?.ranges.get(partition);
  if (stretch === undefined || range === undefined || offset < range.start || offset >= range.end) {
    const has = range === undefined ? 'no such partition' : `offsets ${range.start} up to ${range.end - 1}`;
    throw noLetter({ topic: stretch?.topic ?? topic, partition, offset }, has);
  }
  const only = new Map([...stretch.ranges].map(([each, { end }]) => [each, { start: end, end }]));
  return { topic: stretch.topic, ranges: only.set(partition, { start: offset, end: offset + 1 }) };
}

export function noLetter({ topic, partition, offset }: Place, has: string): ForetillError {
  return new ForetillError('INPUT_NOT_FOUND', `There is no letter ${topic}/${partition}/${offset}.`, {
    remedy: `There: ${has}. \`foretill dlq list\` names those that are there.`,
  });
}
