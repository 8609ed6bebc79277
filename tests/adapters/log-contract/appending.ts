import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import type { OutgoingRecord } from '../../../src/pipeline/log.ts';
import { partitionForKey } from '../../../src/pipeline/partitioner.ts';
import { numbered, numbers, uniqueName, valuesOf } from './bench.ts';
import type { Bench } from './bench.ts';

/** What is sent and what is read must be the same bytes. */
const ROUND_TRIPS: readonly (readonly [string, OutgoingRecord])[] = [
  ['key and value', { key: Buffer.from('store-1'), value: Buffer.from('sold') }],
  ['a null key', { key: null, value: Buffer.from('sold') }],
  ['a null value', { key: Buffer.from('store-1'), value: null }],
  ['neither key nor value', { key: null, value: null }],
  ['empty key and value', { key: Buffer.alloc(0), value: Buffer.alloc(0) }],
  ['bytes that are no text', { key: Buffer.from([0, 255, 128]), value: Buffer.from([255, 0, 254, 10, 13]) }],
  ['a timestamp', { key: null, value: Buffer.from('x'), timestampMs: 1_700_000_000_123 }],
  [
    'headers',
    {
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: { ce_type: Buffer.from('sold'), größe: Buffer.from([0, 1, 255]), empty: Buffer.alloc(0) },
    },
  ],
];

