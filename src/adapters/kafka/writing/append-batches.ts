/** Appends of several callers, laid out as batches: one of each partition goes into a request at a time. */
import type { Message } from 'kafkajs';
import type { OutgoingRecord } from '../../../pipeline/log.ts';

export type Place = { readonly partition: number; offset: number };

/** One caller's append. `places` are filled in as its batches are acknowledged. */
export type Entry = {
  readonly records: readonly OutgoingRecord[];
  /** Of each record. */
  readonly bytes: readonly number[];
  readonly bytesInAll: number;
  readonly places: readonly Place[];
  readonly nowMs: number;
  resolve(places: readonly Place[]): void;
  reject(error: unknown): void;
};

/** Where in an entry a message of a batch comes from. */
export type Origin = { readonly entry: Entry; readonly index: number };

export type Batch = {
  readonly partition: number;
  readonly messages: Message[];
  readonly origins: Origin[];
  bytes: number;
};

export type BatchLimits = { readonly bytesMax: number; readonly recordsMax: number };

/**
 * The batches of each partition in order. What one caller appends to a partition stays in one batch, as a broker takes a
 * batch whole or not at all; only what is larger than any batch is cut.
 */
export function layOut(entries: readonly Entry[], limits: BatchLimits): Map<number, Batch[]> {
  const byPartition = new Map<number, Batch[]>();
  for (const entry of entries) {
    for (const [partition, indexes] of indexesByPartition(entry)) {
      let batches = byPartition.get(partition);
      if (batches === undefined) byPartition.set(partition, (batches = []));
      put(batches, { entry, partition, indexes }, limits);
    }
  }
  return byPartition;
}

function indexesByPartition({ places }: Entry): Map<number, number[]> {
  const byPartition = new Map<number, number[]>();
  places.forEach(({ partition }, index) => {
    const indexes = byPartition.get(partition);
    if (indexes === undefined) byPartition.set(partition, [index]);
    else indexes.push(index);
  });
  return byPartition;
}

type Share = { readonly entry: Entry; readonly partition: number; readonly indexes: readonly number[] };

function put(batches: Batch[], { entry, partition, indexes }: Share, limits: BatchLimits): void {
  const bytes = indexes.reduce((sum, index) => sum + (entry.bytes[index] as number), 0);
  let batch = batches.at(-1);
  if (batch === undefined || !fits(batch, { bytes, records: indexes.length }, limits)) {
    batches.push((batch = emptyBatch(partition)));
  }
  for (const index of indexes) {
    const size = entry.bytes[index] as number;
    if (!fits(batch, { bytes: size, records: 1 }, limits)) batches.push((batch = emptyBatch(partition)));
    batch.messages.push(messageOf(entry, index, partition));
    batch.origins.push({ entry, index });
    batch.bytes += size;
  }
}

function fits(batch: Batch, more: { bytes: number; records: number }, limits: BatchLimits): boolean {
  if (batch.messages.length === 0) return true;
  return (
    batch.bytes + more.bytes <= limits.bytesMax && batch.messages.length + more.records <= limits.recordsMax
  );
}

function emptyBatch(partition: number): Batch {
  return { partition, messages: [], origins: [], bytes: 0 };
}

function messageOf(entry: Entry, index: number, partition: number): Message {
  const { key, value, headers, timestampMs } = entry.records[index] as OutgoingRecord;
  return {
    key,
    value,
    partition,
    timestamp: String(Math.floor(timestampMs ?? entry.nowMs)),
    ...(headers === undefined ? {} : { headers }),
  };
}

/**
 * Requests in the order they must be sent: the first batch of every partition, then the second, each request with no
 * more than `bytesMax` (or one batch).
 */
export function* requestsOf(
  byPartition: ReadonlyMap<number, readonly Batch[]>,
  bytesMax: number,
): Generator<Batch[]> {
  const rounds = Math.max(0, ...[...byPartition.values()].map((batches) => batches.length));
  for (let round = 0; round < rounds; round++) {
    let request: Batch[] = [];
    let bytes = 0;
    for (const batches of byPartition.values()) {
      const batch = batches[round];
      if (batch === undefined) continue;
      if (request.length > 0 && bytes + batch.bytes > bytesMax) {
        yield request;
        request = [];
        bytes = 0;
      }
      request.push(batch);
      bytes += batch.bytes;
    }
    if (request.length > 0) yield request;
  }
}

/** What a record takes up in a batch, at most: the longest lengths that varints may have included. */
export function recordBytes({ key, value, headers }: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) bytes += HEADER_OVERHEAD_BYTES + 3 * name.length + (headers[name]?.length ?? 0);
  return bytes;
}

/** Length, attributes, timestamp, offset, lengths of key and value, number of headers. */
const RECORD_OVERHEAD_BYTES = 5 + 1 + 10 + 5 + 5 + 5 + 5;
/** Lengths of name and value; a character of the name takes up to three bytes in UTF-8. */
const HEADER_OVERHEAD_BYTES = 5 + 5;
