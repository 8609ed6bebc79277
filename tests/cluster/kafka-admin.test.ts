/** Topics and offsets as the brokers have them, beyond what every log must do. */
import kafkajs from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { clientSettings } from '../../src/adapters/kafka/client/client-settings.ts';
import { names } from '../../src/adapters/kafka/client/names.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { logOpener } from './open-log.ts';
import { readEverything } from './read-everything.ts';
import { stackAddresses } from './stack.ts';

const open = logOpener();
const HOUR_MS = 3_600_000;

describe('topics', () => {
  test('are told of as they are, by name', async () => {
    const { log } = await open({ brokers: stackAddresses().brokers });
    await log.ensureTopics([
      { name: 'kept', partitions: 1 },
      { name: 'deleted', partitions: 12, retentionMs: HOUR_MS },
      { name: 'compacted', partitions: 2, compacted: true },
      { name: 'both', partitions: 1, compacted: true, retentionMs: HOUR_MS, replication: 1 },
    ]);
    expect(await log.topics()).toEqual([
      { name: 'both', partitions: 1, retentionMs: HOUR_MS, compacted: true, replication: 1 },
      { name: 'compacted', partitions: 2, compacted: true, replication: 1 },
      { name: 'deleted', partitions: 12, retentionMs: HOUR_MS, replication: 1 },
      { name: 'kept', partitions: 1, replication: 1 },
    ]);
    expect([...(await log.offsets('deleted')).keys()]).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  test('of another tenant are neither seen nor written to', async () => {
    const { brokers } = stackAddresses();
    const [ours, theirs] = [await open({ brokers }), await open({ brokers })];
    await theirs.log.ensureTopics([{ name: 'sales', partitions: 1 }]);
    expect(await ours.log.topics()).toEqual([]);
    await expect(ours.log.append('sales', [{ key: null, value: null }])).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
    });
    await ours.log.ensureTopics([{ name: 'sales', partitions: 2 }]);
    await ours.log.append('sales', [{ key: null, value: null }]);
    expect(await theirs.log.offsets('sales')).toEqual(new Map([[0, { start: 0, end: 0 }]]));
  });

  test('that exist keep their settings', async () => {
    const { log } = await open({ brokers: stackAddresses().brokers });
    await log.ensureTopics([{ name: 'sales', partitions: 1, retentionMs: HOUR_MS }]);
    await log.ensureTopics([{ name: 'sales', partitions: 1, compacted: true }]);
    expect(await log.topics()).toEqual([
      { name: 'sales', partitions: 1, retentionMs: HOUR_MS, replication: 1 },
    ]);
  });

  test('are not created beside one that has other partitions', async () => {
    const { log } = await open({ brokers: stackAddresses().brokers });
    await log.ensureTopics([{ name: 'sales', partitions: 3 }]);
    const wanted = [
      { name: 'new', partitions: 1 },
      { name: 'sales', partitions: 4 },
    ];
    await expect(log.ensureTopics(wanted)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'Topic sales has 3 partitions, not 4: keys would change their place.',
    });
    expect((await log.topics()).map(({ name }) => name)).toEqual(['sales']);
  });

  test('are created once by many at the same time, and can be written to at once', async () => {
    const { brokers } = stackAddresses();
    const first = await open({ brokers });
    const others = await Promise.all([1, 2].map(() => open({ brokers, namespace: first.address.namespace })));
    const specs = Array.from({ length: 4 }, (_, i) => ({ name: `topic-${i}`, partitions: 3 }));
    await Promise.all(
      [first, ...others].map(async ({ log }) => {
        await log.ensureTopics(specs);
        await Promise.all(
          specs.map(({ name }) => log.append(name, [{ key: null, value: null, partition: 2 }])),
        );
      }),
    );
    for (const { name } of specs)
      expect((await first.log.offsets(name)).get(2)).toEqual({ start: 0, end: 3 });
  });

  test('with more copies than brokers are refused, from the address as from the topic', async () => {
    const { brokers } = stackAddresses();
    const asked = { name: 'sales', partitions: 1 };
    const refused = { code: 'CONFIG_INVALID', message: expect.stringMatching(/copies of topic sales/) };
    const { log } = await open({ brokers });
    await expect(log.ensureTopics([{ ...asked, replication: 30 }])).rejects.toMatchObject(refused);
    const { log: other } = await open({ brokers, replicationFactor: 30 });
    await expect(other.ensureTopics([asked])).rejects.toMatchObject(refused);
    expect(await log.topics()).toEqual([]);
  });

  test('take records of any time: whether a clock is wrong is for others to say', async () => {
    const { log } = await open({ brokers: stackAddresses().brokers });
    await log.ensureTopics([{ name: 'sales', partitions: 1 }]);
    const times = [0, Date.UTC(1999, 0), Date.UTC(2100, 0)];
    await log.append(
      'sales',
      times.map((timestampMs) => ({ key: null, value: Buffer.from(`${timestampMs}`), timestampMs })),
    );
    expect(await readEverything(log, 'sales')).toEqual([times.map(String)]);
  });
});

test('offsets begin where the oldest record is', async () => {
  const { log, address } = await open({ brokers: stackAddresses().brokers });
  await log.ensureTopics([{ name: 'sales', partitions: 1 }]);
  await log.append(
    'sales',
    Array.from({ length: 10 }, () => ({ key: null, value: null })),
  );
  const admin = new kafkajs.Kafka(clientSettings(address, DEFAULT_CONFIG.kafka)).admin();
  await admin.connect();
  const topic = names(address.namespace).wire('sales');
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] });
  await admin.disconnect();
  expect(await log.offsets('sales')).toEqual(new Map([[0, { start: 7, end: 10 }]]));
});

test('a group that never committed has committed nothing, to a topic that never was neither', async () => {
  const { log } = await open({ brokers: stackAddresses().brokers });
  await log.ensureTopics([{ name: 'sales', partitions: 2 }]);
  expect(await log.committed('nobody', 'sales')).toEqual(new Map());
  expect(await log.committed('nobody', 'nothing')).toEqual(new Map());
});