export function describeAppending(bench: Bench): void {
  describe('appending', () => {
    it('chooses the partition by the key’s hash', async () => {
      const topic = await bench.topic({ partitions: 7 });
      const keys = Array.from({ length: 60 }, (_, i) => Buffer.from(`store-${i}`));
      const places = await bench.log.append(
        topic,
        keys.map((key) => ({ key, value: key })),
      );
      expect(places.map((place) => place.partition)).toEqual(keys.map((key) => partitionForKey(key, 7)));
      const read = await bench.readAll(topic);
      for (const [partition, records] of read.entries()) {
        for (const { key } of records) expect(partitionForKey(key as Buffer, 7)).toBe(partition);
      }
    });

    it('takes the partition that a record names, whatever its key', async () => {
      const topic = await bench.topic({ partitions: 3 });
      const key = Buffer.from('store-1');
      const places = await bench.log.append(
        topic,
        [2, 0, 1, 2].map((partition) => ({ key, value: key, partition })),
      );
      expect(places.map((place) => place.partition)).toEqual([2, 0, 1, 2]);
    });

    it('spreads records without a key over all partitions', async () => {
      const topic = await bench.topic({ partitions: 3 });
      for (let i = 0; i < 30; i++) await bench.log.append(topic, [{ key: null, value: Buffer.from('x') }]);
      const ranges = await bench.log.offsets(topic);
      expect([...ranges.values()].reduce((sum, { end }) => sum + end, 0)).toBe(30);
      for (const { end } of ranges.values()) expect(end).toBeGreaterThan(0);
    });

    it('numbers the records of each partition from 0 on, in order', async () => {
      const topic = await bench.topic({ partitions: 2 });
      const first = await bench.log.append(topic, [
        ...numbered(2),
        ...numbered(1, { partition: 1, from: 50 }),
      ]);
      const second = await bench.log.append(topic, [
        ...numbered(1, { partition: 1, from: 51 }),
        ...numbered(2, { from: 2 }),
      ]);
      expect(first).toEqual([
        { partition: 0, offset: 0 },
        { partition: 0, offset: 1 },
        { partition: 1, offset: 0 },
      ]);
      expect(second).toEqual([
        { partition: 1, offset: 1 },
        { partition: 0, offset: 2 },
        { partition: 0, offset: 3 },
      ]);
      const [zero, one] = await bench.readAll(topic);
      expect(zero?.map((record) => record.offset)).toEqual([0, 1, 2, 3]);
      expect(valuesOf(zero ?? [])).toEqual(numbers(4));
      expect(valuesOf(one ?? [])).toEqual(['50', '51']);
    });

    it('tells where each partition begins and ends', async () => {
      const topic = await bench.topic({ partitions: 3 });
      await bench.log.append(topic, [...numbered(5), ...numbered(2, { partition: 2 })]);
      expect(await bench.log.offsets(topic)).toEqual(
        new Map([
          [0, { start: 0, end: 5 }],
          [1, { start: 0, end: 0 }],
          [2, { start: 0, end: 2 }],
        ]),
      );
    });

    it.each(ROUND_TRIPS)('keeps %s', async (_, sent) => {
      const topic = await bench.topic();
      await bench.log.append(topic, [sent]);
      const record = (await bench.readAll(topic))[0]?.[0];
      assert(record !== undefined);
      expect(record).toMatchObject({ offset: 0, key: sent.key, value: sent.value });
      expect({ ...record.headers }).toEqual(sent.headers ?? {});
      expect(Number.isInteger(record.timestampMs)).toBe(true);
      expect(record.timestampMs).toBe(sent.timestampMs ?? record.timestampMs);
    });

    it('of nothing does nothing', async () => {
      const topic = await bench.topic();
      expect(await bench.log.append(topic, [])).toEqual([]);
      expect(await bench.log.offsets(topic)).toEqual(new Map([[0, { start: 0, end: 0 }]]));
    });

    it('takes large records', async () => {
      const topic = await bench.topic();
      // The rest is left for what the log adds.
      const value = Buffer.alloc(bench.largeRecordBytes - 1024, 'bread and butter ');
      for (let i = 0; i < 3; i++) await bench.log.append(topic, [{ key: Buffer.from([i]), value }]);
      const [records] = await bench.readAll(topic);
      expect(records?.map((record) => record.value?.equals(value))).toEqual([true, true, true]);
    });

    it('keeps appends made at the same time whole and side by side', async () => {
      const topic = await bench.topic({ partitions: 2 });
      const appends = Array.from({ length: bench.concurrentAppends }, (_, i) => {
        const size = 1 + (i % 4);
        return [...numbered(size, { from: i * 10 }), ...numbered(size, { from: i * 10, partition: 1 })];
      });
      const places = await Promise.all(appends.map((records) => bench.log.append(topic, records)));
      const read = await bench.readAll(topic);
      for (const [index, records] of appends.entries()) {
        const size = records.length / 2;
        for (const partition of [0, 1]) {
          const offsets = (places[index] ?? [])
            .filter((place) => place.partition === partition)
            .map((place) => place.offset);
          const first = offsets[0] ?? Number.NaN;
          expect(offsets).toEqual(Array.from({ length: size }, (_, i) => first + i));
          expect(valuesOf(read[partition]?.slice(first, first + size) ?? [])).toEqual(
            numbers(size, index * 10),
          );
        }
      }
      const total = appends.reduce((sum, records) => sum + records.length / 2, 0);
      expect(read.map((records) => records.length)).toEqual([total, total]);
    });

    it('refuses a topic that does not exist', async () => {
      await expect(bench.log.append(uniqueName('absent'), numbered(1))).rejects.toMatchObject({
        code: 'INPUT_NOT_FOUND',
      });
    });

    it.each([-1, 2, 1.5])('refuses all of an append that names partition %d of two', async (partition) => {
      const topic = await bench.topic({ partitions: 2 });
      await expect(
        bench.log.append(topic, [...numbered(1), ...numbered(1, { partition })]),
      ).rejects.toMatchObject({
        code: 'INPUT_INVALID',
      });
      expect((await bench.log.offsets(topic)).get(0)).toEqual({ start: 0, end: 0 });
    });
  });

  describe('topics', () => {
    it('are created once, and keep their records when ensured again', async () => {
      const name = uniqueName('topic');
      const spec = { name, partitions: 3, retentionMs: 86_400_000 };
      await bench.log.ensureTopics([spec]);
      await bench.log.append(name, numbered(2));
      await bench.log.ensureTopics([spec, { name: uniqueName('topic'), partitions: 1 }]);
      expect((await bench.log.offsets(name)).get(0)).toEqual({ start: 0, end: 2 });
      const found = (await bench.log.topics()).find((topic) => topic.name === name);
      expect(found).toMatchObject({ name, partitions: 3 });
    });

    it('cannot change their number of partitions', async () => {
      const topic = await bench.topic({ partitions: 3 });
      for (const partitions of [2, 4]) {
        await expect(bench.log.ensureTopics([{ name: topic, partitions }])).rejects.toMatchObject({
          code: 'CONFIG_INVALID',
        });
      }
      expect((await bench.log.offsets(topic)).size).toBe(3);
    });

    it.each([0, -1, 2.5])('cannot have %d partitions', async (partitions) => {
      const name = uniqueName('topic');
      await expect(bench.log.ensureTopics([{ name, partitions }])).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
      expect((await bench.log.topics()).map((topic) => topic.name)).not.toContain(name);
    });

    it('survive a reopening, with their records', async () => {
      const topic = await bench.topic({ partitions: 2 });
      await bench.log.append(topic, numbered(10, { partition: 1 }));
      await bench.reopen();
      expect(valuesOf((await bench.readAll(topic))[1] ?? [])).toEqual(numbers(10));
      expect(await bench.log.append(topic, numbered(1, { partition: 1 }))).toEqual([
        { partition: 1, offset: 10 },
      ]);
    });
  });

  describe('a closed log', () => {
    it('has made durable what was under way, and refuses more', async () => {
      const topic = await bench.topic();
      const { log } = bench;
      const appended = log.append(topic, numbered(10));
      await log.close();
      expect(await appended).toHaveLength(10);
      await expect(log.append(topic, numbered(1))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
      await bench.reopen();
      expect(valuesOf((await bench.readAll(topic))[0] ?? [])).toEqual(numbers(10));
    });
  });
}
