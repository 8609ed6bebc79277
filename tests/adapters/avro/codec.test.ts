import type { Schema } from 'avsc';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { avroType } from '../../../src/adapters/avro/avro-type.ts';
import { createCodec } from '../../../src/adapters/avro/codec.ts';
import { createEmbeddedRegistry, schemaId } from '../../../src/adapters/avro/registry.ts';
import type { SchemaRegistry } from '../../../src/adapters/avro/registry.ts';
import { loadSubjects } from '../../../src/adapters/avro/schema-files.ts';
import { DecodeError } from '../../../src/pipeline/codec.ts';
import type { MessageOfTopic } from '../../../src/pipeline/messages.ts';
import { TOPICS } from '../../../src/pipeline/topics.ts';
import { goodMessage } from '../../sales/transactions.ts';
import { FULL_MESSAGES, MESSAGES } from './messages.ts';

const codec = await createCodec();
const schemas = new Map(
  (await loadSubjects()).map(({ name, current }) => [name, current as unknown as RecordSchema]),
);
const SALE = codec.encode(TOPICS.transactions, FULL_MESSAGES[TOPICS.transactions]);

type RecordSchema = { readonly name: string; readonly fields: readonly { readonly name: string }[] };

function reasonOf(bytes: Buffer, decoder = codec): string {
  try {
    decoder.decode(TOPICS.transactions, bytes);
    return 'decoded';
  } catch (error) {
    if (error instanceof DecodeError) return error.reason;
    throw error;
  }
}

describe('every topic', () => {
  test.each(MESSAGES)('%s: a message goes to bytes and back', (topic, message) => {
    expect(codec.decode(topic, codec.encode(topic, message))).toEqual(message);
  });

  test.each(Object.entries(FULL_MESSAGES))('%s: its type has the fields of its schema', (topic, message) => {
    const names = schemas.get(`${topic}-value`)?.fields.map(({ name }) => name);
    expect(Object.keys(message as object).toSorted()).toEqual(names?.toSorted());
  });

  test('in the Confluent wire format', () => {
    const schema = schemas.get(`${TOPICS.transactions}-value`) as unknown as Schema;
    expect(SALE[0]).toBe(0);
    expect(SALE.readInt32BE(1)).toBe(schemaId(schema));
    expect(avroType(schema).fromBuffer(SALE.subarray(5))).toEqual(FULL_MESSAGES[TOPICS.transactions]);
  });

  test('a message larger than any scratch buffer', () => {
    const line = FULL_MESSAGES[TOPICS.transactions]
      .lines[0] as MessageOfTopic['retail.pos.transaction.v1']['lines'][number];
    const large = { ...FULL_MESSAGES[TOPICS.transactions], lines: Array.from({ length: 2000 }, () => line) };
    const bytes = codec.encode(TOPICS.transactions, large);
    expect(bytes.length).toBeGreaterThan(100_000);
    expect(codec.decode(TOPICS.transactions, bytes)).toEqual(large);
  });

  test('any good ticket', () => {
    fc.assert(
      fc.property(goodMessage, (message) => {
        expect(codec.decode(TOPICS.transactions, codec.encode(TOPICS.transactions, message))).toEqual(
          message,
        );
      }),
    );
  });

  test.each<[string, object]>([
    ['a missing field', { event_id: undefined }],
    ['a fraction for a long', { end_time: 0.5 }],
    ['an unsafe long', { end_time: 2 ** 53 }],
    ['a type that is none', { type: 'GIFT' }],
    ['a number for text', { store_id: 406 }],
  ])('a message that does not fit is not encoded: %s', (_, change) => {
    const message = { ...FULL_MESSAGES[TOPICS.transactions], ...change };
    expect(() => codec.encode(TOPICS.transactions, message)).toThrow(TypeError);
  });
});

