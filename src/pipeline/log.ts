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
  /** Records may be deleted this long after they were written. Undefined: kept for ever. */
  readonly retentionMs?: number;
  /** Of the records with one key only the latest is sure to be kept; a null value deletes the key. */
  readonly compacted?: boolean;
  /** Copies kept, each by another broker; the log's own default when absent. */
  readonly replication?: number;
  /** Key, value and headers of one record together; the log's own limit when absent. */
  readonly recordBytesMax?: number;
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

/** `key`, `value` and headers may be views of a larger buffer: copy what outlives the batch. */
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
   * resolves. A rejection stops the consumer and is handed to `onCrash`: it never goes on with a hole. Do not await
   * `stop` or `close` in it: they wait for the batch in work.
   */
  eachBatch(batch: Batch): Promise<void>;
  /** Before the first batch of newly assigned partitions, with what the group had committed. */
  onAssigned?(partitions: readonly Assignment[]): Promise<void>;
  /**
   * When partitions are taken away (another member came or left, or stop), after the batch in work. Commits are still
   * possible in it, unless they are lost already: then `holds` is false. Neither it nor `onAssigned` is called for no
   * partitions at all.
   */
  onRevoked?(partitions: readonly TopicPartition[]): Promise<void>;
  /**
   * Once, when a handler rejected or the log failed for good. The consumer has then left its group, without
   * `onRevoked`; other members take over its partitions from what was committed.
   */
  onCrash(error: unknown): void;
  /**
   * A partition has a damaged record (LOG_CORRUPT). With this handler the consumer goes on with its other partitions,
   * and with this one after a `seek` beyond the damage; without it the consumer crashes.
   */
  onUnreadable?(partition: TopicPartition, error: unknown): void;
};

export type ConsumerOptions = {
  readonly group: string;
  readonly topics: readonly string[];
  /** Where a partition starts for which the group has committed nothing. */
  readonly startFrom: 'earliest' | 'latest';
  readonly batchRecordsMax: number;
};

/** Pause, resume and seek of a partition that this member does not hold do nothing; a pause ends with the assignment. */
export type Consumer = {
  /**
   * False as soon as another member may have been given the partition, e.g. to a process that was stopped for longer
   * than the group waits: what is in work for it must not be told any more.
   */
  holds(partition: TopicPartition): boolean;
  /**
   * The offset of the next record that it would hand over, null for a partition that it does not hold. A batch counts as
   * handed over when its handler is called; what was only fetched ahead does not. Offsets without a record to hand over
   * (markers of transactions, what was given up with one or compacted away) are passed as soon as that is known, so that
   * everything has been read when it is at least the partition's `end`.
   */
  position(partition: TopicPartition): number | null;
  /** In a sentence, what keeps it from its group or its records at the moment and is being tried again; null: nothing. */
  trouble(): string | null;
  /** Durable when resolved. Refused (LOG_UNAVAILABLE) for a partition this member does not hold. */
  commit(offsets: readonly (TopicPartition & CommittedOffset)[]): Promise<void>;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /**
   * The next batch of the partition starts at this offset, or where that is a gap at the next record. Before the oldest
   * record, or beyond the end (the log was replaced), it starts at the oldest.
   */
  seek(position: TopicPartition & { readonly offset: number }): void;
  /** Waits for the batch in work, calls `onRevoked`, leaves the group. Does nothing after a crash. */
  stop(): Promise<void>;
};

export type TailOptions = {
  readonly topic: string;
  /** A map gives the next offset per partition; partitions that it does not name start at the oldest record. */
  readonly from: 'earliest' | 'latest' | ReadonlyMap<number, number>;
  readonly batchRecordsMax: number;
};

export type Log = {
  /** Creates what is missing; refuses (CONFIG_INVALID) a topic that exists with other partitions. Never deletes. */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  topics(): Promise<readonly TopicSpec[]>;
  /**
   * Appends in order, per partition all or nothing. Resolves when durable, with each record's place; waits when too much
   * is in flight. Refuses an unknown topic (INPUT_NOT_FOUND) and a record that is too large or names a partition that
   * does not exist (INPUT_INVALID). After DISK_FULL or LOG_UNAVAILABLE nothing was acknowledged: send it again. The
   * records' buffers must not change until it resolves.
   */
  append(
    topic: string,
    records: readonly OutgoingRecord[],
  ): Promise<readonly { partition: number; offset: number }[]>;
  /**
   * A member of a consumer group: the topics' partitions are shared among the group's members. Resolves before the first
   * call of the handler, so that the handler may use the consumer.
   */
  join(options: ConsumerOptions, handler: ConsumerHandler): Promise<Consumer>;
  /** Reads all partitions without a group; commits nothing. What is appended after it has resolved is seen. */
  tail(
    options: TailOptions,
    handler: Pick<ConsumerHandler, 'eachBatch' | 'onCrash' | 'onUnreadable'>,
  ): Promise<{ stop(): Promise<void> }>;
  /**
   * A partition that cannot be asked about at the moment, as no broker leads it, is missing, which says nothing of where
   * it ends: do not take it for empty. LOG_UNAVAILABLE when that is so of all.
   */
  offsets(topic: string): Promise<ReadonlyMap<number, OffsetRange>>;
  committed(group: string, topic: string): Promise<ReadonlyMap<number, CommittedOffset>>;
  /**
   * Stops consumers and tails as `stop` does, then waits for appends in flight, though not for ever: they are refused
   * (LOG_UNAVAILABLE) when a log that is away does not take them, and may be there nevertheless. Calls after it are refused.
   */
  close(): Promise<void>;
};
