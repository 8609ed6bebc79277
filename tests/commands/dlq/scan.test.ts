import { describe, expect, test } from 'vitest';
import { scan } from '../../../src/commands/dlq/scan.ts';
import type { ScanOptions, Visit } from '../../../src/commands/dlq/scan.ts';
import type { Log, OffsetRange } from '../../../src/pipeline/log.ts';
import { TOPICS } from '../../../src/pipeline/topics.ts';
import { openLetterLog } from './letters.ts';

const TOPIC = TOPICS.transactions;

/** 20 records in each of three partitions, whose values are their offsets. */
async function numbered(): Promise<Log> {
  const { log } = await openLetterLog({ transactionPartitions: 3 });
  const records = [0, 1, 2].flatMap((partition) =>
    Array.from({ length: 20 }, (_, i) => ({ key: null, value: Buffer.from(String(i)), partition })),
  );
  await log.append(TOPIC, records);
  return log;
}

async function read(
  log: Pick<Log, 'tail' | 'offsets'>,
  ranges: readonly OffsetRange[],
  options: ScanOptions & { readonly visit?: Visit } = {},
): Promise<string[]> {
  const seen: string[] = [];
  const { visit, ...rest } = options;
  await scan(
    log,
    { topic: TOPIC, ranges: new Map(ranges.map((range, partition) => [partition, range])) },
    (place, records) => {
      for (const { offset, value } of records) seen.push(`${place.partition}:${offset}=${String(value)}`);
      return visit?.(place, records);
    },
    { batchRecordsMax: 7, ...rest },
  );
  return seen.sort();
}

function expected(ranges: readonly OffsetRange[]): string[] {
  const all = ranges.flatMap(({ start, end }, partition) =>
    Array.from({ length: Math.max(0, end - start) }, (_, i) => `${partition}:${start + i}=${start + i}`),
  );
  return all.sort();
}

const ALL = { start: 0, end: 20 };
const NONE = { start: 20, end: 20 };

test.each<[string, OffsetRange[]]>([
  ['everything', [ALL, ALL, ALL]],
  ['nothing', [NONE, NONE, NONE]],
  ['one partition', [NONE, ALL, NONE]],
  ['one record', [NONE, NONE, { start: 19, end: 20 }]],
  ['the first record', [{ start: 0, end: 1 }, NONE, NONE]],
  [
    'a stretch of each',
    [
      { start: 3, end: 4 },
      { start: 6, end: 14 },
      { start: 0, end: 19 },
    ],
  ],
])('reads %s, each record once, and ends', async (_, ranges) => {
  expect(await read(await numbered(), ranges)).toEqual(expected(ranges));
});

test('what is appended meanwhile is not met', async () => {
  const log = await numbered();
  const more = { key: null, value: Buffer.from('later'), partition: 1 };
  const visit = async (): Promise<void> => void (await log.append(TOPIC, [more]));
  expect(await read(log, [ALL, ALL, ALL], { visit })).toEqual(expected([ALL, ALL, ALL]));
});

describe('it ends early', () => {
  test('when no more is wanted', async () => {
    expect(await read(await numbered(), [NONE, ALL, NONE], { visit: () => false })).toHaveLength(7);
  });

  test('at a signal, after the batch in work', async () => {
    const end = new AbortController();
    const visit = (): void => end.abort();
    expect(await read(await numbered(), [NONE, ALL, NONE], { visit, signal: end.signal })).toHaveLength(7);
    expect(await read(await numbered(), [ALL, ALL, ALL], { signal: end.signal })).toEqual([]);
  });

  test('with the error of who visits, and is not called again', async () => {
    const wrong = new Error('wrong');
    let calls = 0;
    const visit = (): never => {
      calls += 1;
      throw wrong;
    };
    await expect(read(await numbered(), [ALL, ALL, ALL], { visit })).rejects.toBe(wrong);
    expect(calls).toBe(1);
  });
});

describe('offsets without a record at the end', () => {
  const beyond = { start: 0, end: 25 };

  test('are given up when the log has been quiet', async () => {
    const log = await numbered();
    expect(await read(log, [beyond, NONE, NONE], { quietMsMax: 50 })).toEqual(expected([ALL]));
  });

  test('of a log that does not answer are its error', async () => {
    const log = await numbered();
    const down = new Error('down');
    const silent: Log = { ...log, offsets: () => Promise.reject(down) };
    await expect(read(silent, [beyond, NONE, NONE], { quietMsMax: 50 })).rejects.toBe(down);
  });
});

test('a log that fails is an error', async () => {
  const log = await numbered();
  const down = new Error('down');
  const failing: Log = {
    ...log,
    tail: async (_, handler) => {
      handler.onCrash(down);
      return { stop: () => Promise.resolve() };
    },
  };
  await expect(read(failing, [ALL, ALL, ALL])).rejects.toBe(down);
});
