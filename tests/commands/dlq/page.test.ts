import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCursor, parseCursor } from '../../../src/commands/dlq/cursor.ts';
import type { LetterFilter } from '../../../src/commands/dlq/filter.ts';
import { readPage } from '../../../src/commands/dlq/page.ts';
import type { PageRequest } from '../../../src/commands/dlq/page.ts';
import type { Order } from '../../../src/commands/dlq/partition-letters.ts';
import { summarise } from '../../../src/commands/dlq/summary.ts';
import { deadLetterTopics } from '../../../src/commands/dlq/topics.ts';
import type { Log } from '../../../src/pipeline/log.ts';
import { DEAD_LETTER_TOPICS } from '../../../src/pipeline/topics.ts';
import { BUCKET_LETTERS, letterOf, LETTERS, openLetterLog, START_MS } from './letters.ts';

const SEED = 20_170_314;
const EVERYTHING: LetterFilter = () => true;

/** Follows the pages to the last; returns the texts of the letters' errors page by page. */
async function pages(log: Log, request: Omit<PageRequest, 'cursor'>): Promise<string[][]> {
  const topics = await deadLetterTopics(log, []);
  const found: string[][] = [];
  for (let cursor: string | null = '', turns = 0; cursor !== null && turns < 1_000; turns += 1) {
    const page = await readPage(log, topics, {
      ...request,
      cursor: cursor === '' ? null : parseCursor(cursor),
    });
    found.push(page.letters.map(({ error }) => error));
    cursor = page.next;
  }
  return found;
}

