/**
 * How a record lies in a row of the log file (little endian):
 *
 *   0 u32  bytes of the whole record      12 f64  timestamp, UTC ms     28 u16  headers
 *   4 u32  CRC-32 of all that follows     20 i32  key bytes, −1 null    30      key, value,
 *   8 u32  offset less the row's base     24 i32  value bytes, −1 null          per header: u16 + name, u32 + value
 *
 * The caller's thread encodes, leaving CRC and offset empty; the log's thread seals (fills them in) when it knows the
 * offsets, and checks them when it reads.
 */
import { crc32 } from 'node:zlib';
import type { Headers, LogRecord, OutgoingRecord } from '../../pipeline/log.ts';

const CRC_AT = 4;
const DELTA_AT = 8;
const TIMESTAMP_AT = 12;
const KEY_BYTES_AT = 20;
const VALUE_BYTES_AT = 24;
const HEADER_COUNT_AT = 28;
const RECORD_HEAD_BYTES = 30;

const NO_HEADERS: Headers = Object.freeze({});

export function encodedBytes(record: OutgoingRecord): number {
  let bytes = RECORD_HEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  if (record.headers !== undefined) {
    for (const name of Object.keys(record.headers)) {
      bytes += 6 + Buffer.byteLength(name) + (record.headers[name] as Buffer).length;
    }
  }
  return bytes;
}

/** Writes the record at `at` and returns where the next begins. */
export function encodeRecord(
  target: Buffer,
  at: number,
  record: OutgoingRecord,
  timestampMs: number,
): number {
  const { key, value, headers } = record;
  target.writeDoubleLE(timestampMs, at + TIMESTAMP_AT);
  target.writeInt32LE(key === null ? -1 : key.length, at + KEY_BYTES_AT);
  target.writeInt32LE(value === null ? -1 : value.length, at + VALUE_BYTES_AT);
  let end = at + RECORD_HEAD_BYTES;
  if (key !== null) {
    target.set(key, end);
    end += key.length;
  }
  if (value !== null) {
    target.set(value, end);
    end += value.length;
  }
  if (headers !== undefined) {
    const names = Object.keys(headers);
    target.writeUInt16LE(names.length, at + HEADER_COUNT_AT);
    for (const name of names) end = encodeHeader(target, end, name, headers[name] as Buffer);
  }
  target.writeUInt32LE(end - at, at);
  return end;
}

function encodeHeader(target: Buffer, at: number, name: string, value: Buffer): number {
  const nameBytes = target.write(name, at + 2);
  target.writeUInt16LE(nameBytes, at);
  target.writeUInt32LE(value.length, at + 2 + nameBytes);
  target.set(value, at + 6 + nameBytes);
  return at + 6 + nameBytes + value.length;
}

export function recordBytesAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at);
}

export function sealRecord(bytes: Buffer, at: number, delta: number): void {
  bytes.writeUInt32LE(delta, at + DELTA_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(at + DELTA_AT, at + recordBytesAt(bytes, at))), at + CRC_AT);
}

/** Whether the record at `at` lies within the row and is what was sealed. */
export function recordIntact(bytes: Buffer, at: number): boolean {
  return (
    recordWithin(bytes, at) &&
    crc32(bytes.subarray(at + DELTA_AT, at + recordBytesAt(bytes, at))) === bytes.readUInt32LE(at + CRC_AT)
  );
}

/** Whether the record at `at` has a believable length, so that the next one can be found. */
export function recordWithin(bytes: Buffer, at: number): boolean {
  if (at + RECORD_HEAD_BYTES > bytes.length) return false;
  const length = recordBytesAt(bytes, at);
  return length >= RECORD_HEAD_BYTES && at + length <= bytes.length;
}

export function recordDelta(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + DELTA_AT);
}

/** Counts the offset from another base from now on; the CRC no longer holds: for records already checked. */
export function moveDelta(bytes: Buffer, at: number, delta: number): void {
  bytes.writeUInt32LE(delta, at + DELTA_AT);
}

/** Null for a record without a key. One byte a character, so any bytes make a distinct text. */
export function recordKeyText(bytes: Buffer, at: number): string | null {
  const keyBytes = bytes.readInt32LE(at + KEY_BYTES_AT);
  if (keyBytes < 0) return null;
  return bytes.toString('latin1', at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + keyBytes);
}

export function isTombstone(bytes: Buffer, at: number): boolean {
  return bytes.readInt32LE(at + VALUE_BYTES_AT) < 0;
}

/** Reads a checked record; key, value and headers are views of `bytes`. */
export function decodeRecord(bytes: Buffer, at: number, baseOffset: number): LogRecord {
  const keyBytes = bytes.readInt32LE(at + KEY_BYTES_AT);
  const valueBytes = bytes.readInt32LE(at + VALUE_BYTES_AT);
  const keyEnd = at + RECORD_HEAD_BYTES + Math.max(0, keyBytes);
  const valueEnd = keyEnd + Math.max(0, valueBytes);
  const headerCount = bytes.readUInt16LE(at + HEADER_COUNT_AT);
  return {
    offset: baseOffset + recordDelta(bytes, at),
    timestampMs: bytes.readDoubleLE(at + TIMESTAMP_AT),
    key: keyBytes < 0 ? null : bytes.subarray(at + RECORD_HEAD_BYTES, keyEnd),
    value: valueBytes < 0 ? null : bytes.subarray(keyEnd, valueEnd),
    headers: headerCount === 0 ? NO_HEADERS : decodeHeaders(bytes, valueEnd, headerCount),
  };
}

function decodeHeaders(bytes: Buffer, at: number, count: number): Headers {
  // Without a prototype: a header may have any name, also `__proto__`.
  const headers = Object.create(null) as Record<string, Buffer>;
  let next = at;
  for (let i = 0; i < count; i++) {
    const nameEnd = next + 2 + bytes.readUInt16LE(next);
    const valueEnd = nameEnd + 4 + bytes.readUInt32LE(nameEnd);
    headers[bytes.toString('utf8', next + 2, nameEnd)] = bytes.subarray(nameEnd + 4, valueEnd);
    next = valueEnd;
  }
  return headers;
}
