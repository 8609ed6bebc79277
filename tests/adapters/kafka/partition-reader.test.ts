import { describe, expect, it } from 'vitest';
import { PartitionReader } from '../../../src/adapters/kafka/reading/partition-reader.ts';
import type { Gap } from '../../../src/adapters/kafka/reading/partition-reader.ts';
import { numbers, until, valuesOf } from '../log-contract/bench.ts';
import { encodeMarker, encodeNumbers, fetched, relabel } from './encode-batch.ts';

function createReader(offset = 0, bytesAheadMax = 1_000_000) {
  const gaps: Gap[] = [];
  const reader = new PartitionReader({
    place: { topic: 't', wireTopic: 'ns.t', partition: 0 },
    offset,
    bytesAheadMax,
    onReady: () => undefined,
    onRoom: () => undefined,
    onGap: (_, gap) => gaps.push(gap),
  });
  reader.open();
  /** Everything that comes, until nothing does for a few turns of the event loop. */
  async function takeAll(recordsMax = 100): Promise<string[][]> {
    const taken: string[][] = [];
    for (let idle = 0; idle < 20; idle++) {
      await new Promise((resolve) => setImmediate(resolve));
      const batch = reader.ready ? reader.take(recordsMax) : null;
      if (batch !== null) {
        taken.push(valuesOf(batch.records));
        idle = 0;
      }
    }
    return taken;
  }
  return { reader, gaps, takeAll };
}

