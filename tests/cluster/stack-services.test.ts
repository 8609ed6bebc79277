/** The broker, registry and store that tests may break: they come back where and as they were. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker } from '../../deploy/stack/broker.ts';
import type { Broker } from '../../deploy/stack/broker.ts';
import { answersMetadata } from '../../deploy/stack/metadata-request.ts';
import { startRegistry } from '../../deploy/stack/registry.ts';
import { startStore } from '../../deploy/stack/store.ts';
import type { StoreServer } from '../../deploy/stack/store.ts';

const dir = mkdtempSync(join(tmpdir(), 'foretill-services-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('broker', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker({
      dir: join(dir, 'kafka'),
      heapMegabytes: 384,
      listeners: [{ name: 'SCRAM', protocol: 'SASL_PLAINTEXT' }],
      formatArguments: ['--add-scram', 'SCRAM-SHA-256=[name=alice,password=alices]'],
      javaOptions: ['-Dforetill.test=1'],
      properties: {
        'listener.name.scram.sasl.enabled.mechanisms': 'SCRAM-SHA-256',
        'listener.name.scram.scram-sha-256.sasl.jaas.config':
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      },
    });
  });
  afterAll(() => broker.stop());

  test('keeps its topics and address through a kill and a polite restart', async () => {
    await createTopic(broker.address, 'kept');
    const first = broker.pid();
    await broker.kill();
    expect(broker.pid()).toBeUndefined();
    expect(await answersMetadata(portOf(broker.address))).toBe(false);
    await broker.restart();
    expect(broker.pid()).not.toBe(first);
    expect(await topics(broker.address)).toContain('kept');
    await broker.restart();
    expect(await topics(broker.address)).toContain('kept');
    expect(broker.log()).toContain('Kafka Server started');
  });

  test('has further listeners, users and settings when asked', async () => {
    const connectAs = (password: string): Promise<void> =>
      withAdmin(
        new Kafka({
          brokers: [broker.addressOf('SCRAM')],
          sasl: { mechanism: 'scram-sha-256', username: 'alice', password },
          logLevel: logLevel.NOTHING,
          retry: { retries: 0 },
        }),
        async () => {},
      );
    await connectAs('alices');
    await expect(connectAs('wrong')).rejects.toThrow('invalid credentials');
  });

  test('paused, it answers nothing until it is resumed, and can be stopped', async () => {
    broker.pause();
    expect(await answersMetadata(portOf(broker.address))).toBe(false);
    broker.resume();
    await expect.poll(() => answersMetadata(portOf(broker.address)), { timeout: 20_000 }).toBe(true);
    broker.pause();
    await broker.stop();
    expect(broker.pid()).toBeUndefined();
    expect(await answersMetadata(portOf(broker.address))).toBe(false);
  });

  test('says why it did not start, with its last words, and leaves nothing running', async () => {
    const place = join(dir, 'broken');
    await mkdir(place, { recursive: true });
    // Formatted, it believes, but there is nothing.
    await writeFile(join(place, 'formatted'), '');
    await expect(startBroker({ dir: place })).rejects.toMatchObject({
      code: 'NOT_READY',
      message: expect.stringMatching(
        /^Kafka ended while starting \(exit code 1\)[^]*meta\.properties/,
      ) as string,
      remedy: expect.stringContaining(join(place, 'broker.log')) as string,
    });
  });
});

test('the registry keeps schemas and their ids through a kill', async () => {
  const registry = await startRegistry({ dir: join(dir, 'registry') });
  try {
    const ids = [await register(registry.url, 'first'), await register(registry.url, 'second')];
    await registry.kill();
    await registry.restart();
    expect([await register(registry.url, 'first'), await register(registry.url, 'second')]).toEqual(ids);
    expect(await (await fetch(`${registry.url}/subjects`)).json()).toEqual(['first', 'second']);
  } finally {
    await registry.stop();
  }
});

describe('store', () => {
  let store: StoreServer;
  beforeAll(async () => {
    store = await startStore({ dir: join(dir, 'store') });
  });
  afterAll(() => store.stop());

  test('keeps its tables through a kill of all its processes, and lets nobody in without the password', async () => {
    await query(store, 'CREATE TABLE kept (x Int32) ENGINE = MergeTree ORDER BY x');
    await query(store, 'INSERT INTO kept VALUES (1), (2)');
    await store.kill();
    await expect(query(store, 'SELECT 1')).rejects.toThrow('fetch failed');
    await store.restart();
    expect(await query(store, 'SELECT count() FROM kept')).toBe('2');
    await expect(query({ ...store, password: 'wrong' }, 'SELECT 1')).rejects.toThrow('Authentication failed');
  });

  test('paused, it answers nothing until it is resumed', async () => {
    store.pause();
    await expect(query(store, 'SELECT 1', 1_000)).rejects.toThrow('timeout');
    store.resume();
    expect(await query(store, 'SELECT 1')).toBe('1');
  });
});

function portOf(address: string): number {
  return Number(address.split(':')[1]);
}

type Admin = ReturnType<Kafka['admin']>;

async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

function plain(address: string): Kafka {
  return new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
}

async function createTopic(address: string, topic: string): Promise<void> {
  await withAdmin(plain(address), (admin) =>
    admin.createTopics({ topics: [{ topic }], waitForLeaders: true }),
  );
}

function topics(address: string): Promise<string[]> {
  return withAdmin(plain(address), (admin) => admin.listTopics());
}

async function register(url: string, subject: string): Promise<number> {
  const schema = JSON.stringify({ type: 'record', name: subject, fields: [{ name: 'x', type: 'int' }] });
  const response = await fetch(`${url}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  });
  return ((await response.json()) as { id: number }).id;
}

async function query(
  { url, username, password }: Pick<StoreServer, 'url' | 'username' | 'password'>,
  sql: string,
  msMax = 30_000,
): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password },
    body: sql,
    signal: AbortSignal.timeout(msMax),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text.trim();
}
