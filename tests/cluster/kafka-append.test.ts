/** What an acknowledgement of Kafka's producer is worth, and what one caller's failure does to the others. */
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { clientSettings } from '../../src/adapters/kafka/client/client-settings.ts';
import { names } from '../../src/adapters/kafka/client/names.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import type { OutgoingRecord } from '../../src/pipeline/log.ts';
import { logOpener } from './open-log.ts';
import type { OpenedLog } from './open-log.ts';
import { readEverything } from './read-everything.ts';
import { stackAddresses } from './stack.ts';

/** From the beginning: Node says some things once in a process. */
const warnings: string[] = [];
const listen = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`);
process.on('warning', listen);

const open = logOpener();
const record = (value: string, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  key: Buffer.from('k'),
  value: Buffer.from(value),
  ...more,
});

async function withAdmin(
  { address }: OpenedLog,
  work: (admin: Admin, wire: (name: string) => string) => Promise<unknown>,
): Promise<void> {
  const admin = new kafkajs.Kafka(clientSettings(address, DEFAULT_CONFIG.kafka)).admin();
  await admin.connect();
  await work(admin, names(address.namespace).wire);
  await admin.disconnect();
}

describe('an append', () => {
  test('after one that was refused is kept, though it looks like it', async () => {
    const { log } = await open({ brokers: stackAddresses().brokers });
    await log.ensureTopics([{ name: 'latest', partitions: 2, compacted: true }]);
    // Partition 0 takes its record; partition 1 refuses one without a key, and with it the append fails.
    const halfGood = [record('first', { partition: 0 }), record('refused', { partition: 1, key: null })];
    await expect(log.append('latest', halfGood)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(await log.append('latest', [record('second', { partition: 0 })])).toEqual([
      { partition: 0, offset: 1 },
    ]);
    expect(await readEverything(log, 'latest')).toEqual([['first', 'second'], []]);
  });

  test('is not refused for what goes along with it', async () => {
    const { log } = await open({ brokers: stackAddresses().brokers });
    await log.ensureTopics([{ name: 'latest', partitions: 1, compacted: true }]);
    await log.append('latest', [record('before')]);
    const together = [record('a'), record('without a key', { key: null }), record('b'), record('c')];
    const results = await Promise.allSettled(together.map((each) => log.append('latest', [each])));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    const [values] = await readEverything(log, 'latest');
    expect(new Set(values)).toEqual(new Set(['before', 'a', 'b', 'c']));
  });

  test('to a topic that was deleted says so, and the other topics go on', async () => {
    const opened = await open({ brokers: stackAddresses().brokers });
    const { log } = opened;
    await log.ensureTopics(['gone', 'there'].map((name) => ({ name, partitions: 1 })));
    for (const topic of ['gone', 'there']) await log.append(topic, [record('before')]);
    await log.offsets('gone');
    await withAdmin(opened, (admin, wire) => admin.deleteTopics({ topics: [wire('gone')] }));
    await expect(log.append('gone', [record('after')])).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
      message: 'Kafka has no topic gone.',
    });
    expect(await log.append('there', [record('after')])).toEqual([{ partition: 0, offset: 1 }]);
    expect(await log.offsets('there')).toEqual(new Map([[0, { start: 0, end: 2 }]]));
    await log.ensureTopics([{ name: 'gone', partitions: 2 }]);
    expect(await log.append('gone', [record('anew', { partition: 1 })])).toEqual([
      { partition: 1, offset: 0 },
    ]);
  });

  test('is cut to what the topic takes; one record that is too large for it is refused', async () => {
    const opened = await open({ brokers: stackAddresses().brokers, limits: { compression: 'none' } });
    const { log } = opened;
    await log.ensureTopics([{ name: 'narrow', partitions: 1 }]);
    await withAdmin(opened, (admin, wire) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: wire('narrow'),
            configEntries: [{ name: 'max.message.bytes', value: '10000' }],
          },
        ],
      }),
    );
    const values = Array.from({ length: 50 }, (_, i) => `${i} ${'x'.repeat(2_000)}`);
    const places = await log.append(
      'narrow',
      values.map((value) => record(value)),
    );
    expect(places.map(({ offset }) => offset)).toEqual(values.map((_, i) => i));
    expect(await readEverything(log, 'narrow')).toEqual([values]);
    await expect(log.append('narrow', [record('x'.repeat(10_000))])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/^A record of \d+ bytes for topic narrow is larger than 99\d\d\.$/),
    });
  });

  test('of 200,000 records in 4 MB goes through in order, many at a time', async () => {
    const { log } = await open({
      brokers: stackAddresses().brokers,
      limits: { appendBytesInFlightMax: 8_388_608 },
    });
    await log.ensureTopics([{ name: 'sales', partitions: 3 }]);
    const appends = Array.from({ length: 40 }, (_, a) =>
      Array.from({ length: 5_000 }, (_, i) => record(`${a * 5_000 + i}`, { partition: i % 3 })),
    );
    await Promise.all(appends.map((records) => log.append('sales', records)));
    const read = await readEverything(log, 'sales');
    expect(read.flat()).toHaveLength(200_000);
    for (const values of read) {
      const numbers = values.map(Number);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });
});

test('nothing of all this made Node warn', () => {
  process.off('warning', listen);
  expect(warnings).toEqual([]);
});
