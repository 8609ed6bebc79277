import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRows } from '../../../src/adapters/clickhouse/client.ts';
import type { BucketMessage } from '../../../src/pipeline/messages.ts';
import { withoutTotals } from '../../../src/roles/ingest/effects.ts';
import { joinWork } from '../../../src/roles/ingest/work.ts';
import type { Work } from '../../../src/roles/ingest/work.ts';

const PLACE = { topic: 'till', partition: 2 };

/** One batch of so many records, read after so many others. */
function batch(records: number, at: number, change: Partial<Work> = {}): Work {
  return {
    place: PLACE,
    records,
    refused: [],
    rows: encodeRows(
      Array.from({ length: records }, (_, i) => at + i),
      (n) => [n],
    ),
    first: `${at}`,
    amend: { hours: [], days: [] },
    amended: { hour: 0, day: 0 },
    close: null,
    closed: { hour: 0, day: 0 },
    messages: [],
    watermarkMs: null,
    commit: { offset: at + records, metadata: '' },
    onDone: [],
    ...change,
  };
}

function message(watermarkMs: number | null, change: Partial<BucketMessage> = {}): BucketMessage {
  return {
    source_topic: PLACE.topic,
    source_partition: PLACE.partition,
    kind: 'LIVE',
    watermark_ms: watermarkMs,
    last_event_ms: null,
    open: [],
    amended: [],
    ...change,
  };
}

describe('work that waits', () => {
  test('becomes one with what comes after it: all rows, the whole range, the last place', () => {
    const first = batch(2, 0, {
      amend: { hours: [{ storeId: 'a', hourMs: 1 }], days: [] },
      amended: { hour: 1, day: 0 },
      close: { afterMs: 10, untilMs: 20 },
      closed: { hour: 2, day: 1 },
      messages: [message(20)],
      watermarkMs: 20,
    });
    const second = batch(1, 2, {
      amend: { hours: [], days: [{ storeId: 'b', businessDate: '2026-03-01' }] },
      amended: { hour: 0, day: 1 },
      close: { afterMs: 20, untilMs: 35 },
      closed: { hour: 1, day: 0 },
      messages: [message(35)],
      watermarkMs: 35,
    });
    expect(joinWork(first, second)).toEqual({
      ...first,
      records: 3,
      rows: { count: 3, text: '[0]\n[1]\n[2]' },
      amend: { hours: first.amend.hours, days: second.amend.days },
      amended: { hour: 1, day: 1 },
      close: { afterMs: 10, untilMs: 35 },
      closed: { hour: 3, day: 1 },
      messages: [message(20), message(35)],
      watermarkMs: 35,
      commit: second.commit,
    });
  });

  test('keeps what the other does not have', () => {
    const idle = batch(0, 7, { first: '', commit: null, close: { afterMs: 1, untilMs: 2 }, watermarkMs: 2 });
    const refusedOnly = batch(0, 7, { first: '7', watermarkMs: null });
    expect(joinWork(idle, batch(2, 7))).toMatchObject({
      first: '7',
      rows: { count: 2, text: '[7]\n[8]' },
      close: { afterMs: 1, untilMs: 2 },
      watermarkMs: 2,
      commit: { offset: 9 },
    });
    expect(joinWork(batch(2, 5), idle)).toMatchObject({
      first: '5',
      commit: { offset: 7 },
      rows: { count: 2 },
    });
    expect(joinWork(refusedOnly, idle).close).toEqual({ afterMs: 1, untilMs: 2 });
  });

  test('has all done in order, however it is put together', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 3, maxLength: 8 }), fc.nat(), (sizes, cut) => {
        const done: number[] = [];
        let at = 0;
        const batches = sizes.map((size, i) => {
          const one = batch(size, at, { onDone: [() => void done.push(i)] });
          at += size;
          return one;
        });
        const split = 1 + (cut % (batches.length - 1));
        const join = (list: readonly Work[]): Work => list.reduce((all, next) => joinWork(all, next));
        const left = join(batches);
        const halves = joinWork(join(batches.slice(0, split)), join(batches.slice(split)));
        expect(halves).toEqual(left);
        expect(left.rows.text).toBe(Array.from({ length: at }, (_, i) => `[${i}]`).join('\n'));
        expect(left.commit?.offset).toBe(at);
        for (const each of left.onDone) each();
        expect(done).toEqual(sizes.map((_, i) => i));
      }),
    );
  });
});

describe('messages whose totals have been told', () => {
  const open = [
    {
      granularity: 'HOUR' as const,
      bucket_ms: 0,
      store_id: 'a',
      category: 'b',
      sku: 'c',
      units_thousandths: 1,
      revenue_minor: 1,
    },
  ];
  const amended = [{ granularity: 'HOUR' as const, bucket_ms: 0, store_id: 'a' }];

  test.each<[string, readonly BucketMessage[], readonly BucketMessage[]]>([
    ['nothing', [], []],
    ['totals and a watermark', [message(5, { open })], [message(5)]],
    [
      'many totals, the watermark in the last',
      [message(1, { open }), message(1, { open }), message(5, { open })],
      [message(5)],
    ],
    [
      'what was amended, before the watermark that it belongs to',
      [message(1, { open, amended }), message(1, { open }), message(5)],
      [message(1, { amended }), message(5)],
    ],
  ])('say the rest: %s', (_, messages, expected) => {
    expect(withoutTotals(messages)).toEqual(expected);
  });
});
