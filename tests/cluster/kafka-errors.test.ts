/** Kafka that is not where it should be, or cannot do what it should. (Who is not let in: kafka-security.test.ts.) */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startBroker } from '../../deploy/stack/broker.ts';
import { freePort } from '../../deploy/stack/free-port.ts';
import { names } from '../../src/adapters/kafka/client/names.ts';
import { cleanUpsAfterEach } from './clean-ups.ts';
import { logOpener } from './open-log.ts';
import { stackAddresses } from './stack.ts';

const open = logOpener();
const LIMITS = { connectMsMax: 1_000, requestMsMax: 1_000 };
const cleanUp = cleanUpsAfterEach();

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('an address', () => {
  test('where nothing listens', async () => {
    const broker = `127.0.0.1:${await freePort()}`;
    await expect(open({ brokers: [broker], limits: LIMITS })).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
      message: `Kafka at ${broker} cannot be reached: nothing listens there.`,
      remedy: expect.stringContaining('KAFKA_BROKERS'),
    });
  });

  test('of no host', async () => {
    await expect(open({ brokers: ['no-such-host.invalid:9092'], limits: LIMITS })).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
      message: expect.stringMatching(
        /no-such-host\.invalid:9092 cannot be reached: (?:there is no host|its name cannot)/,
      ),
    });
  });

  test('of a web server', async () => {
    const web = await listening(createHttpServer((_, response) => response.end('<html>')));
    await expect(open({ brokers: [web], limits: LIMITS })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `What listens at ${web} is not Kafka.`,
    });
  });

  test('of something that never says a word', async () => {
    const silent = await listening(createServer((socket) => cleanUp(() => void socket.destroy())));
    await expect(open({ brokers: [silent], limits: LIMITS })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `What listens at ${silent} is not Kafka.`,
    });
  });

  test('beside one that works does no harm', async () => {
    const brokers = [`127.0.0.1:${await freePort()}`, ...stackAddresses().brokers];
    for (let i = 0; i < 3; i++) {
      const { log } = await open({ brokers, limits: LIMITS });
      expect(await log.topics()).toEqual([]);
    }
  });
});

test('a broker’s disk that takes nothing more is told of, and waited for', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-kafka-disk-'));
  cleanUp(() => rm(dir, { recursive: true, force: true }));
  // Of two disks, as a broker without any would end.
  const disks = ['disk-1', 'disk-2'].map((name) => join(dir, name));
  const broker = await startBroker({
    dir: join(dir, 'broker'),
    properties: {
      'log.dirs': disks.join(','),
      'metadata.log.dir': join(dir, 'metadata'),
      'log.segment.bytes': '1048576',
    },
  });
  cleanUp(() => broker.stop());
  const { log, events, address } = await open({
    brokers: [broker.address],
    limits: { appendMsMax: 3_000, compression: 'none' },
  });
  await log.ensureTopics([{ name: 'sales', partitions: 1 }]);
  await log.ensureTopics([{ name: 'spread', partitions: 6 }]);
  const append = (): ReturnType<typeof log.append> =>
    log.append('sales', [{ key: null, value: Buffer.alloc(700_000) }]);
  await append();

  // Where the next segment of the topic would be made, nothing can be made any more.
  const partition = `${names(address.namespace).wire('sales')}-0`;
  for (const disk of disks) {
    if ((await readdir(disk)).includes(partition)) await rm(join(disk, partition), { recursive: true });
  }
  await expect(append()).rejects.toMatchObject({
    code: expect.stringMatching(/^(?:DISK_FULL|LOG_UNAVAILABLE)$/),
    message: expect.stringContaining('topic sales'),
    remedy: expect.stringContaining('disk'),
  });
  expect(events).toContainEqual(
    expect.objectContaining({ kind: 'retried', what: 'Appending to topic sales' }),
  );

  // Of all this another tenant notices nothing.
  const { log: tenant } = await open({ brokers: [broker.address] });
  await tenant.ensureTopics([{ name: 'orders', partitions: 1 }]);
  expect(await tenant.topics()).toEqual([{ name: 'orders', partitions: 1, replication: 1 }]);
  expect(await tenant.append('orders', [{ key: null, value: null }])).toEqual([{ partition: 0, offset: 0 }]);
  expect((await log.topics()).map(({ name }) => name)).toEqual(['sales', 'spread']);
  // Of the partitions on the other disk is told as if nothing had happened.
  const ranges = await log.offsets('spread');
  expect(ranges.size).toBeGreaterThan(0);
  expect(ranges.size).toBeLessThan(6);
  expect([...ranges.values()]).toEqual(Array.from(ranges, () => ({ start: 0, end: 0 })));
  await expect(log.offsets('sales')).rejects.toMatchObject({
    code: 'LOG_UNAVAILABLE',
    message: 'No broker leads topic sales at the moment.',
  });
});
