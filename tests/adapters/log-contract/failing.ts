import { describe, expect, it } from 'vitest';
import { after, joinRecording, numbered, numbers, recordsOf, valuesOf } from './bench.ts';
import type { Bench } from './bench.ts';

export function describeFailing(bench: Bench): void {
  describe('a handler that rejects', () => {
    // TypeErrors have ended consumers silently elsewhere, others have made them try for ever.
    it.each([
      ['an Error', new Error('no')],
      ['a TypeError', new TypeError('not a function')],
    ])('with %s ends its consumer: told once, no further batch', async (_, error) => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(10));
      const { consumer, seen } = await joinRecording(
        bench.log,
        { topics: [topic], batchRecordsMax: 5 },
        () => ({
          eachBatch: () => Promise.reject(error),
        }),
      );
      await bench.until('the crash', () => seen.crashes.length > 0);
      const witness = await joinRecording(bench.log, { topics: [topic] });
      await bench.log.append(topic, numbered(10, { from: 10 }));
      await bench.until('the witness', () => witness.seen.records === 20);
      expect(seen.crashes).toEqual([error]);
      expect(valuesOf(recordsOf(seen.batches))).toEqual(numbers(5));
      await expect(consumer.commit([{ topic, partition: 0, offset: 5, metadata: '' }])).rejects.toMatchObject(
        {
          code: 'LOG_UNAVAILABLE',
        },
      );
      await consumer.stop();
      expect(seen.revoked).toEqual([]);
      await witness.consumer.stop();
    });

    it('leaves its partitions to the other members, from what was committed', async () => {
      const topic = await bench.topic({ partitions: 2 });
      const failing = await joinRecording(bench.log, { topics: [topic], batchRecordsMax: 5 }, (itself) => ({
        async eachBatch(batch) {
          if (batch.records[0]?.offset !== 0) throw new Error('no');
          await itself().commit([after(batch)]);
        },
      }));
      await bench.until('the first member', () => failing.seen.assigned.length === 1);
      const { group } = failing;
      const other = await joinRecording(
        bench.log,
        { topics: [topic], group, batchRecordsMax: 5 },
        (itself) => ({
          eachBatch: async (batch) => itself().commit([after(batch)]),
        }),
      );
      await bench.until('the second member', () => other.seen.assigned.length === 1);
      await bench.log.append(topic, [...numbered(10), ...numbered(10, { partition: 1 })]);
      const own = failing.seen.assigned.at(-1)?.[0]?.partition ?? -1;
      await bench.until('all of its work', () => recordsOf(other.seen.batches, own).length >= 5);
      await bench.until('the other’s own work', () => recordsOf(other.seen.batches, 1 - own).length >= 10);
      expect(failing.seen.crashes).toHaveLength(1);
      expect(valuesOf(recordsOf(other.seen.batches, own))).toEqual(numbers(5, 5));
      await other.consumer.stop();
    });

    it('in onAssigned gets no batch', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(1));
      const error = new Error('cannot restore');
      const { seen } = await joinRecording(bench.log, { topics: [topic] }, () => ({
        onAssigned: () => Promise.reject(error),
      }));
      await bench.until('the crash', () => seen.crashes.length > 0);
      expect(seen.crashes).toEqual([error]);
      expect(seen.batches).toEqual([]);
    });

    it('in onRevoked still leaves', async () => {
      const topic = await bench.topic();
      const error = new Error('cannot save');
      const { consumer, seen, group } = await joinRecording(bench.log, { topics: [topic] }, () => ({
        onRevoked: () => Promise.reject(error),
      }));
      await bench.until('its assignment', () => seen.assigned.length === 1);
      await consumer.stop();
      expect(seen.crashes).toEqual([error]);
      const next = await joinRecording(bench.log, { topics: [topic], group });
      await bench.until('the next member', () => next.seen.assigned.length === 1);
      await next.consumer.stop();
    });
  });
}
