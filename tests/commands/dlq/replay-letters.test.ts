import { describe, expect, test } from 'vitest';
import type { LetterFilter } from '../../../src/commands/dlq/filter.ts';
import { replayLetters } from '../../../src/commands/dlq/replay-letters.ts';
import type { Pace, ReplayOutcome } from '../../../src/commands/dlq/replay-letters.ts';
import { planReplay, replayTargets } from '../../../src/commands/dlq/replay-plan.ts';
import type { ReplayRequest } from '../../../src/commands/dlq/replay-plan.ts';
import { readReplayed } from '../../../src/commands/dlq/replayed.ts';
import { deadLetterTopics } from '../../../src/commands/dlq/topics.ts';
import type { Log, OutgoingRecord } from '../../../src/pipeline/log.ts';
import { REPLAYED_TOPIC, TOPICS } from '../../../src/pipeline/topics.ts';
import { createRandom } from '../../../src/simulator/random.ts';
import { readTopic } from '../../read-topic.ts';
import { BUCKET_LETTERS, letterOf, LETTERS, openLetterLog } from './letters.ts';

const EVERYTHING: LetterFilter = () => true;

async function requestOf(log: Log, change: Partial<ReplayRequest> = {}): Promise<ReplayRequest> {
  const topics = await deadLetterTopics(log, []);
  const replayed = await readReplayed(log, topics);
  return { topics, filter: EVERYTHING, replayed, targets: await replayTargets(log), ...change };
}

async function replay(
  log: Log,
  change: Partial<ReplayRequest> = {},
  pace: Partial<Pace> = {},
): Promise<ReplayOutcome> {
  const outcome: ReplayOutcome = { replayed: 0, tooLarge: 0, last: null };
  const calm = { rate: Number.POSITIVE_INFINITY, signal: new AbortController().signal, onProgress: () => {} };
  await replayLetters(log, await requestOf(log, change), outcome, { ...calm, ...pace });
  return outcome;
}

function numbered(count: number): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) =>
    letterOf({ value: Buffer.from(String(i)) }, { reason: `r${i % 3}` }),
  );
}

async function valuesOf(log: Log, topic: string): Promise<string[]> {
  return (await readTopic(log, topic)).map(({ value }) => String(value));
}

test('letters go back in order, to the partition they were in', async () => {
  const { log } = await openLetterLog();
  await log.append(LETTERS, numbered(1_200));
  const seen: number[] = [];
  expect(await replay(log, {}, { onProgress: (count) => seen.push(count) })).toEqual({
    replayed: 1_200,
    tooLarge: 0,
    last: { topic: LETTERS, partition: 0, offset: 1_199 },
  });
  expect((await log.offsets(TOPICS.transactions)).get(1)?.end).toBe(1_200);
  expect(await valuesOf(log, TOPICS.transactions)).toEqual(
    Array.from({ length: 1_200 }, (_, i) => String(i)),
  );
  expect(seen.at(-1)).toBe(1_200);
});

describe('what has been put back', () => {
  test('is left out the next time, letter by letter, whatever was chosen before', async () => {
    const { log } = await openLetterLog();
    const random = createRandom('replayed', 1);
    await log.append(LETTERS, numbered(2_000));
    const left = new Set(Array.from({ length: 2_000 }, (_, i) => i));
    for (let round = 0; round < 5; round += 1) {
      const chosen = new Set([...left, 0, 1].filter(() => random.uniform() < 0.3));
      const due = [...chosen].filter((offset) => left.has(offset));
      const outcome = await replay(log, { filter: ({ offset }) => chosen.has(offset) });
      expect(outcome.replayed).toBe(due.length);
      for (const offset of due) left.delete(offset);
      const pending = await planReplay(log, await requestOf(log));
      expect(pending).toMatchObject({ letters: left.size, leftOut: { replayed: 2_000 - left.size } });
    }
    expect((await replay(log)).replayed).toBe(left.size);
    expect((await replay(log)).replayed).toBe(0);
    expect((await replay(log, { replayed: null })).replayed).toBe(2_000);
  });

  test('is not taken for the letters of a topic that was made anew', async () => {
    const before = await openLetterLog();
    await before.log.append(LETTERS, numbered(5));
    await replay(before.log);
    const notes = await readTopic(before.log, REPLAYED_TOPIC);
    const after = await openLetterLog();
    after.clock.advance(60_000);
    await after.log.append(REPLAYED_TOPIC, notes);
    await after.log.append(LETTERS, numbered(5));
    expect((await planReplay(after.log, await requestOf(after.log))).letters).toBe(5);
  });

  test.each(['', '{', 'null', '{"partition":0,"latestMs":9e15,"offsets":"0-x,,-3"}', '[]'])(
    'is not known from a note that is none: %j',
    async (value) => {
      const { log } = await openLetterLog();
      await log.append(LETTERS, numbered(5));
      await log.append(REPLAYED_TOPIC, [{ key: Buffer.from(LETTERS), value: Buffer.from(value) }]);
      expect((await planReplay(log, await requestOf(log))).letters).toBe(5);
    },
  );
});

