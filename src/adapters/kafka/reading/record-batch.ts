/**
 * Kafka's record batches (format 2, since Kafka 0.11): finding them in a fetch's bytes, checking them, and reading
 * their records one after the other. https://kafka.apache.org/documentation/#recordbatch
 *
 * offset  0 base offset int64, 8 length int32 (of what follows), 12 leader epoch int32, 16 format int8, 17 CRC-32C int32 (of
 * what follows), 21 attributes int16, 23 last offset less base int32, 27 first and 35 largest timestamp int64,
 * 43 producer id int64, 51 its epoch int16, 53 sequence int32, 57 number of records int32, 61 the records
 */
import type { Headers, LogRecord } from '../../../pipeline/log.ts';
import { inner } from '../client/kafkajs-inner.ts';

export type RecordBatch = {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** 0: not compressed; else the number of the codec. */
  readonly codec: number;
  /** A marker of the end of a transaction, no records of anybody's. */
  readonly control: boolean;
  readonly transactional: boolean;
  readonly producerId: bigint;
  readonly firstTimestampMs: number;
  /** The time of the append when the topic keeps that instead of what was sent; it is that of all records. */
  readonly appendedMs: number | null;
  readonly count: number;
  /** The records, compressed as `codec` says. */
  readonly body: Buffer;
};

export type FoundBatches = {
  readonly batches: readonly RecordBatch[];
  /** The offset from which on nothing can be read, and what is wrong there. */
  readonly damage: Damage | null;
};

export type Damage = { readonly offset: number; readonly lastOffset: number; readonly reason: string };

const HEADER_BYTES = 61;
/** Base offset and length, which the length does not count. */
const OVERHEAD_BYTES = 12;

/** All whole batches up to the first damaged one. A batch cut off at the end is left out: it will be fetched again. */
export function findBatches(bytes: Buffer): FoundBatches {
  const batches: RecordBatch[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const end = at + OVERHEAD_BYTES + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    const batch = bytes.subarray(at, end);
    const reason = defectOf(batch);
    if (reason !== null) return { batches, damage: damageOf(bytes.subarray(at), reason) };
    batches.push(readHeader(batch));
    at = end;
  }
  return { batches, damage: null };
}

function defectOf(batch: Buffer): string | null {
  if (batch.length < HEADER_BYTES) return 'its length is impossible';
  const format = batch.readInt8(16);
  if (format !== 2) return `its format ${format} is none that Kafka writes since version 0.11`;
  return inner.crc32C(batch.subarray(21)) === batch.readUInt32BE(17) ? null : 'its checksum does not agree';
}

function damageOf(batch: Buffer, reason: string): Damage {
  const offset = Number(batch.readBigInt64BE(0));
  return { offset, lastOffset: offset + Math.max(0, batch.readInt32BE(23)), reason };
}

function readHeader(batch: Buffer): RecordBatch {
  const baseOffset = Number(batch.readBigInt64BE(0));
  const attributes = batch.readInt16BE(21);
  return {
    baseOffset,
    lastOffset: baseOffset + batch.readInt32BE(23),
    codec: attributes & 0b111,
    appendedMs: (attributes & 0b1000) === 0 ? null : Number(batch.readBigInt64BE(35)),
    transactional: (attributes & 0b1_0000) !== 0,
    control: (attributes & 0b10_0000) !== 0,
    firstTimestampMs: Number(batch.readBigInt64BE(27)),
    producerId: batch.readBigInt64BE(43),
    count: batch.readInt32BE(57),
    body: batch.subarray(HEADER_BYTES),
  };
}

/** Of a control batch: whether it ends its transaction by giving it up. Its one record's key is a version and a kind. */
export function isAbort(batch: RecordBatch): boolean {
  const key = new RecordReader(batch, batch.body).next()?.key;
  return key !== null && key !== undefined && key.length >= 4 && key.readInt16BE(2) === 0;
}

const NO_HEADERS: Headers = Object.freeze({});

/** Reads the records of an unpacked batch one by one. Throws a RangeError where the bytes are no records. */
export class RecordReader {
  readonly #batch: RecordBatch;
  readonly #bytes: Buffer;
  #at = 0;
  #left: number;

  constructor(batch: RecordBatch, unpacked: Buffer) {
    this.#batch = batch;
    this.#bytes = unpacked;
    this.#left = batch.count;
  }

  get isAtEnd(): boolean {
    return this.#left === 0;
  }

  /** Null after the last. */
  next(): LogRecord | null {
    if (this.#left === 0) return null;
    this.#left -= 1;
    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw cutOff();
    this.#at += 1; // attributes, of which there are none
    const { baseOffset, firstTimestampMs, appendedMs } = this.#batch;
    const timestampMs = firstTimestampMs + this.#varint();
    const offset = baseOffset + this.#varint();
    const key = this.#nullable();
    const value = this.#nullable();
    const headers = this.#headers(this.#varint());
    if (this.#at > end) throw cutOff();
    this.#at = end;
    return { offset, timestampMs: appendedMs ?? timestampMs, key, value, headers };
  }

  /** Of two headers with one name the later counts. */
  #headers(count: number): Headers {
    if (count === 0) return NO_HEADERS;
    const headers = Object.create(null) as Record<string, Buffer>;
    for (let left = count; left > 0; left--) {
      const name = this.#nullable()?.toString('utf8') ?? '';
      headers[name] = this.#nullable() ?? Buffer.alloc(0);
    }
    return headers;
  }

  #nullable(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw cutOff();
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Zigzag, seven bits a byte, least first. Exact up to 2^53: beyond the 32 bits of shifts it multiplies. */
  #varint(): number {
    const bytes = this.#bytes;
    let raw = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.#at++];
      if (byte === undefined) throw cutOff();
      raw |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
    }
    for (let scale = 2 ** 28; scale <= 2 ** 63; scale *= 128) {
      const byte = bytes[this.#at++];
      if (byte === undefined) throw cutOff();
      raw += (byte & 0x7f) * scale;
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    }
    throw cutOff();
  }
}

function cutOff(): RangeError {
  return new RangeError('the bytes of its records are cut off');
}
