/** Schemas in a real registry: registered or only checked, and messages that its own client reads and writes. */
import confluent from '@kafkajs/confluent-schema-registry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCodec } from '../../src/adapters/avro/codec.ts';
import { loadSubjects } from '../../src/adapters/avro/schema-files.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { FULL_MESSAGES, MESSAGES } from '../adapters/avro/messages.ts';
import {
  askRegistry,
  newNamespace,
  openRegistry,
  registerForeign,
  subjectsWith,
  temporaryDirectory,
  TRANSACTIONS,
} from './registry-fixture.ts';
import { stackAddresses } from './stack.ts';

const V1 = { type: 'record', name: 'Sample', fields: [{ name: 'store', type: 'string' }] };
const V2 = { ...V1, fields: [...V1.fields, { name: 'units', type: 'long', default: 0 }] };
const INCOMPATIBLE = { ...V1, fields: [...V1.fields, { name: 'price', type: 'long' }] };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let namespace: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  namespace = newNamespace();
});
afterEach(() => directory.remove());

describe('registering', () => {
  test('every subject, all its versions in order, with BACKWARD set', async () => {
    const registry = await openRegistry(directory.path, { namespace });
    for (const { name, current, history } of await loadSubjects()) {
      const { id, schema } = await registry.publish(name);
      expect(schema).toEqual(current);
      expect(await askRegistry(`/config/${namespace}${name}`)).toEqual({ compatibilityLevel: 'BACKWARD' });
      const versions = (await askRegistry(`/subjects/${namespace}${name}/versions`)) as number[];
      expect(versions).toEqual(history.map((_, index) => index + 1));
      for (const version of versions) {
        const there = await askRegistry(`/subjects/${namespace}${name}/versions/${version}`);
        expect(JSON.parse((there as { schema: string }).schema)).toEqual(history[version - 1]);
      }
      const latest = await askRegistry(`/subjects/${namespace}${name}/versions/latest`);
      expect(latest).toMatchObject({ id });
      expect(registry.events).toContainEqual({
        kind: 'published',
        subject: namespace + name,
        id,
        from: 'registry',
        registered: history.length,
      });
    }
  });

  test('twice changes nothing', async () => {
    const first = await openRegistry(directory.path, { namespace });
    const { id } = await first.publish(TRANSACTIONS);
    const second = await openRegistry(directory.path, { namespace });
    expect((await second.publish(TRANSACTIONS)).id).toBe(id);
    expect(second.events).toContainEqual(
      expect.objectContaining({ kind: 'published', id, from: 'registry', registered: 0 }),
    );
    expect(await askRegistry(`/subjects/${namespace}${TRANSACTIONS}/versions`)).toEqual([1]);
  });

  test('by several processes at once gives all of them the same id', async () => {
    const subjects = await subjectsWith(TRANSACTIONS, [V1, V2]);
    const opened = await Promise.all(
      Array.from({ length: 6 }, () => openRegistry(directory.path, { namespace, subjects })),
    );
    const published = await Promise.all(opened.map((registry) => registry.publish(TRANSACTIONS)));
    expect(new Set(published.map(({ id }) => id)).size).toBe(1);
    const latest = await askRegistry(`/subjects/${namespace}${TRANSACTIONS}/versions/latest`);
    expect(latest).toMatchObject({ id: published[0]?.id });
  });

  test('a newer release adds its version, and the older one goes on beside it', async () => {
    const older = await subjectsWith(TRANSACTIONS, [V1]);
    const newer = await subjectsWith(TRANSACTIONS, [V1, V2]);
    const open = (subjects: typeof older, mode: 'register' | 'check') =>
      openRegistry(directory.path, { namespace, subjects, mode });
    const first = await (await open(older, 'register')).publish(TRANSACTIONS);
    const second = await (await open(newer, 'register')).publish(TRANSACTIONS);
    expect(second.id).not.toBe(first.id);
    for (const mode of ['check', 'register'] as const)
      expect((await (await open(older, mode)).publish(TRANSACTIONS)).id).toBe(first.id);
    expect(await askRegistry(`/subjects/${namespace}${TRANSACTIONS}/versions`)).toEqual([1, 2]);
  });

  test('in a registry that starts empty, an older release finds its schema, too', async () => {
    const newer = await subjectsWith(TRANSACTIONS, [V1, V2]);
    await (await openRegistry(directory.path, { namespace, subjects: newer })).publish(TRANSACTIONS);
    const subjects = await subjectsWith(TRANSACTIONS, [V1]);
    const older = await openRegistry(directory.path, { namespace, subjects, mode: 'check' });
    expect((await older.publish(TRANSACTIONS)).id).toBeGreaterThan(0);
  });

  test('a level that is stricter than BACKWARD is left as it is, a weaker one is not', async () => {
    const subject = namespace + TRANSACTIONS;
    const levels: string[] = [];
    for (const level of ['FULL_TRANSITIVE', 'NONE']) {
      await fetch(`${stackAddresses().registryUrl}/config/${subject}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ compatibility: level }),
      });
      await (await openRegistry(directory.path, { namespace })).publish(TRANSACTIONS);
      const now = (await askRegistry(`/config/${subject}`)) as { compatibilityLevel: string };
      levels.push(now.compatibilityLevel);
    }
    expect(levels).toEqual(['FULL_TRANSITIVE', 'BACKWARD']);
  });

  test('an incompatible schema is refused: which subject, what is wrong, what to do', async () => {
    const before = await subjectsWith(TRANSACTIONS, [V1]);
    await (await openRegistry(directory.path, { namespace, subjects: before })).publish(TRANSACTIONS);
    const subjects = await subjectsWith(TRANSACTIONS, [V1, INCOMPATIBLE]);
    const registry = await openRegistry(directory.path, { namespace, subjects });
    await expect(registry.publish(TRANSACTIONS)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        new RegExp(`version 2 of subject ${namespace}${TRANSACTIONS}, .*price`),
      ) as string,
      remedy: expect.stringContaining('--namespace') as string,
    });
    expect(await askRegistry(`/subjects/${namespace}${TRANSACTIONS}/versions`)).toEqual([1]);
  });
});

describe('checking', () => {
  test('a schema that is not there is refused, and nothing is written', async () => {
    const registry = await openRegistry(directory.path, { namespace, mode: 'check' });
    await expect(registry.publish(TRANSACTIONS)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(namespace + TRANSACTIONS) as string,
      remedy: expect.stringContaining('--register') as string,
    });
    expect(await askRegistry(`/subjects/${namespace}${TRANSACTIONS}/versions`)).toBeNull();
  });

  test('only another version is there: refused', async () => {
    await registerForeign(namespace + TRANSACTIONS, V1);
    const registry = await openRegistry(directory.path, { namespace, mode: 'check' });
    await expect(registry.publish(TRANSACTIONS)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('any version will do, however others have ordered what is in it', async () => {
    const id = await registerForeign(namespace + TRANSACTIONS, {
      fields: V1.fields,
      name: 'Sample',
      type: 'record',
    });
    await registerForeign(namespace + TRANSACTIONS, V2);
    const subjects = await subjectsWith(TRANSACTIONS, [V1]);
    const registry = await openRegistry(directory.path, { namespace, subjects, mode: 'check' });
    expect((await registry.publish(TRANSACTIONS)).id).toBe(id);
  });
});

describe('the wire format', () => {
  test.each(MESSAGES)('%s: what we write is read by the registry’s own client', async (topic, message) => {
    const codec = await createCodec(await openRegistry(directory.path, { namespace }));
    const client = new confluent.SchemaRegistry({ host: stackAddresses().registryUrl });
    const read: unknown = await client.decode(codec.encode(topic, message));
    expect(plain(read)).toEqual(plain(message));
  });

  test('what that client writes is read by us', async () => {
    const registry = await openRegistry(directory.path, { namespace });
    const codec = await createCodec(registry);
    const client = new confluent.SchemaRegistry({ host: stackAddresses().registryUrl });
    const id = await client.getLatestSchemaId(`${namespace}${TOPICS.buckets}-value`);
    const bytes = await client.encode(id, FULL_MESSAGES[TOPICS.buckets]);
    await codec.prepare(TOPICS.buckets, [bytes]);
    expect(codec.decode(TOPICS.buckets, bytes)).toEqual(FULL_MESSAGES[TOPICS.buckets]);
  });
});

/** That client's records have a class of their own. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