test('a plan says what would go where, what is left out and why, and changes nothing', async () => {
  const { log } = await openLetterLog();
  await log.append(LETTERS, [
    ...numbered(4),
    letterOf({}, { reason: 'card_data' }),
    letterOf({ value: null }),
    letterOf({}, {}, { topic: TOPICS.buckets }),
  ]);
  await log.append(BUCKET_LETTERS, [letterOf({}, {}, { topic: TOPICS.buckets, partition: 0 })]);
  const plan = await planReplay(log, await requestOf(log));
  expect(plan.routes).toEqual(
    expect.arrayContaining([
      { from: LETTERS, to: TOPICS.transactions, reason: 'r0', letters: 2 },
      { from: LETTERS, to: TOPICS.transactions, reason: 'r1', letters: 1 },
      { from: LETTERS, to: TOPICS.transactions, reason: 'r2', letters: 1 },
      { from: BUCKET_LETTERS, to: TOPICS.buckets, reason: 'malformed', letters: 1 },
    ]),
  );
  expect(plan).toMatchObject({ letters: 5, leftOut: { replayed: 0, withoutBytes: 2, elsewhere: 1 } });
  expect(await readTopic(log, TOPICS.transactions)).toEqual([]);
  expect(await replay(log)).toMatchObject({ replayed: 5 });
  expect((await log.offsets(TOPICS.buckets)).get(0)?.end).toBe(1);
});

test('a letter that comes back at once is not met again', async () => {
  const { log } = await openLetterLog();
  await log.append(LETTERS, numbered(3));
  const echoing: Log = {
    ...log,
    async append(topic, records) {
      if (topic === TOPICS.transactions) await log.append(LETTERS, numbered(records.length));
      return log.append(topic, records);
    },
  };
  expect(await replay(echoing)).toMatchObject({ replayed: 3 });
});

test('stopping ends it after an append; the same again goes on', async () => {
  const { log } = await openLetterLog();
  await log.append(LETTERS, numbered(50));
  const end = new AbortController();
  const stopAt = (count: number): void => (count >= 20 ? end.abort() : undefined);
  const first = await replay(log, {}, { rate: 100, signal: end.signal, onProgress: stopAt });
  expect(first).toMatchObject({ replayed: 20, last: { offset: 19 } });
  expect(await replay(log)).toMatchObject({ replayed: 30 });
  expect(await valuesOf(log, TOPICS.transactions)).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
});

test('a record that no longer fits is counted, and those beside it go', async () => {
  const { log } = await openLetterLog();
  // As large as the log takes, without the header that counts.
  const large = Buffer.alloc(16 * 1_048_576 - 30 - 3);
  await log.append(LETTERS, [letterOf(), letterOf({ value: large }), letterOf()]);
  expect(await replay(log)).toMatchObject({ replayed: 2, tooLarge: 1 });
  expect((await planReplay(log, await requestOf(log))).letters).toBe(1);
});

test('what fails says how far it came', async () => {
  const { log } = await openLetterLog();
  await log.append(LETTERS, numbered(1_000));
  const down = new Error('down');
  let appends = 0;
  const failing: Log = {
    ...log,
    append: (topic, records) => ((appends += 1) > 2 ? Promise.reject(down) : log.append(topic, records)),
  };
  const outcome: ReplayOutcome = { replayed: 0, tooLarge: 0, last: null };
  const pace = { rate: Number.POSITIVE_INFINITY, signal: new AbortController().signal, onProgress: () => {} };
  await expect(replayLetters(failing, await requestOf(log), outcome, pace)).rejects.toBe(down);
  expect(outcome.replayed).toBe(500);
  expect(await replay(log)).toMatchObject({ replayed: 500 });
});
