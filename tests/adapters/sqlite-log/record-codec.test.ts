import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeRecord,
  encodedBytes,
  encodeRecord,
  isTombstone,
  recordBytesAt,
  recordDelta,
  recordIntact,
  recordKeyText,
  sealRecord,
} from '../../../src/adapters/sqlite-log/record-codec.ts';
import type { OutgoingRecord } from '../../../src/pipeline/log.ts';

const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));
const records: fc.Arbitrary<OutgoingRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(fc.string({ maxLength: 10, unit: 'grapheme' }), bytes, { maxKeys: 3 }),
});

function sealed(record: OutgoingRecord, delta: number): Buffer {
  const target = Buffer.alloc(encodedBytes(record));
  expect(encodeRecord(target, 0, record, 1_700_000_000_123)).toBe(target.length);
  sealRecord(target, 0, delta);
  return target;
}

describe('a record', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(records, fc.nat(), (record, delta) => {
        const stored = sealed(record, delta);
        expect(recordIntact(stored, 0)).toBe(true);
        expect(recordBytesAt(stored, 0)).toBe(stored.length);
        expect(recordDelta(stored, 0)).toBe(delta);
        expect(isTombstone(stored, 0)).toBe(record.value === null);
        expect(recordKeyText(stored, 0)).toBe(record.key?.toString('latin1') ?? null);
        const read = decodeRecord(stored, 0, 2 ** 39);
        expect(read).toMatchObject({ offset: 2 ** 39 + delta, timestampMs: 1_700_000_000_123 });
        expect({ key: read.key, value: read.value }).toEqual({ key: record.key, value: record.value });
        expect(Object.entries(read.headers)).toEqual(Object.entries(record.headers ?? {}));
      }),
    );
  });

  it('is known as damaged whichever bit is turned', () => {
    const record = { key: Buffer.from('k'), value: Buffer.from('value'), headers: { h: Buffer.from('x') } };
    const stored = sealed(record, 5);
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const damaged = Buffer.from(stored);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(recordIntact(damaged, 0)).toBe(false);
    }
  });

  it('is known as damaged wherever it is cut off', () => {
    const stored = sealed({ key: Buffer.from('k'), value: Buffer.from('value') }, 5);
    for (let length = 0; length < stored.length; length++) {
      expect(recordIntact(stored.subarray(0, length), 0)).toBe(false);
    }
  });
});
