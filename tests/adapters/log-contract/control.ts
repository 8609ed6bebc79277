import { describe, expect, it } from 'vitest';
import { after, joinRecording, numbered, numbers, recordsOf, valuesOf } from './bench.ts';
import type { Bench } from './bench.ts';

export function describeControl(bench: Bench): void {
  describe('pause', () => {
    it('holds one partition back while the others go on, until resume', async () => {
      const topic = await bench.topic({ partitions: 2 });
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] }, (itself) => ({
        onAssigned: async () => itself().pause([{ topic, partition: 0 }]),
      }));
      await bench.until('its assignment', () => seen.assigned.length === 1);
      await bench.log.append(topic, numbered(5));
      for (let i = 0; i < 20; i++) await bench.log.append(topic, numbered(1, { partition: 1, from: i }));
      await bench.until('the other partition', () => recordsOf(seen.batches, 1).length === 20);
      expect(recordsOf(seen.batches, 0)).toEqual([]);
      consumer.resume([{ topic, partition: 0 }]);
      await bench.until('the paused partition', () => recordsOf(seen.batches, 0).length === 5);
      await consumer.stop();
      expect(valuesOf(recordsOf(seen.batches, 0))).toEqual(numbers(5));
    });

    it('in the middle of a partition goes on where it stopped', async () => {
      const topic = await bench.topic({ partitions: 2 });
      await bench.log.append(topic, numbered(20));
      const { consumer, seen } = await joinRecording(
        bench.log,
        { topics: [topic], batchRecordsMax: 5 },
        (itself) => ({
          async eachBatch(batch) {
            if (batch.partition === 0) itself().pause([batch]);
          },
        }),
      );
      for (let batches = 1; batches <= 4; batches++) {
        await bench.until(`batch ${batches}`, () => recordsOf(seen.batches).length === 5 * batches);
        await bench.log.append(topic, numbered(1, { partition: 1 }));
        await bench.until('the other partition', () => recordsOf(seen.batches, 1).length === batches);
        expect(recordsOf(seen.batches)).toHaveLength(5 * batches);
        consumer.resume([{ topic, partition: 0 }]);
      }
      await consumer.stop();
      expect(valuesOf(recordsOf(seen.batches))).toEqual(numbers(20));
    });

    it('of a partition that is not held does nothing', async () => {
      const topic = await bench.topic();
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] });
      await bench.until('its assignment', () => seen.assigned.length === 1);
      consumer.pause([{ topic, partition: 9 }]);
      consumer.resume([{ topic, partition: 9 }]);
      consumer.seek({ topic, partition: 9, offset: 3 });
      await bench.log.append(topic, numbered(1));
      await bench.until('a record', () => seen.records === 1);
      await consumer.stop();
    });
  });

  describe('seek', () => {
    it.each([0, 1, 7, 19])('before the first batch starts at %i', async (offset) => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(20));
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] }, (itself) => ({
        onAssigned: async () => itself().seek({ topic, partition: 0, offset }),
      }));
      await bench.until('the rest', () => seen.records === 20 - offset);
      await consumer.stop();
      expect(valuesOf(recordsOf(seen.batches))).toEqual(numbers(20 - offset, offset));
    });

    it('to the end waits for what comes', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(20));
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] }, (itself) => ({
        onAssigned: async () => itself().seek({ topic, partition: 0, offset: 20 }),
      }));
      await bench.until('its assignment', () => seen.assigned.length === 1);
      await bench.log.append(topic, numbered(1, { from: 20 }));
      await bench.until('a record', () => seen.records === 1);
      await consumer.stop();
      expect(valuesOf(recordsOf(seen.batches))).toEqual(['20']);
    });

    it('back, within a batch, reads again', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(12));
      let back = false;
      const { consumer, seen } = await joinRecording(
        bench.log,
        { topics: [topic], batchRecordsMax: 4 },
        (itself) => ({
          async eachBatch(batch) {
            if (back || batch.records[0]?.offset !== 4) return;
            back = true;
            itself().seek({ topic, partition: 0, offset: 2 });
          },
        }),
      );
      await bench.until('the end again', () => seen.records === 4 + 4 + 10);
      await consumer.stop();
      expect(valuesOf(recordsOf(seen.batches))).toEqual([...numbers(8), ...numbers(10, 2)]);
    });
  });

  describe('holds', () => {
    it('is true for what is assigned, in all calls of the handler, until it is stopped', async () => {
      const topic = await bench.topic({ partitions: 2 });
      await bench.log.append(topic, numbered(1));
      const held: Record<string, boolean> = {};
      const own = { topic, partition: 0 };
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] }, (itself) => ({
        async onAssigned() {
          held['assigned'] = itself().holds(own);
        },
        async eachBatch() {
          held['batch'] = itself().holds(own);
        },
        async onRevoked() {
          held['revoked'] = itself().holds(own);
        },
      }));
      await bench.until('the batch', () => seen.records === 1);
      expect(consumer.holds({ topic, partition: 1 })).toBe(true);
      expect(consumer.holds({ topic, partition: 2 })).toBe(false);
      await consumer.stop();
      expect(held).toEqual({ assigned: true, batch: true, revoked: true });
      expect(consumer.holds(own)).toBe(false);
    });

    it('is false before there is an assignment, and after a crash', async () => {
      const topic = await bench.topic();
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] }, () => ({
        eachBatch: () => Promise.reject(new Error('no')),
      }));
      expect(consumer.holds({ topic, partition: 0 })).toBe(false);
      await bench.until('its assignment', () => seen.assigned.length === 1);
      expect(consumer.holds({ topic, partition: 0 })).toBe(true);
      await bench.log.append(topic, numbered(1));
      await bench.until('the crash', () => seen.crashes.length === 1);
      expect(consumer.holds({ topic, partition: 0 })).toBe(false);
    });

    it('is true for one member only', async () => {
      const topic = await bench.topic({ partitions: 4 });
      const first = await joinRecording(bench.log, { topics: [topic] });
      await bench.until('the first member', () => first.seen.assigned.length === 1);
      const second = await joinRecording(bench.log, { topics: [topic], group: first.group });
      const shares = () =>
        [0, 1, 2, 3].map((partition) =>
          [first, second].map(({ consumer }) => Number(consumer.holds({ topic, partition }))).join(''),
        );
      await bench.until('both', () => shares().every((share) => share === '10' || share === '01'));
      await bench.until('halves', () => shares().filter((share) => share === '01').length === 2);
      await first.consumer.stop();
      await bench.until('all', () => shares().every((share) => share === '01'));
      await second.consumer.stop();
    });
  });

  describe('position', () => {
    it('is where the group goes on, then behind each batch that is handed over, and at the end when all has been read', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(20));
      const own = { topic, partition: 0 };
      const positions: (number | null)[] = [];
      const { consumer, seen } = await joinRecording(
        bench.log,
        { topics: [topic], batchRecordsMax: 6 },
        (itself) => ({
          async onAssigned() {
            positions.push(itself().position(own));
          },
          async eachBatch() {
            positions.push(itself().position(own));
          },
        }),
      );
      await bench.until('the end', () => seen.records === 20);
      expect(positions).toEqual([0, ...seen.batches.map((batch) => after(batch).offset)]);
      const end = (await bench.log.offsets(topic)).get(0)?.end;
      expect([consumer.position(own), end]).toEqual([20, 20]);
      await consumer.stop();
    });

    it('does not count what was fetched ahead', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(20));
      const { consumer, seen } = await joinRecording(
        bench.log,
        { topics: [topic], batchRecordsMax: 7 },
        (itself) => ({
          async eachBatch(batch) {
            itself().pause([batch]);
          },
        }),
      );
      await bench.until('a batch', () => seen.batches.length === 1);
      await bench.log.append(topic, numbered(1));
      expect(consumer.position({ topic, partition: 0 })).toBe(seen.records);
      await consumer.stop();
    });

    it('is what was sought, and what was committed', async () => {
      const topic = await bench.topic();
      const own = { topic, partition: 0 };
      await bench.log.append(topic, numbered(20));
      const first = await joinRecording(bench.log, { topics: [topic] }, (itself) => ({
        async onAssigned() {
          itself().pause([own]);
          itself().seek({ ...own, offset: 13 });
          await itself().commit([{ ...own, offset: 17, metadata: '' }]);
        },
      }));
      await bench.until('its assignment', () => first.seen.assigned.length === 1);
      expect(first.consumer.position(own)).toBe(13);
      await first.consumer.stop();
      const second = await joinRecording(bench.log, { topics: [topic], group: first.group }, (itself) => ({
        onAssigned: async () => itself().pause([own]),
      }));
      await bench.until('its assignment', () => second.seen.assigned.length === 1);
      expect(second.consumer.position(own)).toBe(17);
      await second.consumer.stop();
    });

    it('is null for what is not held', async () => {
      const topic = await bench.topic();
      const own = { topic, partition: 0 };
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] });
      expect(consumer.position(own)).toBeNull();
      await bench.until('its assignment', () => seen.assigned.length === 1);
      expect([consumer.position(own), consumer.position({ topic, partition: 1 })]).toEqual([0, null]);
      await consumer.stop();
      expect(consumer.position(own)).toBeNull();
    });
  });

  describe('stop', () => {
    it('waits for the batch in work, then revokes; both may commit', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(10));
      const events: string[] = [];
      let finish = (): void => undefined;
      const { consumer, seen, group } = await joinRecording(
        bench.log,
        { topics: [topic], batchRecordsMax: 5 },
        (itself) => ({
          async eachBatch(batch) {
            events.push('batch begins');
            await new Promise<void>((resolve) => {
              finish = resolve;
            });
            await itself().commit([after(batch, 'batch')]);
            events.push('batch ends');
          },
          async onRevoked() {
            events.push('revoked');
            await itself().commit([{ topic, partition: 0, offset: 3, metadata: 'revoked' }]);
          },
        }),
      );
      await bench.until('a batch', () => seen.batches.length === 1);
      const stopped = consumer.stop().then(() => events.push('stopped'));
      expect(events).toEqual(['batch begins']);
      finish();
      await stopped;
      expect(events).toEqual(['batch begins', 'batch ends', 'revoked', 'stopped']);
      expect(seen.revoked).toEqual([[{ topic, partition: 0 }]]);
      expect(await bench.log.committed(group, topic)).toEqual(
        new Map([[0, { offset: 3, metadata: 'revoked' }]]),
      );
      await consumer.stop();
      expect(seen.revoked).toHaveLength(1);
    });

    it('while it is being assigned its partitions lets none of their batches begin', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(5));
      let finish = (): void => undefined;
      const { consumer, seen } = await joinRecording(bench.log, { topics: [topic] }, () => ({
        onAssigned: () =>
          new Promise<void>((resolve) => {
            finish = resolve;
          }),
      }));
      await bench.until('its assignment', () => seen.assigned.length === 1);
      const stopped = consumer.stop();
      finish();
      await stopped;
      expect(seen.batches).toEqual([]);
      expect(seen.revoked).toEqual([[{ topic, partition: 0 }]]);
    });

    it('ends the deliveries', async () => {
      const topic = await bench.topic();
      const stopped = await joinRecording(bench.log, { topics: [topic] });
      const witness = await joinRecording(bench.log, { topics: [topic] });
      await bench.log.append(topic, numbered(1));
      await bench.until('the first record', () => stopped.seen.records === 1 && witness.seen.records === 1);
      await stopped.consumer.stop();
      for (let i = 1; i <= 20; i++) await bench.log.append(topic, numbered(1, { from: i }));
      await bench.until('the witness', () => witness.seen.records === 21);
      expect(stopped.seen.records).toBe(1);
      await witness.consumer.stop();
    });

    it('is also what closing the log does to its consumers', async () => {
      const topic = await bench.topic();
      await bench.log.append(topic, numbered(1));
      const { seen, group } = await joinRecording(bench.log, { topics: [topic] }, (itself) => ({
        onRevoked: async () => itself().commit([{ topic, partition: 0, offset: 1, metadata: 'closing' }]),
      }));
      await bench.until('the record', () => seen.records === 1);
      await bench.log.close();
      expect(seen.revoked).toHaveLength(1);
      await bench.reopen();
      expect((await bench.log.committed(group, topic)).get(0)).toEqual({ offset: 1, metadata: 'closing' });
    });
  });
}
