import { expect, test } from 'vitest';
import { letterFilter } from '../../../src/commands/dlq/filter.ts';
import type { FilterOptions } from '../../../src/commands/dlq/filter.ts';
import { readLetter } from '../../../src/commands/dlq/letter.ts';
import { letterOf, LETTERS } from './letters.ts';

/** Refused at ten past one at night in New York, summer time. */
const REFUSED_MS = Date.UTC(2017, 2, 14, 5, 10);
const RECORD = letterOf(
  { key: Buffer.from('406'), value: Buffer.from('…T-1001…'), headers: { origin: Buffer.from('till-9') } },
  { stage: 'parse', reason: 'time_in_future', message: 'the clock is wrong' },
);
const LETTER = readLetter(
  { topic: LETTERS, partition: 0 },
  { headers: {}, ...RECORD, offset: 3, timestampMs: REFUSED_MS },
);

test.each<[FilterOptions, boolean]>([
  [{}, true],
  [{ reason: ['time_in_future'] }, true],
  [{ reason: ['malformed', 'time_in_future'] }, true],
  [{ reason: ['malformed'] }, false],
  [{ stage: ['parse'] }, true],
  [{ stage: ['decode'] }, false],
  [{ since: '2017-03-14' }, true],
  [{ since: '2017-03-14T01:10' }, true],
  [{ since: '2017-03-14T05:10:00Z' }, true],
  [{ since: '2017-03-14T01:11' }, false],
  [{ until: '2017-03-14' }, false],
  [{ until: '2017-03-14T01:10' }, false],
  [{ until: '2017-03-14T01:11' }, true],
  [{ key: '406' }, true],
  [{ key: '40' }, false],
  [{ store: '406' }, true],
  [{ store: '407' }, false],
  [{ contains: 'T-1001' }, true],
  [{ contains: 'clock is' }, true],
  [{ contains: 'till-9' }, true],
  [{ contains: 'T-1002' }, false],
  [{ reason: ['time_in_future'], stage: ['parse'], key: '406', contains: '1001' }, true],
  [{ reason: ['time_in_future'], stage: ['decode'], key: '406', contains: '1001' }, false],
])('%j: %s', (options, expected) => {
  expect(letterFilter(options, 'America/New_York')(LETTER)).toBe(expected);
});

test('a letter without key and value has neither', () => {
  const bare = { ...LETTER, key: null, value: null };
  expect(letterFilter({ key: '406' }, 'UTC')(bare)).toBe(false);
  expect(letterFilter({ contains: 'T-1001' }, 'UTC')(bare)).toBe(false);
});

test('a time that is none is a mistake of usage', () => {
  expect(() => letterFilter({ since: '2017-02-30' }, 'UTC')).toThrow(
    expect.objectContaining({ code: 'USAGE', message: '--since 2017-02-30 is no time.' }) as Error,
  );
});
