/** Dead letters on Kafka: with room for records as large as anyone may write, read and put back as on the embedded log. */
import { randomBytes } from 'node:crypto';
import { Kafka, Partitioners } from 'kafkajs';
import { expect, test } from 'vitest';
import { names } from '../../src/adapters/kafka/client/names.ts';
import { readPage } from '../../src/commands/dlq/page.ts';
import { replayLetters } from '../../src/commands/dlq/replay-letters.ts';
import type { ReplayOutcome } from '../../src/commands/dlq/replay-letters.ts';
import { replayTargets } from '../../src/commands/dlq/replay-plan.ts';
import { readReplayed } from '../../src/commands/dlq/replayed.ts';
import { summarise } from '../../src/commands/dlq/summary.ts';
import { deadLetterTopics } from '../../src/commands/dlq/topics.ts';
import { resolveConfig } from '../../src/config.ts';
import type { Log } from '../../src/pipeline/log.ts';
import { DEAD_LETTER_TOPICS, TOPICS, topicSpecs } from '../../src/pipeline/topics.ts';
import { appendDeadLetters, deadLetter } from '../../src/roles/dead-letter.ts';
import { letterOf, LETTERS } from '../commands/dlq/letters.ts';
import { readTopic } from '../read-topic.ts';
import { logOpener } from './open-log.ts';
import { stackAddresses } from './stack.ts';

const openLog = logOpener();
const { brokers } = stackAddresses();
const REFUSAL = { stage: 'decode', reason: 'malformed', message: 'no schema id follows' } as const;

async function openWithTopics() {
  const opened = await openLog({ brokers });
  await opened.log.ensureTopics(topicSpecs(resolveConfig({ transactionPartitions: 2 })));
  return opened;
}

async function replay(log: Log, again = false): Promise<number> {
  const topics = await deadLetterTopics(log, []);
  const replayed = again ? null : await readReplayed(log, topics);
  const request = { topics, filter: () => true, replayed, targets: await replayTargets(log) };
  const outcome: ReplayOutcome = { replayed: 0, tooLarge: 0, last: null };
  const pace = { rate: Number.POSITIVE_INFINITY, signal: new AbortController().signal, onProgress: () => {} };
  await replayLetters(log, request, outcome, pace);
  return outcome.replayed;
}

test('a record as large as brokers take from anyone becomes a letter, whole', async () => {
  const { log, address } = await openWithTopics();
  const value = randomBytes(1_048_588 - 200);
  const till = new Kafka({ brokers, clientId: 'till' }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await till.connect();
  await till.send({
    topic: names(address.namespace).wire(TOPICS.transactions),
    messages: [{ key: '406', value, partition: 1 }],
  });
  await till.disconnect();
  const [record] = await readTopic(log, TOPICS.transactions);
  if (record === undefined) throw new Error('the record is not there');
  const letter = deadLetter({ topic: TOPICS.transactions, partition: 1 }, record, REFUSAL);
  await appendDeadLetters(log, LETTERS, [letter]);
  const [written] = await readTopic(log, LETTERS);
  expect(written?.value?.equals(value)).toBe(true);
  expect(String(written?.headers['foretill-partition'])).toBe('1');
});

test('a letter may be as large as the settings say; beyond that it says where the rest lies', async () => {
  const { log } = await openWithTopics();
  const value = randomBytes(16 * 1_048_576);
  const letters = [letterOf({ value }), letterOf({ value: Buffer.alloc(18 * 1_048_576) }), letterOf()];
  await appendDeadLetters(log, LETTERS, letters);
  const written = await readTopic(log, LETTERS);
  expect(written.map((each) => each.value?.length ?? null)).toEqual([value.length, null, 1]);
  expect(written[0]?.value?.equals(value)).toBe(true);
  expect(String(written[1]?.headers['foretill-omitted'])).toBe('too_large');
});

test('letters are listed page by page, summed up, and put back once to the partition they were in', async () => {
  const { log } = await openWithTopics();
  const count = 1_500;
  const letters = Array.from({ length: count }, (_, i) => letterOf({ value: Buffer.from(String(i)) }));
  await log.append(LETTERS, letters);
  const topics = await deadLetterTopics(log, []);
  const page = await readPage(log, topics, { order: 'newest', limit: 3, filter: () => true, cursor: null });
  expect(page.letters.map(({ offset }) => offset)).toEqual([count - 1, count - 2, count - 3]);
  expect(page.next).toContain(`${LETTERS}/0/${count - 3}`);
  expect(await replay(log)).toBe(count);
  expect(await replay(log)).toBe(0);
  const rows = await summarise(log, topics, {
    filter: () => true,
    replayed: await readReplayed(log, topics),
  });
  expect(rows).toMatchObject([{ topic: LETTERS, reason: 'malformed', letters: count, replayed: count }]);
  expect((await log.offsets(TOPICS.transactions)).get(1)?.end).toBe(count);
  const values = (await readTopic(log, TOPICS.transactions)).map(({ value }) => String(value));
  expect(values).toEqual(Array.from({ length: count }, (_, i) => String(i)));
});

test('a tenant sees no letters of one whose namespace begins with its own', async () => {
  const ours = await openWithTopics();
  const theirs = await openLog({ brokers, namespace: `${ours.address.namespace}.b` });
  await theirs.log.ensureTopics(topicSpecs(resolveConfig({ transactionPartitions: 2 })));
  await theirs.log.append(LETTERS, [letterOf()]);
  const found = async ({ log }: typeof ours): Promise<Map<string, number>> =>
    new Map(
      (await deadLetterTopics(log, [])).map(({ topic, ranges }) => [topic, ranges.get(0)?.end ?? Number.NaN]),
    );
  const none = new Map([...DEAD_LETTER_TOPICS].sort().map((topic) => [topic, 0]));
  expect(await found(ours)).toEqual(none);
  expect(await found(theirs)).toEqual(new Map([...none, [LETTERS, 1]]));
});
