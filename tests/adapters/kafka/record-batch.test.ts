import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findBatches, isAbort, RecordReader } from '../../../src/adapters/kafka/reading/record-batch.ts';
import type { LogRecord } from '../../../src/pipeline/log.ts';
import { encodeBatch, encodeMarker, encodeNumbers, FIRST_TIMESTAMP_MS } from './encode-batch.ts';
import type { BatchOptions, SentRecord } from './encode-batch.ts';

async function readBack(options: BatchOptions): Promise<LogRecord[]> {
  const { batches, damage } = findBatches(await encodeBatch(options));
  expect(damage).toBeNull();
  return batches.flatMap((batch) => {
    const reader = new RecordReader(batch, batch.body);
    return [...Array(batch.count).keys()].map(() => reader.next() as LogRecord);
  });
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const nullable = fc.option(bytes, { nil: null });
const sentRecord: fc.Arbitrary<SentRecord> = fc.record({
  key: nullable,
  value: nullable,
  timestampMs: fc.integer({ min: 0, max: 2 ** 42 }),
  headers: fc.dictionary(fc.string({ minLength: 1 }), bytes, { maxKeys: 3 }),
});

describe('a record batch', () => {
  it('gives back what a producer put in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sentRecord, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 2 ** 50 }),
        async (sent, baseOffset) => {
          const read = await readBack({ records: sent, baseOffset });
          expect(read.map(({ headers, ...record }) => ({ ...record, headers: { ...headers } }))).toEqual(
            sent.map(({ key, value, timestampMs, headers }, index) => ({
              offset: baseOffset + index,
              timestampMs,
              key,
              value,
              headers: { ...headers },
            })),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('has times far from that of its first record', async () => {
    const times = [0, 1, FIRST_TIMESTAMP_MS - 1, 2 ** 41, 2 ** 52];
    const read = await readBack({ records: times.map((timestampMs) => ({ timestampMs })) });
    expect(read.map(({ timestampMs }) => timestampMs)).toEqual(times);
  });

  it('has the time of the append for all its records, where the topic says so', async () => {
    const read = await readBack({ records: [{ timestampMs: 5 }, { timestampMs: 6 }], appendedMs: 77 });
    expect(read.map(({ timestampMs }) => timestampMs)).toEqual([77, 77]);
  });

  it('keeps the last of headers with one name', async () => {
    const [record] = await readBack({
      records: [{ headers: { a: [Buffer.from('1'), Buffer.from('2')], __proto__x: Buffer.from('3') } }],
    });
    expect({ ...record?.headers }).toEqual({ a: Buffer.from('2'), __proto__x: Buffer.from('3') });
  });

  it('is left out when it is cut off at the end', async () => {
    const [first, second] = [await encodeNumbers(0, 3), await encodeNumbers(3, 3)];
    const both = Buffer.concat([first, second]);
    for (let length = first.length; length < both.length; length++) {
      const { batches, damage } = findBatches(both.subarray(0, length));
      expect({ ends: batches.map(({ lastOffset }) => lastOffset), damage }).toEqual({
        ends: [2],
        damage: null,
      });
    }
    expect(findBatches(both).batches).toHaveLength(2);
  });

  it('is damaged wherever a bit flips, and what is before it is not', async () => {
    const [first, second] = [await encodeNumbers(0, 3), await encodeNumbers(3, 3)];
    // Before that there are its offset and length, which no checksum covers, and the leader's epoch.
    for (let at = 16; at < second.length; at++) {
      const flipped = Buffer.from(second);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      const { batches, damage } = findBatches(Buffer.concat([first, flipped]));
      expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([0]);
      expect(damage).toMatchObject({ offset: 3 });
    }
  });

  it('ends where its records end, whatever they say', async () => {
    const { batches } = findBatches(await encodeNumbers(0, 2));
    const [batch] = batches;
    if (batch === undefined) throw new Error('no batch');
    const cut = new RecordReader(batch, batch.body.subarray(0, batch.body.length - 1));
    expect(cut.next()).toMatchObject({ offset: 0 });
    expect(() => cut.next()).toThrow(RangeError);
    const whole = new RecordReader(batch, batch.body);
    expect([whole.next(), whole.next(), whole.next()].map((record) => record?.offset)).toEqual([
      0,
      1,
      undefined,
    ]);
  });

  it.each([true, false])('that ends a transaction says how: given up %s', async (abort) => {
    const { batches } = findBatches(await encodeMarker({ baseOffset: 5, producerId: 7, abort }));
    expect(batches).toMatchObject([{ baseOffset: 5, lastOffset: 5, control: true, producerId: 7n }]);
    expect(batches.map(isAbort)).toEqual([abort]);
  });
});
