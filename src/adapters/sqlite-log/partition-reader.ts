/**
 * Reads one partition ahead of its consumer: at most one read under way, and no further one while a read's worth of
 * bytes waits to be taken. At the end of the partition it sleeps until an append wakes it.
 */
import type { LogLimits } from '../../config.ts';
import { ForetillError } from '../../errors.ts';
import type { Batch, LogRecord } from '../../pipeline/log.ts';
import type { Fetched } from './protocol.ts';
import { decodeRecord, recordBytesAt } from './record-codec.ts';
import type { Place } from './topic-registry.ts';
import type { WorkerClient } from './worker-client.ts';

type Chunk = { readonly bytes: Buffer; at: number; readonly baseOffset: number };

export class PartitionReader {
  readonly place: Place;
  readonly #client: WorkerClient;
  readonly #limits: LogLimits;
  readonly #recordsMax: number;
  readonly #onReady: () => void;
  readonly #wake = () => this.#readAhead();
  #state: 'waiting' | 'open' | 'paused' | 'closed' = 'waiting';
  /** Reading has failed, until a seek; told after everything before it has been taken. */
  #failure: { readonly error: unknown; told: boolean } | null = null;
  #fetchOffset = 0;
  #chunks: Chunk[] = [];
  #bytesAhead = 0;
  #fetching = false;
  /** Rises with every seek, so that a read asked for before it is thrown away. */
  #epoch = 0;

  constructor(parts: {
    readonly place: Place;
    readonly offset: number;
    readonly client: WorkerClient;
    readonly limits: LogLimits;
    readonly recordsMax: number;
    /** Called when there is something to take, or a failure to be told. */
    readonly onReady: () => void;
  }) {
    this.place = parts.place;
    this.#client = parts.client;
    this.#limits = parts.limits;
    this.#recordsMax = parts.recordsMax;
    this.#onReady = parts.onReady;
    this.seek(parts.offset);
  }

  /** Reads nothing before it is opened, so that it can be placed first. */
  open(): void {
    if (this.#state === 'waiting') this.#state = 'open';
    this.place.onAppend.add(this.#wake);
    this.#readAhead();
  }

  close(): void {
    this.#state = 'closed';
    this.#chunks = [];
    this.place.onAppend.delete(this.#wake);
  }

  pause(): void {
    if (this.#state === 'open' || this.#state === 'waiting') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'open';
    this.#readAhead();
    this.#onReady();
  }

  seek(offset: number): void {
    this.#epoch++;
    this.#chunks = [];
    this.#bytesAhead = 0;
    this.#fetching = false;
    this.#fetchOffset = offset >= 0 && offset <= this.place.end ? offset : 0;
    this.#failure = null;
    this.#readAhead();
  }

  get ready(): boolean {
    return this.#state === 'open' && this.#chunks.length > 0;
  }

  /** Of the next record to be taken, as far as it is known. */
  get position(): number {
    const [next] = this.#chunks;
    return next === undefined ? this.#fetchOffset : decodeRecord(next.bytes, next.at, next.baseOffset).offset;
  }

  /** The error that ended the reading, once: LOG_CORRUPT for a damaged record (a seek goes on), else of the log. */
  takeFailure(): { readonly error: unknown } | null {
    if (this.#failure === null || this.#failure.told || this.#chunks.length > 0) return null;
    this.#failure.told = true;
    return this.#failure;
  }

  /** Takes the next records, across reads; only when `ready`. */
  take(recordsMax: number): Batch {
    const records: LogRecord[] = [];
    for (
      let chunk = this.#chunks[0];
      chunk !== undefined && records.length < recordsMax;
      chunk = this.#chunks[0]
    ) {
      const from = chunk.at;
      while (chunk.at < chunk.bytes.length && records.length < recordsMax) {
        records.push(decodeRecord(chunk.bytes, chunk.at, chunk.baseOffset));
        chunk.at += recordBytesAt(chunk.bytes, chunk.at);
      }
      this.#bytesAhead -= chunk.at - from;
      if (chunk.at === chunk.bytes.length) this.#chunks.shift();
    }
    this.#readAhead();
    const { topic, partition, end } = this.place;
    return { topic, partition, records, highWatermark: end };
  }

  #readAhead(): void {
    const able = this.#state === 'open' && this.#failure === null && !this.#fetching;
    if (able && this.#bytesAhead < this.#limits.fetchBytesMax && this.#fetchOffset < this.place.end)
      void this.#fetch(this.#epoch);
  }

  async #fetch(epoch: number): Promise<void> {
    const offset = this.#fetchOffset;
    this.#fetching = true;
    try {
      const request = { partitionId: this.place.id, offset, recordsMax: this.#recordsMax };
      const fetched = await this.#client.call('fetch', request);
      if (epoch === this.#epoch && this.#state !== 'closed') this.#received(offset, fetched);
    } catch (error) {
      if (epoch === this.#epoch && this.#state !== 'closed') this.#fail(this.#named(error, offset));
    }
  }

  #received(offset: number, { bytes, nextOffset, damagedAt }: Fetched): void {
    this.#fetching = false;
    if (bytes.length > 0) {
      this.#chunks.push({
        bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
        at: 0,
        baseOffset: offset,
      });
      this.#bytesAhead += bytes.length;
    }
    this.#fetchOffset = nextOffset;
    if (damagedAt !== null) this.#failure = { error: corrupt(this.place, damagedAt), told: false };
    this.#readAhead();
    this.#onReady();
  }

  #fail(error: unknown): void {
    this.#failure = { error, told: false };
    this.#onReady();
  }

  #named(error: unknown, offset: number): unknown {
    return error instanceof ForetillError && error.code === 'LOG_CORRUPT'
      ? corrupt(this.place, offset, error)
      : error;
  }
}

function corrupt({ topic, partition }: Place, offset: number, cause?: unknown): ForetillError {
  return new ForetillError(
    'LOG_CORRUPT',
    `Record ${offset} of ${topic}/${partition} in the log is damaged.`,
    {
      remedy:
        'Restore the data directory from a copy, or give the record up: move the group beyond it, ' +
        `to offset ${offset + 1}, and send again what it held.`,
      cause,
    },
  );
}