describe('a partition’s reader', () => {
  it.each([1, 2, 3, 100])('hands over batches of at most %i records, in order', async (recordsMax) => {
    const { reader, takeAll } = createReader();
    reader.received(
      fetched(Buffer.concat([await encodeNumbers(0, 4), await encodeNumbers(4, 3)])),
      reader.epoch,
    );
    const taken = await takeAll(recordsMax);
    expect(taken.flat()).toEqual(numbers(7));
    expect(Math.max(...taken.map(({ length }) => length))).toBeLessThanOrEqual(recordsMax);
    expect(reader.fetchOffset).toBe(7);
  });

  it('begins in the midst of a batch when that is where it is to begin', async () => {
    const { reader, gaps, takeAll } = createReader(2);
    reader.received(fetched(await encodeNumbers(0, 4)), reader.epoch);
    expect((await takeAll()).flat()).toEqual(['2', '3']);
    expect(gaps).toEqual([]);
  });

  it('tells of records that are missing, and takes no marker for one', async () => {
    const { reader, gaps, takeAll } = createReader();
    const batches = [
      encodeNumbers(0, 2),
      encodeMarker({ baseOffset: 2, producerId: 1, abort: false }),
      encodeNumbers(3, 1),
      encodeNumbers(7, 1),
    ];
    reader.received(fetched(Buffer.concat(await Promise.all(batches))), reader.epoch);
    expect((await takeAll()).flat()).toEqual(['0', '1', '3', '7']);
    expect(gaps).toEqual([{ fromOffset: 4, toOffset: 7 }]);
  });

  it('drops what was asked for before a seek', async () => {
    const { reader, takeAll } = createReader();
    const before = reader.epoch;
    reader.received(fetched(await encodeNumbers(0, 3)), before);
    reader.seek(1);
    reader.received(fetched(await encodeNumbers(3, 3)), before);
    expect(await takeAll()).toEqual([]);
    reader.received(fetched(await encodeNumbers(0, 3)), reader.epoch);
    expect((await takeAll()).flat()).toEqual(['1', '2']);
  });

  it('keeps what it has when the rest is deleted, and says so', async () => {
    const { reader, gaps, takeAll } = createReader();
    reader.received(fetched(await encodeNumbers(0, 2)), reader.epoch);
    reader.outOfRange({ start: 5, end: 9 }, reader.epoch);
    // The first that is left is in the midst of a batch.
    reader.received(fetched(await encodeNumbers(4, 3)), reader.epoch);
    expect((await takeAll()).flat()).toEqual(['0', '1', '5', '6']);
    expect(gaps).toEqual([{ fromOffset: 2, toOffset: 5 }]);
  });

  it('begins anew where the partition was replaced by a shorter one', async () => {
    const { reader, gaps } = createReader(50);
    reader.outOfRange({ start: 3, end: 9 }, reader.epoch);
    expect(reader.fetchOffset).toBe(3);
    expect(gaps).toEqual([{ fromOffset: 50, toOffset: 3 }]);
  });

  it('stays where it is when it was in range after all', () => {
    const { reader, gaps } = createReader(5);
    reader.outOfRange({ start: 0, end: 5 }, reader.epoch);
    expect(reader.fetchOffset).toBe(5);
    expect(gaps).toEqual([]);
  });

  it('stands at the next record there is: what was fetched is not passed, what holds none is', async () => {
    const { reader, takeAll } = createReader();
    const positions: number[] = [];
    const batches = await Promise.all([
      encodeNumbers(0, 3),
      encodeMarker({ baseOffset: 3, producerId: 1, abort: false }),
      encodeNumbers(4, 2),
      encodeMarker({ baseOffset: 6, producerId: 1, abort: false }),
    ]);
    positions.push(reader.position);
    reader.received(fetched(Buffer.concat(batches)), reader.epoch);
    positions.push(reader.position);
    reader.pause();
    await takeAll();
    positions.push(reader.position);
    reader.resume();
    for (const recordsMax of [1, 2, 1, 1]) {
      expect(reader.take(recordsMax)?.records).toHaveLength(recordsMax);
      positions.push(reader.position);
    }
    expect(positions).toEqual([0, 0, 0, 1, 4, 5, 7]);
  });

  it('stands behind a marker also while it is paused', async () => {
    const { reader } = createReader(1);
    reader.pause();
    reader.received(fetched(await encodeMarker({ baseOffset: 1, producerId: 1, abort: true })), reader.epoch);
    expect(reader.position).toBe(2);
  });

  it('stands at the oldest record when what came before is gone', () => {
    const { reader } = createReader(2);
    reader.outOfRange({ start: 5, end: 5 }, reader.epoch);
    expect({ position: reader.position, behind: reader.isBehind }).toEqual({ position: 5, behind: false });
  });

  it('stands before what is damaged', async () => {
    const { reader, takeAll } = createReader();
    const whole = await encodeNumbers(0, 2);
    const damaged = Buffer.from(await encodeNumbers(2, 2));
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    reader.received(fetched(Buffer.concat([whole, damaged])), reader.epoch);
    await takeAll();
    expect(reader.position).toBe(2);
  });

  it('wants no more while it has its fill, and again when that is taken', async () => {
    const { reader, takeAll } = createReader(0, 10);
    expect({ wants: reader.wantsMore, full: reader.isFull }).toEqual({ wants: true, full: false });
    reader.received(fetched(await encodeNumbers(0, 20)), reader.epoch);
    expect({ wants: reader.wantsMore, full: reader.isFull }).toEqual({ wants: false, full: true });
    await takeAll();
    expect({ wants: reader.wantsMore, full: reader.isFull }).toEqual({ wants: true, full: false });
  });

  it('is behind while there are records to take, but not when it is paused, and not for open transactions', async () => {
    const { reader, takeAll } = createReader();
    const last = { highWatermark: 9, lastStableOffset: 3 };
    reader.received(fetched(await encodeNumbers(0, 3), last), reader.epoch);
    expect(reader.isBehind).toBe(true);
    reader.pause();
    expect(reader.isBehind).toBe(false);
    reader.resume();
    await takeAll();
    expect(reader.isBehind).toBe(false);
  });

  it('tells of damage once, after all that is before it, and reads on after a seek', async () => {
    const { reader, takeAll } = createReader();
    const damaged = await encodeNumbers(2, 3);
    damaged[70] = (damaged[70] ?? 0) ^ 1;
    reader.received(
      fetched(Buffer.concat([await encodeNumbers(0, 2), damaged, await encodeNumbers(5, 1)])),
      reader.epoch,
    );
    expect(reader.takeFailure()).toBeNull();
    expect((await takeAll()).flat()).toEqual(['0', '1']);
    expect(reader.takeFailure()?.error).toMatchObject({
      code: 'LOG_CORRUPT',
      message: 'Records 2 to 4 of t/0 in Kafka cannot be read: its checksum does not agree.',
    });
    expect({ again: reader.takeFailure(), wants: reader.wantsMore }).toEqual({ again: null, wants: false });
    reader.seek(5);
    reader.received(fetched(await encodeNumbers(5, 1)), reader.epoch);
    expect((await takeAll()).flat()).toEqual(['5']);
  });

  it.each([
    ['of a codec that is none', 7, /codec 7/],
    ['that is not packed as it says', 1, /cannot be unpacked/],
  ])('tells of a batch %s', async (_, codec, reason) => {
    const { reader } = createReader();
    const batch = await encodeNumbers(0, 2);
    reader.received(fetched(relabel(batch, codec)), reader.epoch);
    let failure: { error: unknown } | null = null;
    await until('the failure', () => (failure ??= reader.takeFailure()) !== null);
    expect(failure).toMatchObject({
      error: { code: 'LOG_CORRUPT', message: expect.stringMatching(reason) as string },
    });
  });
});
