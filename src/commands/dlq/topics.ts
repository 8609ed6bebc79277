/** The dead-letter topics that are there, and what each held when the command began. */
import { ForetillError } from '../../errors.ts';
import type { Log } from '../../pipeline/log.ts';
import { DEAD_LETTER_TOPICS, isDeadLetterTopic } from '../../pipeline/topics.ts';
import type { Stretch } from './scan.ts';

/**
 * `names` are as given on the command line, with or without `.dlq`; none: all. What is appended later is not part of
 * it, so that a letter that comes back is not met again. Throws INPUT_NOT_FOUND.
 */
export async function deadLetterTopics(
  log: Pick<Log, 'topics' | 'offsets'>,
  names: readonly string[],
): Promise<Stretch[]> {
  // A tenant whose namespace begins with ours and a dot has topics that look like ours: `b.retail.….dlq`.
  const present = (await log.topics())
    .map(({ name }) => name)
    .filter((name) => DEAD_LETTER_TOPICS.includes(name))
    .sort();
  const wanted = names.map((name) => (isDeadLetterTopic(name) ? name : `${name}.dlq`));
  for (const name of wanted) if (!present.includes(name)) throw unknown(name, present);
  const chosen = wanted.length === 0 ? present : present.filter((name) => wanted.includes(name));
  return Promise.all(chosen.map(async (topic) => ({ topic, ranges: await log.offsets(topic) })));
}

function unknown(name: string, present: readonly string[]): ForetillError {
  return new ForetillError('INPUT_NOT_FOUND', `There is no dead-letter topic ${name}.`, {
    remedy: `There are: ${present.join(', ') || 'none; `foretill topics` creates them'}.`,
  });
}
