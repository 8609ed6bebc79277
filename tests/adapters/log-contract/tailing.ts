import { describe, expect, it } from 'vitest';
import { numbered, numbers, recorder, recordsOf, uniqueName, valuesOf } from './bench.ts';
import type { Bench } from './bench.ts';

export function describeTailing(bench: Bench): void {
  describe('a tail', () => {
    // Ten records in each of three partitions are there, two more follow in each.
    it.each([
      ['the earliest', 'earliest', [0, 0, 0]],
      ['the latest', 'latest', [10, 10, 10]],
      [
        'given offsets',
        new Map([
          [0, 4],
          [1, 10],
          [2, 0],
        ]),
        [4, 10, 0],
      ],
      ['offsets of some partitions', new Map([[1, 9]]), [0, 9, 0]],
    ] as const)('reads all partitions from %s', async (_, from, starts) => {
      const topic = await bench.topic({ partitions: 3 });
      for (const partition of [0, 1, 2]) await bench.log.append(topic, numbered(10, { partition }));
      const { seen, handler } = recorder();
      const tail = await bench.log.tail({ topic, from, batchRecordsMax: 4 }, handler);
      for (const partition of [0, 1, 2]) await bench.log.append(topic, numbered(2, { partition, from: 10 }));
      const expected = starts.map((start) => numbers(12 - start, start));
      await bench.until('all of it', () => seen.records >= expected.flat().length);
      await tail.stop();
      expect([0, 1, 2].map((partition) => valuesOf(recordsOf(seen.batches, partition)))).toEqual(expected);
      expect(Math.max(...seen.batches.map((batch) => batch.records.length))).toBeLessThanOrEqual(4);
    });

    it('sees every record, also when another tail of the topic does', async () => {
      const topic = await bench.topic({ partitions: 2 });
      const both = [recorder(), recorder()];
      const tails = await Promise.all(
        both.map(({ handler }) => bench.log.tail({ topic, from: 'latest', batchRecordsMax: 10 }, handler)),
      );
      await bench.log.append(topic, [...numbered(20), ...numbered(20, { partition: 1 })]);
      await bench.until('both', () => both.every(({ seen }) => seen.records === 40));
      await Promise.all(tails.map((tail) => tail.stop()));
    });

    it('waits for the batch in work when it is stopped, and gets no further one', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(10));
      let ended = 0;
      let finish = (): void => undefined;
      const { seen, handler } = recorder({
        async eachBatch() {
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          ended++;
        },
      });
      const tail = await bench.log.tail({ topic, from: 'earliest', batchRecordsMax: 5 }, handler);
      await bench.until('a batch', () => seen.batches.length === 1);
      const stopped = tail.stop();
      finish();
      await stopped;
      expect({ ended, batches: seen.batches.length }).toEqual({ ended: 1, batches: 1 });
    });

    it('ends when its handler rejects; others go on', async () => {
      const topic = await bench.topic();
      const error = new Error('no');
      const failing = recorder({ eachBatch: () => Promise.reject(error) });
      const other = recorder();
      await bench.log.tail({ topic, from: 'earliest', batchRecordsMax: 5 }, failing.handler);
      const tail = await bench.log.tail({ topic, from: 'earliest', batchRecordsMax: 5 }, other.handler);
      for (let i = 0; i < 10; i++) await bench.log.append(topic, numbered(1, { from: i }));
      await bench.until('the other', () => other.seen.records === 10 && failing.seen.crashes.length > 0);
      await tail.stop();
      expect(failing.seen.crashes).toEqual([error]);
      expect(failing.seen.batches).toHaveLength(1);
    });

    it('cannot start on a topic that does not exist', async () => {
      const { handler } = recorder();
      const options = { topic: uniqueName('absent'), from: 'earliest', batchRecordsMax: 1 } as const;
      await expect(bench.log.tail(options, handler)).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
    });
  });
}
