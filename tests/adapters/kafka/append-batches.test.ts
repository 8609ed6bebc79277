import { describe, expect, test } from 'vitest';
import { layOut, recordBytes, requestsOf } from '../../../src/adapters/kafka/writing/append-batches.ts';
import type { Batch, Entry } from '../../../src/adapters/kafka/writing/append-batches.ts';

const LIMITS = { bytesMax: 100, recordsMax: 5 };

/** An append of records with the given partitions and sizes, their values `name` and their number. */
function entry(name: string, records: readonly (readonly [partition: number, bytes: number])[]): Entry {
  return {
    records: records.map((_, index) => ({ key: null, value: Buffer.from(`${name}${index}`) })),
    bytes: records.map(([, bytes]) => bytes),
    bytesInAll: records.reduce((sum, [, bytes]) => sum + bytes, 0),
    places: records.map(([partition]) => ({ partition, offset: 0 })),
    nowMs: 1_700_000_000_000.5,
    resolve: () => undefined,
    reject: () => undefined,
  };
}

const valuesOf = (batches: readonly Batch[] | undefined): string[] =>
  (batches ?? []).map((batch) => batch.messages.map(({ value }) => String(value)).join(' '));

describe('batches', () => {
  test.each([
    [
      'side by side, in order',
      [
        entry('a', [
          [0, 9],
          [1, 9],
          [0, 9],
        ]),
        entry('b', [[0, 9]]),
      ],
      ['a0 a2 b0'],
      ['a1'],
    ],
    [
      'a caller’s records stay together',
      [
        entry('a', [[0, 60]]),
        entry('b', [
          [0, 30],
          [0, 30],
        ]),
      ],
      ['a0', 'b0 b1'],
      [],
    ],
    ['what fits goes along', [entry('a', [[0, 60]]), entry('b', [[0, 40]])], ['a0 b0'], []],
    [
      'more than a batch is cut',
      [
        entry('a', [
          [0, 60],
          [0, 40],
          [0, 40],
        ]),
      ],
      ['a0 a1', 'a2'],
      [],
    ],
    [
      'one record may be larger',
      [
        entry('a', [
          [0, 150],
          [0, 10],
        ]),
      ],
      ['a0', 'a1'],
      [],
    ],
    [
      'not too many records',
      [
        entry(
          'a',
          Array.from({ length: 7 }, () => [0, 1] as const),
        ),
      ],
      ['a0 a1 a2 a3 a4', 'a5 a6'],
      [],
    ],
  ])('%s', (_, entries, zero, one) => {
    const byPartition = layOut(entries, LIMITS);
    expect(valuesOf(byPartition.get(0))).toEqual(zero);
    expect(valuesOf(byPartition.get(1))).toEqual(one);
  });

  test('know where each message comes from', () => {
    const first = entry('a', [
      [0, 9],
      [1, 9],
      [0, 9],
    ]);
    const [batch] = layOut([first], LIMITS).get(0) ?? [];
    expect(batch?.origins).toEqual([
      { entry: first, index: 0 },
      { entry: first, index: 2 },
    ]);
    expect(batch?.bytes).toBe(18);
  });

  test('carry a timestamp in whole milliseconds: the record’s own, or that of the append', () => {
    const sent = {
      ...entry('a', [
        [0, 1],
        [0, 1],
      ]),
      records: [
        { key: null, value: null, timestampMs: 12.9 },
        { key: null, value: null },
      ],
    };
    const [batch] = layOut([sent], LIMITS).get(0) ?? [];
    expect(batch?.messages.map(({ timestamp }) => timestamp)).toEqual(['12', '1700000000000']);
  });
});

describe('requests', () => {
  test('hold one batch of a partition at a time, and no more bytes than they may', () => {
    const records = [0, 1, 2, 0, 0, 2].map((partition) => [partition, 80] as const);
    const requests = [...requestsOf(layOut([entry('a', records)], LIMITS), 160)];
    expect(requests.map(valuesOf)).toEqual([['a0', 'a1'], ['a2'], ['a3', 'a5'], ['a4']]);
  });

  test('of nothing are none', () => {
    expect([...requestsOf(layOut([], LIMITS), 160)]).toEqual([]);
  });
});

test('a record is never taken for smaller than it is on the wire', () => {
  const headers = { größe: Buffer.alloc(7), '': Buffer.alloc(0) };
  const onTheWire = 3 + 9 + Buffer.byteLength('größe') + 7;
  expect(recordBytes({ key: Buffer.alloc(3), value: Buffer.alloc(9), headers })).toBeGreaterThan(onTheWire);
  expect(recordBytes({ key: null, value: null })).toBeLessThan(64);
});
