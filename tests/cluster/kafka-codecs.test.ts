/** A batch of every codec, from our own producer and from Kafka's own client, is read back as it was. */
import { describe, expect, test } from 'vitest';
import { names } from '../../src/adapters/kafka/client/names.ts';
import type { KafkaLimits } from '../../src/config.ts';
import { produceWithJava } from './java-client.ts';
import { logOpener } from './open-log.ts';
import { readEverything } from './read-everything.ts';
import { stackAddresses } from './stack.ts';

const CODECS: readonly KafkaLimits['compression'][] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
/** More than one block of any codec (64 KiB for LZ4, 32 KiB for Java's Snappy), and worth compressing. */
const LINES = Array.from({ length: 2_000 }, (_, i) => `${i} ${'bread and butter '.repeat(1 + (i % 7))}größe`);

const open = logOpener();

describe.each(CODECS)('%s', (codec) => {
  test('written by us', async () => {
    const { log } = await open({ brokers: stackAddresses().brokers, limits: { compression: codec } });
    await log.ensureTopics([{ name: 'sales', partitions: 1 }]);
    await log.append(
      'sales',
      LINES.map((line) => ({ key: null, value: Buffer.from(line) })),
    );
    expect(await readEverything(log, 'sales')).toEqual([LINES]);
  });

  test('written by Kafka’s own client', async () => {
    const { brokers } = stackAddresses();
    const { log, address } = await open({ brokers });
    await log.ensureTopics([{ name: 'sales', partitions: 1 }]);
    await produceWithJava({ brokers, wireTopic: names(address.namespace).wire('sales'), codec }, LINES);
    expect(await readEverything(log, 'sales')).toEqual([LINES]);
  });
});
