/**
 * Messages to bytes and back in the Confluent wire format: a zero byte, the id of the writer's schema as a big-endian
 * int32, the Avro bytes. Whatever version wrote a message, it is read into the current schema.
 */
import assert from 'node:assert/strict';
import type { Schema, Type } from 'avsc';
import type { Codec } from '../../pipeline/codec.ts';
import { DecodeError } from '../../pipeline/codec.ts';
import type { MessageOfTopic, Topic } from '../../pipeline/messages.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import { avroType } from './avro-type.ts';
import { createEmbeddedRegistry } from './registry.ts';
import type { SchemaRegistry } from './registry.ts';
import { compileScan } from './scan.ts';

const MAGIC = 0;
const HEADER_BYTES = 5;
/** Of one topic; beyond it the oldest goes and is looked up again when it comes. */
const READERS_MAX = 500;

/** Most messages are written here first: their size is known only afterwards. */
const scratch = Buffer.allocUnsafe(65_536);

type Resolver = ReturnType<Type['createResolver']>;
/** How to read what one schema wrote; `resolver` is undefined where that is the current schema. */
type Reader = { readonly scan: ReturnType<typeof compileScan>; readonly resolver: Resolver | undefined };
/** A schema that cannot be read into ours has the reason in place of a reader. */
type Readers = Map<number, Reader | string>;
type Subject = { readonly type: Type; readonly id: number; readonly readers: Readers };

/** `registry` is the embedded one when left out. */
export async function createCodec(registry?: SchemaRegistry): Promise<Codec> {
  const source = registry ?? (await createEmbeddedRegistry());
  const subjects = await publishSubjects(source);
  return {
    encode: (topic, message) => encode(subjectOf(subjects, topic), topic, message),
    decode: <T extends Topic>(topic: T, bytes: Buffer) =>
      decode(subjectOf(subjects, topic), bytes) as MessageOfTopic[T],
    async prepare(topic, values) {
      const subject = subjectOf(subjects, topic);
      await Promise.all(
        Array.from(newIds(subject.readers, values), async (id) => {
          const schema = await source.lookUp(id);
          if (schema === null) return;
          addReader(subject.readers, id, subject.type, schema);
          forgetOldest(subject);
        }),
      );
    },
  };
}

async function publishSubjects(registry: SchemaRegistry): Promise<Map<Topic, Subject>> {
  const subjects = new Map<Topic, Subject>();
  for (const topic of Object.values(TOPICS)) {
    const { id, schema, versions } = await registry.publish(`${topic}-value`);
    const type = avroType(schema);
    const readers: Readers = new Map();
    for (const [version, written] of versions) addReader(readers, version, type, written);
    addReader(readers, id, type, schema);
    subjects.set(topic, { type, id, readers });
  }
  return subjects;
}

function addReader(readers: Readers, id: number, type: Type, written: Schema): void {
  try {
    const writer = avroType(written);
    const resolver = writer.equals(type) ? undefined : type.createResolver(writer);
    readers.set(id, { scan: compileScan(writer), resolver });
  } catch (error) {
    readers.set(id, (error as Error).message);
  }
}

/** Our own schema's stays: everything we write is read with it. */
function forgetOldest({ readers, id: own }: Subject): void {
  if (readers.size <= READERS_MAX) return;
  const [oldest, next] = readers.keys();
  const id = oldest === own ? next : oldest;
  if (id !== undefined) readers.delete(id);
}

function encode(subject: Subject, topic: Topic, message: unknown): Buffer {
  const bytes = encodeInto(subject.type, topic, message);
  bytes[0] = MAGIC;
  bytes.writeInt32BE(subject.id, 1);
  return bytes;
}

/** Room for the header is left in front. */
function encodeInto(type: Type, topic: Topic, message: unknown): Buffer {
  try {
    const end = type.encode(message, scratch, HEADER_BYTES);
    if (end >= 0) return Buffer.from(scratch.subarray(0, end));
    const bytes = Buffer.alloc(scratch.length - end);
    assert(
      type.encode(message, bytes, HEADER_BYTES) === bytes.length,
      'the size of a message is known before it is written',
    );
    return bytes;
  } catch (error) {
    throw new TypeError(`a message for ${topic} does not fit its schema: ${String(error)}`, { cause: error });
  }
}

function decode({ type, readers }: Subject, bytes: Buffer): unknown {
  if (bytes.length < HEADER_BYTES)
    throw new DecodeError('malformed', `${bytes.length} bytes are too few for a message`);
  if (bytes[0] !== MAGIC)
    throw new DecodeError('malformed', `the first byte is ${bytes[0]}, not 0: no schema id follows`);
  const id = bytes.readInt32BE(1);
  const reader = readers.get(id);
  if (reader === undefined) throw new DecodeError('unknown_schema', `no schema has the id ${id}`);
  if (typeof reader === 'string')
    throw new DecodeError('unknown_schema', `schema ${id} cannot be read into the current one: ${reader}`);
  const end = reader.scan(bytes, HEADER_BYTES);
  const left = bytes.length - end;
  if (left !== 0) throw new DecodeError('malformed', `${left} bytes are left over after the message`);
  try {
    return type.decode(bytes, HEADER_BYTES, reader.resolver).value;
  } catch (error) {
    throw new DecodeError('malformed', `the message does not fit the current schema: ${String(error)}`);
  }
}

function newIds(readers: ReadonlyMap<number, unknown>, values: readonly (Buffer | null)[]): Set<number> {
  const ids = new Set<number>();
  for (const value of values) {
    if (value === null || value.length < HEADER_BYTES || value[0] !== MAGIC) continue;
    const id = value.readInt32BE(1);
    if (!readers.has(id)) ids.add(id);
  }
  return ids;
}

function subjectOf(subjects: ReadonlyMap<Topic, Subject>, topic: Topic): Subject {
  const subject = subjects.get(topic);
  assert(subject !== undefined, `${topic} is not a topic of ours`);
  return subject;
}
