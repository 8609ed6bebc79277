/** What is in the dead letters, against what was sent to end there. */
import { LETTER_HEADERS } from '../../../src/roles/dead-letter.ts';
import { deadLetterTopic, TOPICS } from '../../../src/pipeline/topics.ts';
import type { Platform } from '../../../src/platform.ts';
import { readTopic } from '../../read-topic.ts';
import type { PlacedRecord } from '../../read-topic.ts';
import { differences } from '../../simulation/verdict.ts';

/** Bytes as text, for a set or a map. */
export function bytesText(bytes: Buffer | null): string {
  return bytes === null ? 'no value' : bytes.toString('base64');
}

/**
 * In sentences, what is missing, too much or changed. `refused`: the values that must end in the dead letters. A record
 * that was read again after a crash has two letters, which tell the same place.
 */
export async function letterFaults(platform: Platform, refused: ReadonlySet<string>): Promise<string[]> {
  const expected = new Map<string, string>();
  for (const record of await readTopic(platform.log, TOPICS.transactions)) {
    const value = bytesText(record.value);
    if (refused.has(value))
      expected.set(`${TOPICS.transactions}/${record.partition}@${record.offset}`, value);
  }
  const found = new Map<string, string>();
  for (const letter of await readTopic(platform.log, deadLetterTopic(TOPICS.transactions)))
    found.set(origin(letter), bytesText(letter.value));
  return [
    ...differences('dead letters', found, expected),
    ...differences('dead letters of buckets', await bucketLetters(platform), new Map()),
  ];
}

async function bucketLetters(platform: Platform): Promise<Map<string, string>> {
  const letters = await readTopic(platform.log, deadLetterTopic(TOPICS.buckets));
  return new Map(letters.map((letter) => [origin(letter), bytesText(letter.value)]));
}

function origin({ headers }: PlacedRecord): string {
  const told = (name: keyof typeof LETTER_HEADERS): string =>
    headers[LETTER_HEADERS[name]]?.toString() ?? '?';
  return `${told('topic')}/${told('partition')}@${told('offset')}`;
}
