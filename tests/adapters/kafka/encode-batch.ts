/** Record batches as a producer makes them, by kafkajs's encoder: ours only reads. */
import { createRequire } from 'node:module';
import type { FetchedPartition } from '../../../src/adapters/kafka/client/fetch-answer.ts';

type Encoder = { readonly buffer: Buffer };

const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch(options: object): Promise<Encoder>;
};
const Record = require('kafkajs/src/protocol/recordBatch/record/v0') as (options: object) => Encoder;
const Long = require('kafkajs/src/utils/long') as { fromValue(value: number): object };
const crc32C = require('kafkajs/src/protocol/recordBatch/crc32C/crc32C') as (bytes: Buffer) => number;

export type SentRecord = {
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | null | readonly Buffer[]>>;
  readonly timestampMs?: number;
};

export type BatchOptions = {
  readonly baseOffset?: number;
  readonly records?: readonly SentRecord[];
  readonly codec?: number;
  readonly producerId?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** The topic keeps the time of the append. */
  readonly appendedMs?: number;
};

export const FIRST_TIMESTAMP_MS = 1_700_000_000_000;

export async function encodeBatch(options: BatchOptions = {}): Promise<Buffer> {
  const { baseOffset = 0, records = [{ value: Buffer.from('x') }], codec = 0, producerId = -1 } = options;
  const encoder = await RecordBatch({
    compression: codec,
    firstOffset: Long.fromValue(baseOffset),
    firstTimestamp: FIRST_TIMESTAMP_MS,
    maxTimestamp: options.appendedMs ?? FIRST_TIMESTAMP_MS,
    lastOffsetDelta: records.length - 1,
    transactional: options.transactional === true,
    producerId: Long.fromValue(producerId),
    records: records.map(({ key = null, value = null, headers = {}, timestampMs }, offsetDelta) =>
      Record({
        offsetDelta,
        timestampDelta: Long.fromValue((timestampMs ?? FIRST_TIMESTAMP_MS) - FIRST_TIMESTAMP_MS),
        key,
        value,
        headers,
      }),
    ),
  });
  const bytes = Buffer.from(encoder.buffer);
  if (options.control === true) bytes.writeInt16BE(bytes.readInt16BE(21) | 0b10_0000, 21);
  if (options.appendedMs !== undefined) bytes.writeInt16BE(bytes.readInt16BE(21) | 0b1000, 21);
  bytes.writeUInt32BE(crc32C(bytes.subarray(21)), 17);
  return bytes;
}

/** The end of a transaction. */
export function encodeMarker(options: {
  baseOffset: number;
  producerId: number;
  abort: boolean;
}): Promise<Buffer> {
  const key = Buffer.from([0, 0, 0, options.abort ? 0 : 1]);
  return encodeBatch({
    ...options,
    transactional: true,
    control: true,
    records: [{ key, value: Buffer.alloc(6) }],
  });
}

/** `count` records with the values `baseOffset`, `baseOffset` + 1, … */
export function encodeNumbers(
  baseOffset: number,
  count: number,
  options: BatchOptions = {},
): Promise<Buffer> {
  const records = Array.from({ length: count }, (_, i) => ({ value: Buffer.from(String(baseOffset + i)) }));
  return encodeBatch({ ...options, baseOffset, records });
}

export function fetched(records: Buffer, also: Partial<FetchedPartition> = {}): FetchedPartition {
  const highWatermark = also.highWatermark ?? 1_000;
  return {
    topic: 't',
    partition: 0,
    error: null,
    highWatermark,
    lastStableOffset: highWatermark,
    aborted: [],
    records,
    ...also,
  };
}

/** The same batch under the number of another codec than it is packed by. */
export function relabel(batch: Buffer, codec: number): Buffer {
  const bytes = Buffer.from(batch);
  bytes.writeInt16BE((bytes.readInt16BE(21) & ~0b111) | codec, 21);
  bytes.writeUInt32BE(crc32C(bytes.subarray(21)), 17);
  return bytes;
}
