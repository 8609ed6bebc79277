/**
 * Appends on their way to the log's thread. What is appended within one turn of the event loop goes over together, as
 * one buffer with the records of each partition side by side, and becomes durable together. Beyond the maximum in
 * flight appends wait, in order.
 */
import type { Clock } from '../../clock.ts';
import type { LogLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { OutgoingRecord } from '../../pipeline/log.ts';
import { partitionForKey } from '../../pipeline/partitioner.ts';
import type { AppendRequest, Region } from './protocol.ts';
import { encodedBytes, encodeRecord } from './record-codec.ts';
import { moveEnd } from './topic-registry.ts';
import type { Place, Topic } from './topic-registry.ts';
import type { WorkerClient } from './worker-client.ts';

/** Where a record went; while under way, `offset` counts from the beginning of the region. */
type Placement = { readonly partition: number; offset: number };

type Entry = {
  readonly topic: Topic;
  readonly records: readonly OutgoingRecord[];
  readonly bytes: number;
  readonly placements: Placement[];
  resolve(placements: readonly Placement[]): void;
  reject(error: unknown): void;
};

export type AppendQueue = {
  append(topic: Topic, records: readonly OutgoingRecord[]): Promise<readonly Placement[]>;
  /** Resolves when nothing is waiting or in flight any more. */
  drained(): Promise<void>;
};

export function createAppendQueue(parts: {
  readonly client: WorkerClient;
  readonly clock: Clock;
  readonly limits: LogLimits;
}): AppendQueue {
  const { client, clock, limits } = parts;
  const waiting: Entry[] = [];
  let admitted: Entry[] = [];
  let bytesInFlight = 0;
  const onDrained: (() => void)[] = [];

  function admit(): void {
    const before = admitted.length;
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (bytesInFlight > 0 && bytesInFlight + next.bytes > limits.appendBytesInFlightMax) break;
      bytesInFlight += next.bytes;
      admitted.push(next);
      waiting.shift();
    }
    if (before === 0 && admitted.length > 0) setImmediate(flush);
  }

  function flush(): void {
    const entries = admitted;
    admitted = [];
    for (let from = 0; from < entries.length;) {
      const to = groupEnd(entries, from, limits.groupCommitBytesMax);
      void send(entries.slice(from, to));
      from = to;
    }
  }

  async function send(entries: readonly Entry[]): Promise<void> {
    const { request, places, counts } = encode(entries, Math.floor(clock.nowMs()));
    try {
      const bases = await client.call('append', request, [request.bytes.buffer]);
      const baseOf = new Map(places.map((place, index) => [place, bases[index] as number]));
      for (const entry of entries) entry.resolve(placed(entry, baseOf));
      places.forEach((place, index) => moveEnd(place, (bases[index] as number) + (counts[index] as number)));
    } catch (error) {
      for (const entry of entries) entry.reject(error);
    } finally {
      for (const entry of entries) bytesInFlight -= entry.bytes;
      admit();
      if (bytesInFlight === 0) for (const resolve of onDrained.splice(0)) resolve();
    }
  }

  return {
    append: (topic, records) =>
      new Promise((resolve, reject) => {
        if (records.length === 0) {
          resolve([]);
          return;
        }
        const placements = records.map((record) => ({
          partition: choosePartition(topic, record),
          offset: 0,
        }));
        const bytes = measure(topic, records, topic.spec.recordBytesMax ?? limits.recordBytesMax);
        waiting.push({ topic, records, bytes, placements, resolve, reject });
        admit();
      }),
    drained: () =>
      new Promise((resolve) => {
        if (bytesInFlight === 0) resolve();
        else onDrained.push(resolve);
      }),
  };
}

function groupEnd(entries: readonly Entry[], from: number, bytesMax: number): number {
  let to = from;
  let bytes = 0;
  while (to < entries.length) {
    bytes += (entries[to] as Entry).bytes;
    if (to > from && bytes > bytesMax) break;
    to++;
  }
  return to;
}

function choosePartition(topic: Topic, { key, partition }: OutgoingRecord): number {
  const partitions = topic.places.length;
  if (partition !== undefined) {
    if (partition >= 0 && partition < partitions && Number.isInteger(partition)) return partition;
    throw new ForetillError(
      'INPUT_INVALID',
      `Topic ${topic.spec.name} has partitions 0 to ${partitions - 1}, a record names ${partition}.`,
      { remedy: 'Leave the partition out (the key chooses it), or name one that exists.' },
    );
  }
  if (key !== null) return partitionForKey(key, partitions);
  topic.nextKeyless = (topic.nextKeyless + 1) % partitions;
  return topic.nextKeyless;
}

function measure(topic: Topic, records: readonly OutgoingRecord[], recordBytesMax: number): number {
  let sum = 0;
  for (const record of records) {
    const bytes = encodedBytes(record);
    if (bytes > recordBytesMax) {
      throw new ForetillError(
        'INPUT_INVALID',
        `A record of ${bytes} bytes for topic ${topic.spec.name} is larger than ${recordBytesMax}.`,
        {
          remedy: 'Send smaller records, or raise the limit of the topic or of the log (log.recordBytesMax).',
        },
      );
    }
    sum += bytes;
  }
  return sum;
}

type Encoded = {
  readonly request: AppendRequest;
  /** By region. */
  readonly places: readonly Place[];
  readonly counts: readonly number[];
};

/** Lays the records out by partition, in order; notes each one's position in its region as its offset. */
function encode(entries: readonly Entry[], nowMs: number): Encoded {
  const cursors = layOut(entries);
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + entry.bytes, 0));
  const target = Buffer.from(bytes.buffer);
  const regions: Region[] = [];
  let from = 0;
  for (const [place, cursor] of cursors) {
    regions.push({ partitionId: place.id, from, to: from + cursor.bytes });
    cursor.at = from;
    from += cursor.bytes;
  }
  for (const { topic, records, placements } of entries) {
    records.forEach((record, index) => {
      const placement = placements[index] as Placement;
      const cursor = cursors.get(topic.places[placement.partition] as Place) as Cursor;
      cursor.at = encodeRecord(target, cursor.at, record, record.timestampMs ?? nowMs);
      placement.offset = cursor.count++;
    });
  }
  const places = [...cursors.keys()];
  const counts = [...cursors.values()].map((cursor) => cursor.count);
  return { request: { bytes, regions, appendedAtMs: nowMs }, places, counts };
}

type Cursor = { bytes: number; at: number; count: number };

function layOut(entries: readonly Entry[]): Map<Place, Cursor> {
  const cursors = new Map<Place, Cursor>();
  for (const { topic, records, placements } of entries) {
    records.forEach((record, index) => {
      const place = topic.places[(placements[index] as Placement).partition] as Place;
      let cursor = cursors.get(place);
      if (cursor === undefined) cursors.set(place, (cursor = { bytes: 0, at: 0, count: 0 }));
      cursor.bytes += encodedBytes(record);
    });
  }
  return cursors;
}

function placed({ topic, placements }: Entry, baseOf: ReadonlyMap<Place, number>): readonly Placement[] {
  for (const placement of placements) {
    placement.offset += baseOf.get(topic.places[placement.partition] as Place) as number;
  }
  return placements;
}