describe('bytes that are no message', () => {
  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'malformed'],
    ['a header cut short', SALE.subarray(0, 4), 'malformed'],
    ['another magic byte', Buffer.concat([Buffer.of(1), SALE.subarray(1)]), 'malformed'],
    ['JSON', Buffer.from('{"event_id":"e"}'), 'malformed'],
    ['an id of nobody', Buffer.concat([Buffer.of(0, 0, 0, 0, 1), SALE.subarray(5)]), 'unknown_schema'],
    ['a negative id', Buffer.concat([Buffer.of(0, 255, 255, 255, 255), SALE.subarray(5)]), 'unknown_schema'],
    ['no body', SALE.subarray(0, 5), 'malformed'],
    ['a byte too few', SALE.subarray(0, -1), 'malformed'],
    ['a byte too many', Buffer.concat([SALE, Buffer.of(0)]), 'malformed'],
    ['the message itself', SALE, 'decoded'],
  ])('%s', (_, bytes, reason) => {
    expect(reasonOf(bytes)).toBe(reason);
  });

  test('cut anywhere, it is malformed', () => {
    for (let length = 5; length < SALE.length; length += 1)
      expect(reasonOf(SALE.subarray(0, length))).toBe('malformed');
  });

  test('of another topic are of an unknown schema', () => {
    const bytes = codec.encode(TOPICS.buckets, FULL_MESSAGES[TOPICS.buckets]);
    expect(reasonOf(bytes)).toBe('unknown_schema');
  });

  test('spoilt anywhere, they are decoded or refused, nothing else', () => {
    const spoilt = fc.array(fc.tuple(fc.nat(SALE.length - 6), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(spoilt, (changes) => {
        const bytes = Buffer.from(SALE);
        for (const [at, value] of changes) bytes[5 + at] = value;
        expect(['decoded', 'malformed', 'out_of_range']).toContain(reasonOf(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('versions of a schema', () => {
  const current = schemas.get(`${TOPICS.transactions}-value`) as RecordSchema;
  const older = {
    ...current,
    fields: current.fields.filter(({ name }) => !['tenders', 'training'].includes(name)),
  };
  const newer = { ...current, fields: [...current.fields, { name: 'weather', type: 'string' }] };
  const foreign = { type: 'record', name: 'Other', fields: [] };

  /** A registry that knows more than the files do, and only when asked. */
  async function registryWith(
    extra: ReadonlyMap<number, Schema>,
  ): Promise<SchemaRegistry & { asked: number[] }> {
    const embedded = await createEmbeddedRegistry();
    const asked: number[] = [];
    return {
      asked,
      publish: (subject) => embedded.publish(subject),
      lookUp(id) {
        asked.push(id);
        return Promise.resolve(extra.get(id) ?? null);
      },
    };
  }

  function write(id: number, schema: object, message: object): Buffer {
    const header = Buffer.alloc(5);
    header.writeInt32BE(id, 1);
    return Buffer.concat([header, avroType(schema as Schema).toBuffer(message)]);
  }

  const message = FULL_MESSAGES[TOPICS.transactions];
  const fromOlder = write(7, older, message);
  const fromNewer = write(8, newer, { ...message, weather: 'rain' });
  const fromForeign = write(9, foreign, {});
  const extra = new Map<number, object>([
    [7, older],
    [8, newer],
    [9, foreign],
  ]) as unknown as ReadonlyMap<number, Schema>;

  test('are asked for once, and then read into the current one', async () => {
    const registry = await registryWith(extra);
    const codec = await createCodec(registry);
    expect(reasonOf(fromOlder, codec)).toBe('unknown_schema');
    await codec.prepare(TOPICS.transactions, [
      fromOlder,
      null,
      fromNewer,
      fromOlder,
      SALE,
      Buffer.of(1),
      Buffer.from('JSON!'),
    ]);
    await codec.prepare(TOPICS.transactions, [fromOlder, fromNewer]);
    expect(registry.asked).toEqual([7, 8]);
    expect(codec.decode(TOPICS.transactions, fromOlder)).toEqual({
      ...message,
      tenders: [],
      training: false,
    });
    expect(codec.decode(TOPICS.transactions, fromNewer)).toEqual(message);
  });

  test('that cannot be read into it are unknown to us', async () => {
    const codec = await createCodec(await registryWith(extra));
    await codec.prepare(TOPICS.transactions, [fromForeign]);
    expect(reasonOf(fromForeign, codec)).toBe('unknown_schema');
    expect(() => codec.decode(TOPICS.transactions, fromForeign)).toThrow(/schema 9 cannot be read into/);
  });

  test('are asked for side by side, and what is said of one is no reason to forget another', async () => {
    const asked: number[] = [];
    const codec = await createCodec({
      ...(await createEmbeddedRegistry()),
      lookUp: (id) => {
        asked.push(id);
        if (id === 8) return Promise.reject(new Error('no answer'));
        return Promise.resolve(id === 7 ? (older as unknown as Schema) : null);
      },
    });
    await expect(codec.prepare(TOPICS.transactions, [fromNewer, fromOlder])).rejects.toThrow('no answer');
    expect(asked).toEqual([8, 7]);
    expect(reasonOf(fromOlder, codec)).toBe('decoded');
  });

  test('are kept up to a number; the current one always', async () => {
    const asked: number[] = [];
    const codec = await createCodec({
      ...(await createEmbeddedRegistry()),
      lookUp: (id) => {
        asked.push(id);
        return Promise.resolve(older as unknown as Schema);
      },
    });
    const bytesOf = (id: number) => write(id, older, message);
    for (let id = 1; id <= 500; id += 1) await codec.prepare(TOPICS.transactions, [bytesOf(id)]);
    expect(reasonOf(bytesOf(1), codec)).toBe('unknown_schema');
    expect(reasonOf(bytesOf(2), codec)).toBe('decoded');
    expect(reasonOf(SALE, codec)).toBe('decoded');
    await codec.prepare(TOPICS.transactions, [bytesOf(1), bytesOf(3)]);
    expect(reasonOf(bytesOf(1), codec)).toBe('decoded');
    expect(asked.length).toBe(501);
  });

  test('that nobody has heard of are no failure to prepare', async () => {
    const codec = await createCodec(await registryWith(new Map()));
    await codec.prepare(TOPICS.transactions, [fromOlder]);
    expect(reasonOf(fromOlder, codec)).toBe('unknown_schema');
  });

  test('ids come from names, types and order alone, so they are the same in every process', () => {
    const [, ...rest] = current.fields;
    expect(schemaId({ ...current, doc: 'other words' } as unknown as Schema)).toBe(
      schemaId(current as unknown as Schema),
    );
    expect(schemaId({ ...current, fields: rest } as unknown as Schema)).not.toBe(
      schemaId(current as unknown as Schema),
    );
    // The SHA-256 of "string" in the canonical form begins e9e5c1c9; the sign bit is dropped.
    expect(schemaId('string')).toBe(0x69e5c1c9);
  });

  test('every published one is readable without asking', async () => {
    for (const { name, history } of await loadSubjects()) {
      const registry = await createEmbeddedRegistry();
      const { versions } = await registry.publish(name);
      for (const version of history) {
        expect(versions.has(schemaId(version))).toBe(true);
        expect(await registry.lookUp(schemaId(version))).not.toBeNull();
      }
    }
  });
});
