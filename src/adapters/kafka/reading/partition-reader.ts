/**
 * What has been fetched of one partition ahead of its consumer: bytes of record batches come in, records go out in
 * order. They are unpacked not long before they are taken, as packed ones may be a twentieth of the size. It holds at
 * most one fetch and one unpacked batch more than the maximum.
 */
import { ForetillError } from '../../../errors.ts';
import type { Batch, LogRecord, OffsetRange, TopicPartition } from '../../../pipeline/log.ts';
import type { DeliverySource } from '../../delivery.ts';
import type { FetchedPartition } from '../client/fetch-answer.ts';
import { findBatches, RecordReader } from './record-batch.ts';
import type { Damage, RecordBatch } from './record-batch.ts';
import { readable } from './transactions.ts';
import { unpack } from './unpack.ts';

/** `wireTopic` with the namespace. */
export type Place = TopicPartition & { readonly wireTopic: string };

export type Gap = { readonly fromOffset: number; readonly toOffset: number };

/**
 * `from`: the offset that was asked for; the broker sends whole batches, also where that is in their midst. `kept`: it
 * is anybody's to read.
 */
type Packed = { readonly batch: RecordBatch; readonly from: number; readonly kept: boolean };

/** Ready to be taken; without records when they are nobody's to read. */
type InLine = {
  readonly records: RecordReader | null;
  readonly from: number;
  readonly lastOffset: number;
  readonly bytes: number;
};

export class PartitionReader implements DeliverySource {
  readonly place: Place;
  readonly #bytesAheadMax: number;
  readonly #onReady: () => void;
  readonly #onRoom: () => void;
  readonly #onGap: (place: Place, gap: Gap) => void;
  #state: 'waiting' | 'open' | 'paused' | 'closed' = 'waiting';
  #packed: Packed[] = [];
  #packedBytes = 0;
  #line: InLine[] = [];
  #lineBytes = 0;
  #fetchOffset: number;
  #position: number;
  #highWatermark = 0;
  #end = 0;
  /** Reading has failed, until a seek; told after everything before it has been taken. */
  #failure: { readonly error: unknown; told: boolean } | null = null;
  /** What follows the last of the packed ones. */
  #damage: Damage | null = null;
  #unpacking = false;
  #epoch = 0;

  constructor(parts: {
    readonly place: Place;
    readonly offset: number;
    /** No more is fetched while so many bytes wait to be taken. */
    readonly bytesAheadMax: number;
    /** There is something to take, or a failure to be told. */
    readonly onReady: () => void;
    /** There may be something to fetch. */
    readonly onRoom: () => void;
    readonly onGap: (place: Place, gap: Gap) => void;
  }) {
    this.place = parts.place;
    this.#bytesAheadMax = parts.bytesAheadMax;
    this.#onReady = parts.onReady;
    this.#onRoom = parts.onRoom;
    this.#onGap = parts.onGap;
    this.#fetchOffset = this.#position = parts.offset;
  }