/** Letters of both topics in turn, a second apart; their errors are their numbers. */
async function letters(count: number): Promise<Log> {
  const { log, clock } = await openLetterLog();
  for (let i = 0; i < count; i += 1) {
    clock.advance(1_000);
    const reason = i % 5 === 0 ? 'out_of_range' : 'malformed';
    await log.append(i % 3 === 0 ? BUCKET_LETTERS : LETTERS, [letterOf({}, { message: String(i), reason })]);
  }
  return log;
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

describe('pages', () => {
  test.each<[Order, number]>([
    ['newest', 1],
    ['newest', 7],
    ['newest', 40],
    ['newest', 50],
    ['oldest', 1],
    ['oldest', 7],
    ['oldest', 40],
    ['oldest', 50],
  ])('%s first, %i to a page, have each letter once, in order, over all topics', async (order, limit) => {
    const found = await pages(await letters(40), { order, limit, filter: EVERYTHING });
    const sorted = order === 'oldest' ? numbers(40) : numbers(40).reverse();
    expect(found.flat()).toEqual(sorted);
    expect(found.map((page) => page.length)).toEqual(
      Array.from({ length: Math.ceil(40 / limit) }, (_, i) => Math.min(limit, 40 - i * limit)),
    );
  });

  test('have only what the filter lets through', async () => {
    const log = await letters(40);
    const filter: LetterFilter = ({ reason }) => reason === 'out_of_range';
    const found = await pages(log, { order: 'newest', limit: 3, filter });
    expect(found).toEqual([
      ['35', '30', '25'],
      ['20', '15', '10'],
      ['5', '0'],
    ]);
  });

  test('find the few among thousands', async () => {
    const { log } = await openLetterLog();
    const wanted = [3, 700, 999, 1_000, 1_001, 4_321, 8_999];
    const all = Array.from({ length: 9_000 }, (_, i) => letterOf({}, { message: String(i) }));
    for (let at = 0; at < all.length; at += 1_000) await log.append(LETTERS, all.slice(at, at + 1_000));
    const names = wanted.map(String);
    const filter: LetterFilter = ({ error }) => names.includes(error);
    expect((await pages(log, { order: 'oldest', limit: 3, filter })).flat()).toEqual(names);
    expect((await pages(log, { order: 'newest', limit: 3, filter })).flat()).toEqual(names.toReversed());
  });

  test('read no more than they show', async () => {
    const { log } = await openLetterLog();
    await log.append(
      LETTERS,
      Array.from({ length: 5_000 }, () => letterOf()),
    );
    let offered = 0;
    const filter: LetterFilter = () => (offered += 1) > 0;
    const topics = await deadLetterTopics(log, []);
    await readPage(log, topics, { order: 'newest', limit: 10, filter, cursor: null });
    expect(offered).toBeLessThanOrEqual(1_000);
  });

  test('do not shift when letters come in between', async () => {
    const { log, clock } = await openLetterLog();
    await log.append(
      LETTERS,
      numbers(6).map((message) => letterOf({}, { message })),
    );
    const topics = await deadLetterTopics(log, []);
    const request = { order: 'newest', limit: 3, filter: EVERYTHING } as const;
    const first = await readPage(log, topics, { ...request, cursor: null });
    clock.advance(1_000);
    await log.append(LETTERS, [letterOf({}, { message: 'new' })]);
    const cursor = parseCursor(first.next ?? '');
    const second = await readPage(log, await deadLetterTopics(log, []), { ...request, cursor });
    expect([first, second].map((page) => page.letters.map(({ error }) => error))).toEqual([
      ['5', '4', '3'],
      ['2', '1', '0'],
    ]);
  });

  test('of no letters are one, and the last', async () => {
    const { log } = await openLetterLog();
    expect(await pages(log, { order: 'newest', limit: 3, filter: EVERYTHING })).toEqual([[]]);
  });
});

describe('a cursor', () => {
  test('reads back as it was written', () => {
    const place = fc
      .tuple(fc.stringMatching(/^[a-z][\w.-]{0,20}$/), fc.nat(99))
      .map(([topic, p]) => `${topic}/${p}`);
    fc.assert(
      fc.property(fc.dictionary(place, fc.nat(), { minKeys: 1 }), (offsets) => {
        const cursor = new Map(Object.entries(offsets));
        expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
      }),
      { seed: SEED },
    );
  });

  test.each(['', 'topic', 'topic/0', 'topic/0/x', 'topic/0/-1', '/0/1', 'a/0/1,', 'a b/0/1'])(
    'that is none is refused: %j',
    (text) => expect(() => parseCursor(text)).toThrow(/place of a letter/),
  );
});

describe('topics', () => {
  test.each([
    [[], [BUCKET_LETTERS, LETTERS]],
    [[LETTERS], [LETTERS]],
    [['retail.pos.transaction.v1'], [LETTERS]],
  ])('%j', async (names, expected) => {
    const { log } = await openLetterLog();
    const found = (await deadLetterTopics(log, names)).map(({ topic }) => topic);
    expect(found).toEqual(expect.arrayContaining(expected));
    if (names.length > 0) expect(found).toEqual(expected);
  });

  test('of a namespace within ours are another tenant’s', async () => {
    const { log } = await openLetterLog();
    await log.ensureTopics([{ name: `b.${LETTERS}`, partitions: 1 }]);
    const found = (await deadLetterTopics(log, [])).map(({ topic }) => topic);
    expect(found).toEqual([...DEAD_LETTER_TOPICS].sort());
    await expect(deadLetterTopics(log, [`b.${LETTERS}`])).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
  });

  test('that are not there are named, with those that are', async () => {
    const { log } = await openLetterLog();
    await expect(deadLetterTopics(log, ['nowhere'])).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
      message: expect.stringContaining('nowhere.dlq') as string,
      remedy: expect.stringContaining(LETTERS) as string,
    });
  });
});

test('a summary counts by topic and reason, with the oldest and the newest', async () => {
  const log = await letters(10);
  const replayed = {
    has: ({ topic, offset }: { topic: string; offset: number }) => topic === LETTERS && offset < 2,
  };
  const rows = await summarise(log, await deadLetterTopics(log, []), { filter: EVERYTHING, replayed });
  const at = (i: number): number => START_MS + (i + 1) * 1_000;
  expect(rows).toEqual([
    { topic: LETTERS, reason: 'malformed', letters: 5, replayed: 2, oldestMs: at(1), newestMs: at(8) },
    { topic: LETTERS, reason: 'out_of_range', letters: 1, replayed: 0, oldestMs: at(5), newestMs: at(5) },
    { topic: BUCKET_LETTERS, reason: 'malformed', letters: 3, replayed: 0, oldestMs: at(3), newestMs: at(9) },
    {
      topic: BUCKET_LETTERS,
      reason: 'out_of_range',
      letters: 1,
      replayed: 0,
      oldestMs: at(0),
      newestMs: at(0),
    },
  ]);
});
