/**
 * Reads a broker's answer to a fetch (Kafka's protocol, Fetch version 11), leaving the records as the bytes they are.
 * kafkajs's own reading would unpack everything at once, without checking a checksum, and where one batch of one
 * partition cannot be read, nothing of the whole answer would be.
 */
import { errorNamed } from './kafkajs-inner.ts';

export type AbortedTransaction = { readonly producerId: bigint; readonly firstOffset: number };

export type FetchedPartition = {
  readonly topic: string;
  readonly partition: number;
  /** The protocol's name of it. */
  readonly error: string | null;
  /** The offset the next appended record will get. */
  readonly highWatermark: number;
  /** Records before this one can be read: transactions after it are still open. */
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last possibly cut off. */
  readonly records: Buffer;
};

type FetchAnswer = {
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
};

export function readFetchAnswer(payload: Buffer): FetchAnswer {
  const reader = new Reader(payload);
  const clientSideThrottleTime = reader.int32();
  const errorCode = reader.int16();
  reader.int32(); // the fetch session, of which we use none
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.string();
    for (let count = reader.int32(); count > 0; count--) partitions.push(readPartition(reader, topic));
  }
  return { clientSideThrottleTime, errorCode, partitions };
}

function readPartition(reader: Reader, topic: string): FetchedPartition {
  const partition = reader.int32();
  const code = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  reader.int64(); // where the partition begins
  const aborted: AbortedTransaction[] = [];
  for (let count = reader.int32(); count > 0; count--) {
    aborted.push({ producerId: reader.bigint64(), firstOffset: reader.int64() });
  }
  reader.int32(); // a replica that it would rather be read from
  return {
    topic,
    partition,
    error: errorNamed(code),
    highWatermark,
    lastStableOffset: lastStableOffset < 0 ? highWatermark : lastStableOffset,
    aborted,
    records: reader.bytes(),
  };
}

/** Throws a RangeError at the end of the bytes. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  bigint64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  int64(): number {
    return Number(this.bigint64());
  }

  string(): string {
    return this.#take(this.int16()).toString('utf8');
  }

  bytes(): Buffer {
    return this.#take(Math.max(0, this.int32()));
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new RangeError('The answer to a fetch is cut off');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