  open(): void {
    if (this.#state === 'waiting') this.#state = 'open';
    this.#onRoom();
  }

  close(): void {
    this.#state = 'closed';
    this.#clear();
  }

  pause(): void {
    if (this.#state === 'open' || this.#state === 'waiting') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'open';
    this.#onRoom();
    this.#onReady();
  }

  seek(offset: number): void {
    this.#epoch += 1;
    this.#clear();
    this.#failure = null;
    this.#fetchOffset = this.#position = Math.max(0, offset);
    this.#onRoom();
  }

  /** Rises with every seek: what was asked for before it is of no use. */
  get epoch(): number {
    return this.#epoch;
  }

  /** From here on is to be fetched next. */
  get fetchOffset(): number {
    return this.#fetchOffset;
  }

  get wantsMore(): boolean {
    return this.#mayFetch && this.#packedBytes + this.#lineBytes < this.#bytesAheadMax;
  }

  /** It would fetch, had it room. */
  get isFull(): boolean {
    return this.#mayFetch && !this.wantsMore;
  }

  /** Records are there that have not been taken, and nothing but ourselves holds them up. */
  get isBehind(): boolean {
    return this.#mayFetch && this.position < this.#end;
  }

  /** Of the next record to be taken: beyond what is known to hold none. */
  get position(): number {
    let position = this.#position;
    for (const { records, lastOffset } of this.#line) {
      if (records?.isAtEnd === false) return position;
      position = lastOffset + 1;
    }
    for (const { batch, kept } of this.#packed) {
      if (kept && batch.count > 0) return position;
      position = batch.lastOffset + 1;
    }
    return this.#failure === null && this.#damage === null ? this.#fetchOffset : position;
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  get #mayFetch(): boolean {
    return this.#state === 'open' && this.#failure === null && this.#damage === null;
  }

  get ready(): boolean {
    return this.#state === 'open' && this.#line.length > 0;
  }

  takeFailure(): { readonly error: unknown } | null {
    if (this.#failure === null || this.#failure.told || this.#line.length > 0) return null;
    this.#failure.told = true;
    return this.#failure;
  }

  take(recordsMax: number): Batch | null {
    const records: LogRecord[] = [];
    for (let head = this.#line[0]; head !== undefined; head = this.#line[0]) {
      if (records.length === recordsMax) break;
      this.#takeFrom(head, records, recordsMax);
    }
    void this.#unpackMore();
    this.#onRoom();
    const { topic, partition } = this.place;
    return records.length === 0
      ? null
      : { topic, partition, records, highWatermark: Math.max(this.#highWatermark, this.#position) };
  }

  #takeFrom(head: InLine, records: LogRecord[], recordsMax: number): void {
    try {
      for (let record = head.records?.next(); record; record = head.records?.next()) {
        if (record.offset < head.from) continue;
        this.#position = record.offset + 1;
        if (records.push(record) === recordsMax) return;
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#clear();
      this.#fail({ offset: this.#position, lastOffset: head.lastOffset, reason });
      return;
    }
    this.#position = head.lastOffset + 1;
    this.#lineBytes -= head.bytes;
    this.#line.shift();
  }

  /** What a fetch from `fetchOffset` on brought, when nobody has sought since. */
  received(fetched: FetchedPartition, epoch: number): void {
    if (epoch !== this.#epoch || this.#state === 'closed') return;
    this.#highWatermark = fetched.highWatermark;
    this.#end = fetched.lastStableOffset;
    const { batches, damage } = findBatches(withoutNeighbours(fetched.records));
    const kept = readable(batches, fetched.aborted);
    for (const batch of batches) {
      if (batch.lastOffset < this.#fetchOffset) continue;
      if (batch.baseOffset > this.#fetchOffset) this.#missed(batch.baseOffset);
      this.#packed.push({ batch, from: this.#fetchOffset, kept: kept.has(batch) });
      this.#fetchOffset = batch.lastOffset + 1;
      this.#packedBytes += batch.body.length;
    }
    this.#damage = damage;
    void this.#unpackMore();
  }

  /** The offset asked for is not, or not any more, within the partition: it goes on at the oldest record. */
  outOfRange({ start, end }: OffsetRange, epoch: number): void {
    if (epoch !== this.#epoch || (this.#fetchOffset >= start && this.#fetchOffset <= end)) return;
    this.#missed(start);
    if (start < this.#fetchOffset) this.seek(start);
    else this.#fetchOffset = start;
  }

  /** The broker itself says that what comes next cannot be read. */
  unreadable(reason: string, epoch: number): void {
    if (epoch !== this.#epoch) return;
    this.#damage = { offset: this.#fetchOffset, lastOffset: this.#fetchOffset, reason };
    void this.#unpackMore();
  }

  #missed(toOffset: number): void {
    this.#onGap(this.place, { fromOffset: this.#fetchOffset, toOffset });
  }

  /** One batch after the other, as far as there is room. */
  async #unpackMore(): Promise<void> {
    if (this.#unpacking) return;
    this.#unpacking = true;
    while (this.#failure === null && this.#lineBytes < this.#bytesAheadMax) {
      const [next] = this.#packed;
      if (next === undefined) break;
      await this.#lineUp(next);
    }
    this.#unpacking = false;
    if (this.#damage !== null && this.#packed.length === 0) this.#fail(this.#damage);
  }

  async #lineUp({ batch, from, kept }: Packed): Promise<void> {
    const epoch = this.#epoch;
    const unpacked = kept ? await unpack(batch) : null;
    if (epoch !== this.#epoch || this.#state === 'closed') return;
    this.#packed.shift();
    this.#packedBytes -= batch.body.length;
    const { baseOffset, lastOffset } = batch;
    if (unpacked instanceof Error) {
      this.#packed = [];
      this.#damage = { offset: baseOffset, lastOffset, reason: unpacked.message };
      return;
    }
    const records = unpacked === null ? null : new RecordReader(batch, unpacked);
    const bytes = unpacked?.length ?? 0;
    this.#line.push({ records, from, lastOffset, bytes });
    this.#lineBytes += bytes;
    this.#onReady();
  }

  #clear(): void {
    this.#packed = [];
    this.#packedBytes = 0;
    this.#damage = null;
    this.#line = [];
    this.#lineBytes = 0;
  }

  #fail(damage: Damage): void {
    this.#failure ??= { error: corrupt(this.place, damage), told: false };
    this.#onReady();
  }
}

/** A copy, where keeping the bytes would keep a whole answer in memory that is mostly about other partitions. */
function withoutNeighbours(bytes: Buffer): Buffer {
  return 2 * bytes.length < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}

function corrupt({ topic, partition }: Place, { offset, lastOffset, reason }: Damage): ForetillError {
  const which = lastOffset > offset ? `Records ${offset} to ${lastOffset}` : `Record ${offset}`;
  return new ForetillError(
    'LOG_CORRUPT',
    `${which} of ${topic}/${partition} in Kafka cannot be read: ${reason}.`,
    {
      remedy:
        'Restore the partition from another replica, or give the records up: move the group beyond them, ' +
        `to offset ${lastOffset + 1} (kafka-consumer-groups --reset-offsets), and send again what they held.`,
    },
  );
}
