/**
 * The log: a small port with Kafka's meaning. Every adapter (SQLite for one process, Kafka for many) passes the
 * same contract suite (tests/adapters/log-contract.ts).
 *
 * Topics have partitions; a record's partition is the murmur2 hash of its key, as in Kafka's default partitioner
 * (records without a key go to the partitions in turn). Offsets rise by one per record within a partition;
 * compaction and retention may leave gaps. Delivery is at least once: a record is seen again unless the group has
 * committed an offset beyond it.
 */
export type TopicSpec = {
  readonly name: string;
  readonly partitions: number;
  /** Records older than this may be deleted. Undefined: kept for ever. */
  readonly retentionMs?: number;
  /** Of the records with one key only the latest is sure to be kept; a null value deletes the key. */
  readonly compacted?: boolean;
};

export type TopicPartition = { readonly topic: string; readonly partition: number };

export type Headers = Readonly<Record<string, Buffer>>;

export type OutgoingRecord = {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Headers;
  /** Chosen by the key's hash when absent. */
  readonly partition?: number;
  /** UTC milliseconds; the log's own clock at the append when absent. */
  readonly timestampMs?: number;
};

export type LogRecord = {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
};

export type Batch = TopicPartition & {
  readonly records: readonly LogRecord[];
  /** The offset the next appended record will get. */
  readonly highWatermark: number;
};

/** `offset` is the next one to be read; `metadata` is a short text kept with it (at most 4 KiB), atomically. */
export type CommittedOffset = { readonly offset: number; readonly metadata: string };

export type Assignment = TopicPartition & { readonly committed: CommittedOffset | null };

/** Where one partition begins and ends: `start` is the oldest offset still there, `end` the next to be written. */
export type OffsetRange = { readonly start: number; readonly end: number };

export type ConsumerHandler = {
  /**
   * One batch of one partition at a time, never two at once for the same consumer; it reads on when the promise
   * resolves. A rejection stops the consumer and is handed to `onCrash`: it never goes on with a hole.
   */
  eachBatch(batch: Batch): Promise<void>;
  /** Before the first batch of newly assigned partitions, with what the group had committed. */
  onAssigned?(partitions: readonly Assignment[]): Promise<void>;
  /** When partitions are taken away (another member came, or stop). Commits are still possible in it. */
  onRevoked?(partitions: readonly TopicPartition[]): Promise<void>;
  onCrash(error: unknown): void;
};

export type ConsumerOptions = {
  readonly group: string;
  readonly topics: readonly string[];
  /** Where a partition starts for which the group has committed nothing. */
  readonly startFrom: 'earliest' | 'latest';
  readonly batchRecordsMax: number;
};

export type Consumer = {
  /** Durable when resolved. Refused (LOG_UNAVAILABLE) for a partition this member does not hold. */
  commit(offsets: readonly (TopicPartition & CommittedOffset)[]): Promise<void>;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** The next batch of the partition starts at this offset. */
  seek(position: TopicPartition & { readonly offset: number }): void;
  /** Waits for the batch in work, calls `onRevoked`, leaves the group. */
  stop(): Promise<void>;
};

export type TailOptions = {
  readonly topic: string;
  readonly from: 'earliest' | 'latest' | ReadonlyMap<number, number>;
  readonly batchRecordsMax: number;
};

export type Log = {
  /** Creates what is missing; refuses (CONFIG_INVALID) a topic that exists with other partitions. Never deletes. */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  topics(): Promise<readonly TopicSpec[]>;
  /** Appends in order, per partition all or nothing. Resolves when durable, with each record's place. */
  append(
    topic: string,
    records: readonly OutgoingRecord[],
  ): Promise<readonly { partition: number; offset: number }[]>;
  /** A member of a consumer group: the topics' partitions are shared among the group's members. */
  join(options: ConsumerOptions, handler: ConsumerHandler): Promise<Consumer>;
  /** Reads all partitions without a group; commits nothing. */
  tail(
    options: TailOptions,
    handler: Pick<ConsumerHandler, 'eachBatch' | 'onCrash'>,
  ): Promise<{ stop(): Promise<void> }>;
  offsets(topic: string): Promise<ReadonlyMap<number, OffsetRange>>;
  committed(group: string, topic: string): Promise<ReadonlyMap<number, CommittedOffset>>;
  close(): Promise<void>;
};
