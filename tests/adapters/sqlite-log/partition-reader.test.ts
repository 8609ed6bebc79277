import { describe, expect, it } from 'vitest';
import { PartitionReader } from '../../../src/adapters/sqlite-log/partition-reader.ts';
import type { Fetched, FetchRequest } from '../../../src/adapters/sqlite-log/protocol.ts';
import { encodedBytes, encodeRecord, sealRecord } from '../../../src/adapters/sqlite-log/record-codec.ts';
import { moveEnd } from '../../../src/adapters/sqlite-log/topic-registry.ts';
import type { WorkerClient } from '../../../src/adapters/sqlite-log/worker-client.ts';
import { DEFAULT_CONFIG } from '../../../src/config.ts';

const RECORD = { key: null, value: Buffer.alloc(70) };
const RECORD_BYTES = 100;
/** Two reads of five records. */
const LIMITS = { ...DEFAULT_CONFIG.log, fetchBytesMax: 2 * 5 * RECORD_BYTES };

/** A reader of a partition with `end` records, and the reads it asks for, answered when the test says so. */
function open({ end, offset = 0 }: { end: number; offset?: number }) {
  const reads: { from: number; answer(records: number, damagedAt?: number): Promise<void> }[] = [];
  const client = {
    call: (_name: string, { offset: from }: FetchRequest) =>
      new Promise<Fetched>((resolve) => {
        reads.push({
          from,
          async answer(records, damagedAt) {
            resolve({
              bytes: sealedRecords(records),
              nextOffset: from + records,
              damagedAt: damagedAt ?? null,
            });
            await new Promise((turn) => setImmediate(turn));
          },
        });
      }),
  } as WorkerClient;
  const place = { id: 1, topic: 't', partition: 0, end, onAppend: new Set<() => void>() };
  const told = { ready: 0 };
  const onReady = () => told.ready++;
  const reader = new PartitionReader({ place, offset, client, limits: LIMITS, recordsMax: 5, onReady });
  const take = (count: number) => reader.take(count).records.map((record) => record.offset);
  return { reader, reads, place, told, take };
}

function sealedRecords(count: number): Uint8Array<ArrayBuffer> {
  expect(encodedBytes(RECORD)).toBe(RECORD_BYTES);
  const bytes = Buffer.from(new ArrayBuffer(count * RECORD_BYTES));
  for (let i = 0; i < count; i++) {
    encodeRecord(bytes, i * RECORD_BYTES, RECORD, 0);
    sealRecord(bytes, i * RECORD_BYTES, i);
  }
  return new Uint8Array(bytes.buffer);
}

const froms = (reads: readonly { from: number }[]) => reads.map(({ from }) => from);

describe('a partition reader', () => {
  it('reads ahead one read at a time, until as much as one read waits to be taken', async () => {
    const { reader, reads, take } = open({ end: 100 });
    expect(froms(reads)).toEqual([]);
    reader.open();
    expect(froms(reads)).toEqual([0]);
    await reads[0]?.answer(5);
    expect(froms(reads)).toEqual([0, 5]);
    await reads[1]?.answer(5);
    expect(froms(reads)).toEqual([0, 5]);
    expect(take(7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(froms(reads)).toEqual([0, 5, 10]);
    expect(take(7)).toEqual([7, 8, 9]);
    expect(reader.ready).toBe(false);
  });

  it('sleeps at the end until an append wakes it', async () => {
    const { reader, reads, place, told } = open({ end: 5 });
    reader.open();
    await reads[0]?.answer(5);
    expect({ reads: froms(reads), ...told }).toEqual({ reads: [0], ready: 1 });
    moveEnd(place, 6);
    expect(froms(reads)).toEqual([0, 5]);
    reader.close();
    moveEnd(place, 7);
    expect(froms(reads)).toEqual([0, 5]);
  });

  it('throws away what was asked for before a seek', async () => {
    const { reader, reads, take } = open({ end: 100 });
    reader.open();
    reader.seek(40);
    expect(froms(reads)).toEqual([0, 40]);
    await reads[0]?.answer(5);
    expect(reader.ready).toBe(false);
    await reads[1]?.answer(5);
    expect(take(5)).toEqual([40, 41, 42, 43, 44]);
  });

  it('has nothing more after it was closed', async () => {
    const { reader, reads, told } = open({ end: 100 });
    reader.open();
    reader.close();
    await reads[0]?.answer(5);
    expect({ ready: reader.ready, told: told.ready, reads: froms(reads) }).toEqual({
      ready: false,
      told: 0,
      reads: [0],
    });
  });

  it('neither reads nor has anything while it is paused', async () => {
    const { reader, reads, place, take } = open({ end: 100 });
    reader.open();
    await reads[0]?.answer(5);
    reader.pause();
    await reads[1]?.answer(5);
    moveEnd(place, 101);
    expect({ ready: reader.ready, reads: froms(reads) }).toEqual({ ready: false, reads: [0, 5] });
    reader.resume();
    expect(take(20)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('tells of damage once, after everything before it was taken; a seek goes on', async () => {
    const { reader, reads, take } = open({ end: 100 });
    reader.open();
    await reads[0]?.answer(3, 3);
    expect(reader.takeFailure()).toBeNull();
    expect(take(5)).toEqual([0, 1, 2]);
    expect(reader.takeFailure()?.error).toMatchObject({ code: 'LOG_CORRUPT' });
    expect(reader.takeFailure()).toBeNull();
    expect(froms(reads)).toEqual([0]);
    reader.seek(4);
    expect(froms(reads)).toEqual([0, 4]);
  });

  it.each([
    [-1, 0],
    [0, 0],
    [99, 99],
    [101, 0],
    [Number.NaN, 0],
  ])('at offset %d of 100 starts at %d', (offset, from) => {
    const { reader, reads } = open({ end: 100, offset });
    reader.open();
    expect(froms(reads)).toEqual([from]);
  });
});
