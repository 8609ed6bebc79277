/** The stretch of exactly one letter. */
import { ForetillError } from '../../errors.ts';
import type { Log, OffsetRange } from '../../pipeline/log.ts';
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
    throw noLetter({ topic: stretch?.topic ?? topic, partition, offset }, contentOf(range));
  }
  const only = new Map([...stretch.ranges].map(([each, { end }]) => [each, { start: end, end }]));
  return { topic: stretch.topic, ranges: only.set(partition, { start: offset, end: offset + 1 }) };
}

function contentOf(range: OffsetRange | undefined): string {
  if (range === undefined) return 'There is no such partition.';
  return range.start === range.end
    ? 'The partition is empty.'
    : `It has offsets ${range.start} up to ${range.end - 1}.`;
}

/** `instead`: what there is, a sentence. */
export function noLetter({ topic, partition, offset }: Place, instead: string): ForetillError {
  return new ForetillError('INPUT_NOT_FOUND', `There is no letter ${topic}/${partition}/${offset}.`, {
    remedy: `${instead} \`foretill dlq list\` names those that are there.`,
  });
}
