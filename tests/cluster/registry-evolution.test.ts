/** Messages written with other versions of a schema, found in the real registry and read into ours. */
import type { Schema } from 'avsc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { avroType } from '../../src/adapters/avro/avro-type.ts';
import { createCodec } from '../../src/adapters/avro/codec.ts';
import { loadSubjects } from '../../src/adapters/avro/schema-files.ts';
import { TOPICS } from '../../src/pipeline/topics.ts';
import { FULL_MESSAGES } from '../adapters/avro/messages.ts';
import {
  newNamespace,
  openRegistry,
  registerForeign,
  subjectsWith,
  temporaryDirectory,
  TRANSACTIONS,
} from './registry-fixture.ts';

type Field = { name: string; type: unknown; default?: unknown; aliases?: string[] };

const KIND = { type: 'enum', name: 'Kind', symbols: ['SALE', 'OTHER'], default: 'OTHER' };
const FIELDS: Field[] = [
  { name: 'store', type: 'string' },
  { name: 'units', type: 'long' },
  { name: 'price', type: 'double' },
  { name: 'kind', type: KIND, default: 'OTHER' },
  { name: 'note', type: ['null', 'string'], default: null },
];
/** Our own schema in these tests. */
const READER = record(FIELDS);
const MESSAGE = { store: '406', units: 7, price: 2.5, kind: 'SALE', note: 'n' };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let namespace: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  namespace = newNamespace();
});
afterEach(() => directory.remove());

describe('a message is read into our schema from one whose writer', () => {
  test.each<[string, { writer: object; reader?: object; written: object; read: object }]>([
    ['has our schema', { writer: READER, written: MESSAGE, read: MESSAGE }],
    [
      'added a field with a default',
      {
        writer: record([...FIELDS, { name: 'weather', type: 'string', default: 'dry' }]),
        written: { ...MESSAGE, weather: 'rain' },
        read: MESSAGE,
      },
    ],
    [
      'added a field without one, in the middle',
      {
        writer: record([{ name: 'weather', type: { type: 'array', items: 'string' } }, ...FIELDS]),
        written: { ...MESSAGE, weather: ['rain', 'wind'] },
        read: MESSAGE,
      },
    ],
    [
      'removed fields for which we have a default',
      {
        writer: record(FIELDS.slice(0, 3)),
        written: { store: '406', units: 7, price: 2.5 },
        read: { store: '406', units: 7, price: 2.5, kind: 'OTHER', note: null },
      },
    ],
    [
      'has an int for our long and a float for our double',
      {
        writer: change({ units: { type: 'int' }, price: { type: 'float' } }),
        written: MESSAGE,
        read: MESSAGE,
      },
    ],
    [
      'has no null for what we let be null',
      { writer: change({ note: { type: 'string' } }), written: MESSAGE, read: MESSAGE },
    ],
    [
      'knows a field by the name we gave up, which is our alias',
      {
        writer: READER,
        reader: change({ store: { name: 'shop', aliases: ['store'] } }),
        written: MESSAGE,
        read: { shop: '406', units: 7, price: 2.5, kind: 'SALE', note: 'n' },
      },
    ],
    [
      'has a symbol that we do not know: our default stands for it',
      {
        writer: change({ kind: { type: { ...KIND, symbols: ['SALE', 'OTHER', 'GIFT'] } } }),
        written: { ...MESSAGE, kind: 'GIFT' },
        read: { ...MESSAGE, kind: 'OTHER' },
      },
    ],
  ])('%s', async (_, { writer, reader = READER, written, read }) => {
    const subjects = await subjectsWith(TRANSACTIONS, [reader]);
    const codec = await createCodec(await openRegistry(directory.path, { namespace, subjects }));
    // Under a subject without rules: only the id counts for who reads.
    const id = await registerForeign(`${namespace}writer-value`, writer);
    const bytes = message(id, writer, written);
    await codec.prepare(TOPICS.transactions, [bytes]);
    expect(codec.decode(TOPICS.transactions, bytes)).toEqual(read);
  });

  test('is a newer release than ours, on our own topic', async () => {
    const codec = await createCodec(await openRegistry(directory.path, { namespace }));
    const current = (await loadSubjects()).find(({ name }) => name === TRANSACTIONS)?.current as unknown as {
      fields: Field[];
    };
    const newer = {
      ...current,
      fields: [
        { name: 'weather', type: ['null', 'string'], default: null },
        ...current.fields.filter(({ name }) => name !== 'tenders'),
      ],
    };
    const id = await registerForeign(namespace + TRANSACTIONS, newer);
    const ours = FULL_MESSAGES[TOPICS.transactions];
    const bytes = message(id, newer, { ...ours, weather: 'rain' });
    await codec.prepare(TOPICS.transactions, [bytes]);
    expect(codec.decode(TOPICS.transactions, bytes)).toEqual({ ...ours, tenders: [] });
  });
});

test.each<[string, object, string]>([
  ['another record', { type: 'record', name: 'Other', fields: [] }, 'cannot be read into the current one'],
  ['a text for our number', change({ units: { type: 'string' } }), 'cannot be read into the current one'],
])('a schema of %s is said to be unreadable', async (_, writer, words) => {
  const subjects = await subjectsWith(TRANSACTIONS, [READER]);
  const codec = await createCodec(await openRegistry(directory.path, { namespace, subjects }));
  const id = await registerForeign(`${namespace}writer-value`, writer);
  const bytes = Buffer.concat([header(id), Buffer.alloc(20)]);
  await codec.prepare(TOPICS.transactions, [bytes]);
  expect(() => codec.decode(TOPICS.transactions, bytes)).toThrow(
    expect.objectContaining({ reason: 'unknown_schema', message: expect.stringContaining(words) as string }),
  );
});

function record(fields: readonly Field[]): object {
  return { type: 'record', name: 'Sample', fields };
}

function change(fields: Readonly<Record<string, Partial<Field>>>): object {
  return record(FIELDS.map((field) => ({ ...field, ...withoutDefault(fields[field.name]) })));
}

/** A changed type has no use for the old default. */
function withoutDefault(change: Partial<Field> | undefined): Partial<Field> {
  return change?.type === 'string' ? { default: '', ...change } : (change ?? {});
}

function header(id: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeInt32BE(id, 1);
  return bytes;
}

function message(id: number, writer: object, value: object): Buffer {
  return Buffer.concat([header(id), avroType(writer as Schema).toBuffer(value)]);
}
