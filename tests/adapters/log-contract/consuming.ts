import { describe, expect, it } from 'vitest';
import { after, joinRecording, numbered, numbers, recordsOf, uniqueName, valuesOf } from './bench.ts';
import type { Bench } from './bench.ts';

export function describeConsuming(bench: Bench): void {
  describe('a consumer', () => {
    it('from the earliest reads what was there and what comes', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(3));
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] });
      await bench.until('what was there', () => seen.records === 3);
      await bench.log.append(topic, numbered(2, { from: 3 }));
      await bench.until('what came', () => seen.records === 5);
      await consumer.stop();
      expect(valuesOf(recordsOf(seen.batches))).toEqual(numbers(5));
    });

    it('from the latest reads what comes after its assignment', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(3));
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic], startFrom: 'latest' });
      await bench.until('its assignment', () => seen.assigned.length === 1);
      await bench.log.append(topic, numbered(2, { from: 3 }));
      await bench.until('what came', () => seen.records === 2);
      await consumer.stop();
      expect(valuesOf(recordsOf(seen.batches))).toEqual(['3', '4']);
    });

    it('is in the caller’s hands before its handler is called', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(1));
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] }, (itself) => ({
        async onAssigned(partitions) {
          itself().pause(partitions);
          itself().resume(partitions);
        },
        eachBatch: async (batch) => itself().commit([after(batch)]),
      }));
      await bench.until('the batch', () => seen.records === 1);
      await consumer.stop();
      expect(seen.crashes).toEqual([]);
    });

    it.each([1, 7, 100])('gets batches of one partition with at most %i records', async (batchRecordsMax) => {
      const topic = await bench.topic({ partitions: 2 });
      await bench.log.append(topic, [...numbered(60), ...numbered(60, { partition: 1 })]);
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic], batchRecordsMax });
      await bench.until('120 records', () => seen.records === 120);
      await consumer.stop();
      for (const { records } of seen.batches) {
        expect(records.length).toBeGreaterThan(0);
        expect(records.length).toBeLessThanOrEqual(batchRecordsMax);
      }
      for (const partition of [0, 1])
        expect(valuesOf(recordsOf(seen.batches, partition))).toEqual(numbers(60));
    });

    it('works on one batch at a time', async () => {
      const topic = await bench.topic({ partitions: 3 });
      for (const partition of [0, 1, 2]) await bench.log.append(topic, numbered(20, { partition }));
      let working = 0;
      let together = 0;
      const { consumer, seen } = await joinRecording(
        bench.log,
        { topics: [topic], batchRecordsMax: 3 },
        () => ({
          async eachBatch() {
            together = Math.max(together, ++working);
            await new Promise((resolve) => setImmediate(resolve));
            working--;
          },
        }),
      );
      await bench.until('60 records', () => seen.records === 60);
      await consumer.stop();
      expect(together).toBe(1);
    });

    it('does not starve a partition for one that never runs dry', async () => {
      const topic = await bench.topic({ partitions: 2 });
      await bench.log.append(topic, [...numbered(1_000), ...numbered(10, { partition: 1 })]);
      const { consumer, seen } = await joinRecording(
        bench.log,
        { topics: [topic], batchRecordsMax: 10 },
        () => ({
          async eachBatch({ partition }) {
            if (partition === 0) await bench.log.append(topic, numbered(10));
          },
        }),
      );
      await bench.until('the other partition', () => recordsOf(seen.batches, 1).length === 10);
      await consumer.stop();
      expect(valuesOf(recordsOf(seen.batches, 1))).toEqual(numbers(10));
    });

    it('is told the end of the partition', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(30));
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic], batchRecordsMax: 10 });
      await bench.until('30 records', () => seen.records === 30);
      await consumer.stop();
      expect(seen.batches.map((batch) => batch.highWatermark)).toEqual([30, 30, 30]);
    });

    it('reads several topics', async () => {
      const topics = [await bench.topic({ partitions: 2 }), await bench.topic()];
      for (const topic of topics) await bench.log.append(topic, numbered(4));
      const { consumer, seen } = await joinRecording(bench.log, { topics });
      await bench.until('both topics', () => seen.records === 8);
      await consumer.stop();
      expect(seen.assigned.flat()).toHaveLength(3);
      expect(new Set(seen.batches.map((batch) => batch.topic))).toEqual(new Set(topics));
    });

    it('cannot join for a topic that does not exist', async () => {
      await expect(joinRecording(bench.log, { topics: [uniqueName('absent')] })).rejects.toMatchObject({
        code: 'INPUT_NOT_FOUND',
      });
    });
  });

  describe('a commit', () => {
    it('is per group', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(5));
      const one = await joinRecording(bench.log, { topics: [topic] }, (itself) => ({
        eachBatch: async (batch) => itself().commit([after(batch, 'one')]),
      }));
      await bench.until('the first group', () => one.seen.records === 5);
      await one.consumer.stop();
      const two = await joinRecording(bench.log, { topics: [topic] });
      await bench.until('the second group', () => two.seen.records === 5);
      await two.consumer.stop();
      expect(await bench.log.committed(one.group, topic)).toEqual(
        new Map([[0, { offset: 5, metadata: 'one' }]]),
      );
      expect(await bench.log.committed(two.group, topic)).toEqual(new Map());
    });

    it('survives a reopening with its metadata, and decides where the group goes on', async () => {
      const topic = await bench.topic({ partitions: 2 });
      await bench.log.append(topic, [...numbered(10), ...numbered(10, { partition: 1 })]);
      const metadata = JSON.stringify({ watermark: 1_700_000_000_000, note: 'größer' });
      const first = await joinRecording(bench.log, { topics: [topic], batchRecordsMax: 4 }, (itself) => ({
        async eachBatch(batch) {
          // The last batches are worked on, but not committed.
          if (batch.records[0]?.offset === 0) await itself().commit([after(batch, metadata)]);
        },
      }));
      await bench.until('20 records', () => first.seen.records === 20);
      await first.consumer.stop();
      await bench.reopen();
      const committed = { offset: 4, metadata };
      expect(await bench.log.committed(first.group, topic)).toEqual(
        new Map([
          [0, committed],
          [1, committed],
        ]),
      );
      const second = await joinRecording(bench.log, {
        topics: [topic],
        group: first.group,
        startFrom: 'latest',
      });
      await bench.until('the rest again', () => second.seen.records === 12);
      await second.consumer.stop();
      expect(second.seen.assigned).toEqual([
        [
          { topic, partition: 0, committed },
          { topic, partition: 1, committed },
        ],
      ]);
      for (const partition of [0, 1]) {
        expect(valuesOf(recordsOf(second.seen.batches, partition))).toEqual(numbers(6, 4));
      }
    });

    it('is refused for a partition that the member does not hold', async () => {
      const topic = await bench.topic();
      const other = await bench.topic();
      const { consumer, seen, group } = await joinRecording(bench.log, { topics: [topic] });
      await bench.until('its assignment', () => seen.assigned.length === 1);
      const position = { partition: 0, offset: 1, metadata: '' };
      await expect(consumer.commit([{ ...position, topic: other }])).rejects.toMatchObject({
        code: 'LOG_UNAVAILABLE',
      });
      await consumer.stop();
      await expect(consumer.commit([{ ...position, topic }])).rejects.toMatchObject({
        code: 'LOG_UNAVAILABLE',
      });
      expect(await bench.log.committed(group, topic)).toEqual(new Map());
    });

    it.each([-1, 0.5, Number.NaN])('is refused for %d, which is no offset', async (offset) => {
      const topic = await bench.topic();
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] });
      await bench.until('its assignment', () => seen.assigned.length === 1);
      await expect(consumer.commit([{ topic, partition: 0, offset, metadata: '' }])).rejects.toMatchObject({
        code: 'INPUT_INVALID',
      });
      await consumer.stop();
    });

    it('keeps metadata of 4 KiB and refuses more', async () => {
      const topic = await bench.topic();
      const { consumer, seen, group } = await joinRecording(bench.log, { topics: [topic] });
      await bench.until('its assignment', () => seen.assigned.length === 1);
      const commit = (bytes: number) =>
        consumer.commit([{ topic, partition: 0, offset: 0, metadata: 'm'.repeat(bytes) }]);
      await commit(4096);
      await expect(commit(4097)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      await consumer.stop();
      expect((await bench.log.committed(group, topic)).get(0)?.metadata).toHaveLength(4096);
    });
  });
}
