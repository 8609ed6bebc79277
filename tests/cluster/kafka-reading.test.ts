/** What is read from Kafka when records are gone, damaged, given up or packed, and when the broker goes away. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KafkaLimits } from '../../src/config.ts';
import {
  after,
  joinRecording,
  numbered,
  numbers,
  recorder,
  recordsOf,
  uniqueName,
  until,
  valuesOf,
} from '../adapters/log-contract/bench.ts';
import { startOwnBroker } from './own-broker.ts';
import type { OpenedLog, OwnBroker } from './own-broker.ts';

const DEADLINE_MS = 120_000;

let own: OwnBroker;

beforeAll(async () => {
  own = await startOwnBroker();
}, 240_000);

afterAll(() => own.dispose(), 120_000);

const soon = (what: string, condition: () => boolean): Promise<void> => until(what, condition, DEADLINE_MS);

async function newTopic({ log }: OpenedLog, partitions = 1): Promise<string> {
  const topic = uniqueName('topic');
  await log.ensureTopics([{ name: topic, partitions }]);
  return topic;
}

function kafkajs(): Kafka {
  return new Kafka({ brokers: [...own.address.brokers], logLevel: logLevel.NOTHING });
}

const wire = (topic: string): string => `${own.address.namespace}.${topic}`;

async function deleteBefore(topic: string, offset: number): Promise<void> {
  const admin = kafkajs().admin();
  await admin.fetchTopicOffsets(wire(topic)); // kafkajs must know the topic to find its leader
  await admin.deleteTopicRecords({
    topic: wire(topic),
    partitions: [{ partition: 0, offset: String(offset) }],
  });
  await admin.disconnect();
}

describe('reading from Kafka', () => {
  it('goes on at the oldest record where what the group had committed is deleted, and says what is missing', async () => {
    const a = await own.open();
    const topic = await newTopic(a);
    await a.log.append(topic, numbered(20));
    const early = await joinRecording(a.log, { topics: [topic], batchRecordsMax: 5 }, (itself) => ({
      async eachBatch(batch) {
        if (batch.records[0]?.offset === 0) await itself().commit([after(batch)]);
      },
    }));
    await soon('the first batches', () => early.seen.records === 20);
    await early.consumer.stop();
    await deleteBefore(topic, 12);
    const late = await joinRecording(a.log, { topics: [topic], group: early.group });
    await soon('the rest', () => late.seen.records === 8);
    await late.consumer.stop();
    expect(valuesOf(recordsOf(late.seen.batches))).toEqual(numbers(8, 12));
    expect(a.events.filter(({ kind }) => kind === 'offset_gap')).toEqual([
      { kind: 'offset_gap', topic, partition: 0, fromOffset: 5, toOffset: 12 },
    ]);
  });

  it.each([
    ['before the oldest', 2, { fromOffset: 2, toOffset: 4 }],
    ['beyond the end', 99, { fromOffset: 99, toOffset: 4 }],
  ])('sought %s starts at the oldest', async (_, offset, gap) => {
    const a = await own.open();
    const topic = await newTopic(a);
    await a.log.append(topic, numbered(10));
    await deleteBefore(topic, 4);
    const { consumer, seen } = await joinRecording(a.log, { topics: [topic] }, (itself) => ({
      onAssigned: async () => itself().seek({ topic, partition: 0, offset }),
    }));
    await soon('all that is left', () => seen.records === 6);
    await consumer.stop();
    expect(valuesOf(recordsOf(seen.batches))).toEqual(numbers(6, 4));
    expect(a.events.filter(({ kind }) => kind === 'offset_gap')).toEqual([
      { kind: 'offset_gap', topic, partition: 0, ...gap },
    ]);
  });

  it('unpacks what any codec has packed', async () => {
    const topic = await newTopic(await own.open());
    const codecs: readonly KafkaLimits['compression'][] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
    for (const [index, compression] of codecs.entries()) {
      const { log } = await own.open({ compression });
      await log.append(topic, numbered(100, { from: 100 * index }));
    }
    const a = await own.open();
    const { seen, handler } = recorder();
    const tail = await a.log.tail({ topic, from: 'earliest', batchRecordsMax: 30 }, handler);
    await soon('all of them', () => seen.records === 500);
    await tail.stop();
    expect(valuesOf(recordsOf(seen.batches))).toEqual(numbers(500));
  });

  it('sees of transactions only what was committed, and takes their markers for no gap', async () => {
    const a = await own.open();
    const topic = await newTopic(a);
    const producer = kafkajs().producer({
      transactionalId: uniqueName('tx'),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    for (const [index, end] of (['commit', 'abort', 'commit', 'abort'] as const).entries()) {
      const transaction = await producer.transaction();
      for (const part of [0, 1]) {
        await transaction.send({
          topic: wire(topic),
          messages: [{ partition: 0, value: `${index}-${part}` }],
        });
      }
      await transaction[end]();
    }
    await producer.disconnect();
    await a.log.append(topic, [{ key: null, value: Buffer.from('plain') }]);
    const { consumer, seen } = await joinRecording(a.log, { topics: [topic] });
    await soon('what was committed', () => seen.records === 5);
    await consumer.stop();
    expect(valuesOf(recordsOf(seen.batches))).toEqual(['0-0', '0-1', '2-0', '2-1', 'plain']);
    expect(a.events.filter(({ kind }) => kind === 'offset_gap')).toEqual([]);
  });

  it('has read everything when what is left are markers and what was given up', async () => {
    const a = await own.open();
    const topic = await newTopic(a);
    const place = { topic, partition: 0 };
    const endOf = async () => (await a.log.offsets(topic)).get(0)?.end ?? 0;
    const { consumer, seen } = await joinRecording(a.log, { topics: [topic] });
    const producer = kafkajs().producer({
      transactionalId: uniqueName('tx'),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const transact = async (end: 'commit' | 'abort'): Promise<void> => {
      const transaction = await producer.transaction();
      await transaction.send({ topic: wire(topic), messages: [{ partition: 0, value: end }] });
      await transaction[end]();
    };
    await transact('commit');
    await soon('what was committed', () => seen.records === 1);
    await soon('its marker', () => consumer.position(place) === 2);
    expect(await endOf()).toBe(2);
    await transact('abort');
    await soon('what was given up', () => consumer.position(place) === 4);
    expect(await endOf()).toBe(4);
    await producer.disconnect();
    await consumer.stop();
    expect(valuesOf(recordsOf(seen.batches))).toEqual(['commit']);

    const late = await joinRecording(a.log, { topics: [topic], startFrom: 'earliest' }, (itself) => ({
      onAssigned: async () => itself().seek({ ...place, offset: 1 }),
    }));
    await soon('the end, without a record', () => late.consumer.position(place) === 4);
    await late.consumer.stop();
    expect(late.seen.records).toBe(0);
  });

  it('has read everything when everything is deleted', async () => {
    const a = await own.open();
    const topic = await newTopic(a);
    await a.log.append(topic, numbered(10));
    await deleteBefore(topic, 10);
    const { consumer, seen } = await joinRecording(a.log, { topics: [topic] }, (itself) => ({
      onAssigned: async () => itself().seek({ topic, partition: 0, offset: 3 }),
    }));
    await soon('the end', () => consumer.position({ topic, partition: 0 }) === 10);
    await consumer.stop();
    expect(seen.records).toBe(0);
  });

  it('outlives its broker: nothing is lost, and a membership goes on where its session is longer than the absence', async () => {
    // Until a broker is up again on a busy machine may take minutes.
    const patient = await own.open({ sessionTimeoutMs: 300_000, appendMsMax: 300_000 });
    const quick = await own.open();
    const topic = await newTopic(patient, 2);
    const members = await Promise.all(
      [patient, quick].map(({ log }) =>
        joinRecording(log, { topics: [topic], batchRecordsMax: 7 }, (itself) => ({
          eachBatch: async (batch) => {
            await itself()
              .commit([after(batch)])
              .catch(() => undefined);
          },
        })),
      ),
    );
    const tailed = recorder();
    const tail = await patient.log.tail({ topic, from: 'earliest', batchRecordsMax: 7 }, tailed.handler);
    for (const partition of [0, 1]) await patient.log.append(topic, numbered(50, { partition }));
    await soon('the first half', () => [...members, tailed].every(({ seen }) => seen.records >= 100));
    await own.broker.kill();
    const meanwhile = Promise.all(
      [0, 1].map((partition) => patient.log.append(topic, numbered(50, { partition, from: 50 }))),
    );
    await Promise.all([own.broker.restart(), meanwhile]);
    const all = (seen: (typeof tailed)['seen'], partition: number) =>
      new Set(valuesOf(recordsOf(seen.batches, partition)));
    await soon('the second half', () =>
      [...members, tailed].every(({ seen }) =>
        [0, 1].every((partition) => all(seen, partition).size === 100),
      ),
    );
    await Promise.all([tail, ...members.map(({ consumer }) => consumer)].map((each) => each.stop()));
    const [steady] = members;
    expect(steady?.seen.assigned).toHaveLength(1);
    for (const partition of [0, 1]) {
      expect(valuesOf(recordsOf(tailed.seen.batches, partition))).toEqual(numbers(100));
      expect(valuesOf(recordsOf(steady?.seen.batches ?? [], partition))).toEqual(numbers(100));
    }
    expect([...members, tailed].flatMap(({ seen }) => seen.crashes)).toEqual([]);
    expect(patient.events.some(({ kind }) => kind === 'retried')).toBe(true);
    expect(patient.events.some(({ kind }) => kind === 'lost')).toBe(false);
  });

  it('tells of a batch that is damaged on disk, goes on beside it, and after it when told to', async () => {
    const a = await own.open({ compression: 'none' });
    const topic = await newTopic(a, 2);
    await a.log.append(topic, numbered(5));
    await a.log.append(topic, [{ key: null, value: Buffer.from('damaged'), partition: 0 }]);
    await a.log.append(topic, numbered(5, { from: 6 }));
    await a.log.append(topic, numbered(5, { partition: 1 }));
    await own.broker.stop();
    await flipByteOf('damaged', wire(topic));
    await own.broker.restart();
    const unreadable: unknown[] = [];
    const { seen, handler } = recorder();
    const joined = await a.log.join(
      { group: uniqueName('group'), topics: [topic], startFrom: 'earliest', batchRecordsMax: 100 },
      { ...handler, onUnreadable: (partition, error) => void unreadable.push({ partition, error }) },
    );
    await soon('the damage', () => unreadable.length === 1 && seen.records === 10);
    expect(unreadable).toMatchObject([
      {
        partition: { topic, partition: 0 },
        error: {
          code: 'LOG_CORRUPT',
          message: `Record 5 of ${topic}/0 in Kafka cannot be read: its checksum does not agree.`,
        },
      },
    ]);
    joined.seek({ topic, partition: 0, offset: 6 });
    await soon('what follows', () => seen.records === 15);
    await joined.stop();
    expect(valuesOf(recordsOf(seen.batches))).toEqual([...numbers(5), ...numbers(5, 6)]);

    const strict = await joinRecording(a.log, { topics: [topic] });
    await soon('the crash', () => strict.seen.crashes.length === 1);
    expect(strict.seen.crashes).toMatchObject([{ code: 'LOG_CORRUPT' }]);
    await strict.consumer.stop();
  });
});

/** In the one segment of partition 0; the broker does not look at what it has closed in order. */
async function flipByteOf(text: string, wireTopic: string): Promise<void> {
  const dir = join(own.dir, 'data', `${wireTopic}-0`);
  const segment = (await readdir(dir)).find((name) => name.endsWith('.log')) ?? '';
  const bytes = await readFile(join(dir, segment));
  const at = bytes.indexOf(text);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(join(dir, segment), bytes);
}
