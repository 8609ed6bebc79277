/**
 * Every setting and every limit in one place. A queue, buffer, cache, retry or window without a maximum here does not
 * exist; what a maximum makes us drop is counted.
 */
import { layOver } from './config-overrides.ts';
import type { PartOf } from './config-overrides.ts';
import { ForetillError } from './errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './sales/durations.ts';
import { GRANULARITIES, LEVELS } from './sales/series.ts';
import type { Granularity, Level } from './sales/series.ts';

export type GranularityConfig = {
  readonly levels: readonly Level[];
  /** How many buckets ahead are forecast. */
  readonly horizon: number;
};

/** How the published forecasts are made to agree. */
export type ReconciliationConfig = {
  /**
   * Stores, categories and the chain are sums of the bottom level. `bottom-up`: as it is forecast; `min-trace`: after it
   * was moved to where it agrees best with what the sums forecast themselves; `top-down`: with what the chain does.
   * With the latter two an amendment anywhere moves every series, so all are published again.
   */
  readonly levels: (typeof LEVELS_RECONCILED)[number];
  /** Whether the hours of a whole day ahead add up to what was published for it. */
  readonly hours: (typeof HOURS_RECONCILED)[number];
};

const LEVELS_RECONCILED = ['none', 'bottom-up', 'top-down', 'min-trace'] as const;
const HOURS_RECONCILED = ['none', 'to-days'] as const;

/** Maxima of the embedded log. */
export type LogLimits = {
  /** Key, value and headers of one record together; a larger one is refused. */
  readonly recordBytesMax: number;
  /** Appends taken but not yet durable; beyond it `append` waits. */
  readonly appendBytesInFlightMax: number;
  /** Appends made durable by one transaction; more of them wait for the next. */
  readonly groupCommitBytesMax: number;
  /** One row of the log file; larger batches are cut. */
  readonly rowBytesMax: number;
  /** One read, and with it the read-ahead of one partition (at most two reads are held). */
  readonly fetchBytesMax: number;
  /** The text kept with a committed offset. */
  readonly commitMetadataBytesMax: number;
  /** The log file refuses to grow beyond this (DISK_FULL). 0: as far as the disk goes. */
  readonly fileBytesMax: number;
  /** Retention and compaction run this often… */
  readonly maintenanceEveryMs: number;
  /** …and hold up appends for the work on at most this much at a time. */
  readonly maintenanceSliceBytesMax: number;
  /** A compacted topic is rewritten when it has this many new records, and at least half as many as it kept. */
  readonly compactionRecordsMin: number;
  /** Keys remembered during one compaction; what is beyond them waits for the next. */
  readonly compactionKeysMax: number;
  /** A deleted key's tombstone stays readable this long. */
  readonly tombstoneGraceMs: number;
};

/** Maxima of the log on Kafka: of one process, and of one connection where it says so. */
export type KafkaLimits = {
  /** A member that is silent for this long has its partitions taken away… */
  readonly sessionTimeoutMs: number;
  /** …so it is heard this often, whatever its handler does. */
  readonly heartbeatMs: number;
  /** Members have this long to let go of their partitions when the group changes. */
  readonly rebalanceTimeoutMs: number;
  readonly connectMsMax: number;
  /** An answer of a broker is waited for this long; then the connection counts as broken. */
  readonly requestMsMax: number;
  /** A read without anything new waits this long at the broker. */
  readonly fetchWaitMs: number;
  readonly fetchBytesMax: number;
  readonly fetchBytesPerPartitionMax: number;
  /** Key, value and headers of one record together; below the brokers' own 1 MiB for a batch. */
  readonly recordBytesMax: number;
  /** Records of one partition that are written together, before compression; more are cut. */
  readonly batchBytesMax: number;
  /** kafkajs's own work grows with the square of this. */
  readonly batchRecordsMax: number;
  /** What goes to the brokers in one request. */
  readonly produceBytesMax: number;
  /** Appends taken but not yet durable; beyond it `append` waits. */
  readonly appendBytesInFlightMax: number;
  /** An append is tried for this long before it fails (LOG_UNAVAILABLE). */
  readonly appendMsMax: number;
  /** A question about topics, offsets or groups is asked for this long, again and again, before it fails (LOG_UNAVAILABLE). */
  readonly questionMsMax: number;
  /** At the end appends under way, and then the connections, have this long altogether; what is left is cut off. */
  readonly closeMsMax: number;
  /** The pause after a failed attempt; it doubles up to the maximum, each with jitter. */
  readonly retryDelayMs: number;
  readonly retryDelayMsMax: number;
  /** A new topic must have found brokers to lead its partitions within this time. */
  readonly topicReadyMsMax: number;
  /** What is known of a topic is asked for again after this. */
  readonly topicAgeMsMax: number;
  /** Records are waiting, but none was taken for so long: something is stuck. */
  readonly stalledMsMax: number;
  /** The text kept with a committed offset: the brokers' own default. */
  readonly commitMetadataBytesMax: number;
  readonly compression: (typeof COMPRESSIONS)[number];
};

const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Maxima of the store's client, embedded or server. */
export type StoreLimits = {
  /** Requests in work at once; more wait… */
  readonly inFlightMax: number;
  /** …and beyond this many waiting are refused (STORE_UNAVAILABLE). */
  readonly waitingMax: number;
  /** One attempt without a byte of an answer: as long as the longest statement. */
  readonly requestMsMax: number;
  /** All attempts of one request begin within this time; nothing heard of the store for so long fails all requests. */
  readonly requestsMsMax: number;
  /** While an answer is awaited the store is pinged this often, and has this long to answer. */
  readonly pingMsMax: number;
  /** Attempts of one request, all with the same bytes and token: about a quarter of a minute. Roles then say so, and go on. */
  readonly attemptsMax: number;
  /** The pause after the first failed attempt; it doubles up to the maximum, each with jitter. */
  readonly retryDelayMs: number;
  readonly retryDelayMsMax: number;
  /** Below the server's own keep-alive, so that no request is sent on a socket that is just being closed. */
  readonly idleSocketMsMax: number;
};

/** Maxima of the embedded store's engine process. */
export type EngineLimits = {
  /** Statements in work at once. */
  readonly sessions: number;
  readonly memoryBytesMax: number;
  readonly bodyBytesMax: number;
  /** Starts tried in a row, without a minute of running between them. */
  readonly restartsMax: number;
  readonly restartDelayMs: number;
  readonly restartDelayMsMax: number;
  /** How long a new engine waits for the one before to leave the directory. */
  readonly lockWaitMs: number;
  /** Statements in work at the stop have this long to end. */
  readonly drainMsMax: number;
};

/** Maxima of the schema registry's client. */
export type SchemaRegistryLimits = {
  /** One attempt, from the connection to the last byte of the answer. */
  readonly requestMsMax: number;
  readonly responseBytesMax: number;
  /** Look-ups in work at once; more wait… */
  readonly inFlightMax: number;
  /** …and beyond this many waiting are refused (SCHEMA_UNKNOWN). */
  readonly waitingMax: number;
  /** Attempts of one look-up. At the start there is no end of them. */
  readonly attemptsMax: number;
  /** The pause after the first failed attempt; it doubles up to the maximum, each with jitter. */
  readonly retryDelayMs: number;
  readonly retryDelayMsMax: number;
  /** While the start waits for the registry, this is said so often. */
  readonly waitSaidEveryMs: number;
  /** An id the registry does not know is not asked for again within this time… */
  readonly unknownIdMs: number;
  /** …and beyond this many such ids no other is asked for (SCHEMA_UNKNOWN) until the oldest are forgotten. */
  readonly unknownIdsMax: number;
  /** Schemas kept by id, in memory and on disk. */
  readonly cachedSchemasMax: number;
};

export type Config = {
  /** ISO 4217; transactions in another currency are refused. */
  readonly currency: string;
  /** The zone and business day of the chain's own series (levels without a store) and of stores not in `stores`. */
  readonly timeZone: string;
  readonly businessDayStartMinutes: number;
  readonly granularities: Readonly<Record<Granularity, GranularityConfig>>;
  readonly reconciliation: ReconciliationConfig;
  /** Series at product levels are kept for these many best selling products of the history. 0: none. */
  readonly productsMax: number;
  readonly transactionPartitions: number;
  readonly shards: number;
  /** A bucket closes this long (event time) after its end. */
  readonly allowedLatenessMs: number;
  /** A transaction that ends this much later than its record was written is refused. */
  readonly futureSkewMsMax: number;
  /** A transaction that ends before this instant is refused. */
  readonly earliestTimeMs: number;
  /** A source partition silent for this long moves its watermark on with the clock. */
  readonly idleAfterMs: number;
  /** The business date may differ from the local calendar date of the sale by this many days. */
  readonly businessDateSkewDaysMax: number;
  readonly ingestBatchRecordsMax: number;
  /** Source partitions whose batches are written at the same time, each partition one batch after the other. */
  readonly ingestInFlightMax: number;
  /** Tickets of open buckets remembered for exact running totals; beyond it the nowcast's hints get coarser. */
  readonly openTicketsMax: number;
  /** A checkpoint is written this often when something was learned since the last… */
  readonly checkpointEveryMs: number;
  /** …or when so many messages were heard, all of which a restart would hear again. */
  readonly checkpointMessagesMax: number;
  /** How long records stay in the topics that are not compacted. */
  readonly retention: {
    readonly transactionsMs: number;
    readonly bucketsMs: number;
    readonly alertsMs: number;
    readonly deadLettersMs: number;
  };
  /** One dead letter: a record as large as the log takes, and the headers that say why it was refused. */
  readonly deadLetterBytesMax: number;
  /** Open buckets' nowcasts are published at most this often… */
  readonly nowcastEveryMs: number;
  /** …and at most this many series at a time, wider levels first. */
  readonly nowcastSeriesMax: number;
  /** Of these at most so many are refreshed only because time has passed. */
  readonly nowcastRefreshMax: number;
  readonly seriesMax: number;
  /** Copies of the state kept per granularity, to recompute amended series from. */
  readonly snapshotsMax: number;
  readonly snapshotBytesMax: number;
  /** Buckets read from `sales` at a time when history is folded. */
  readonly foldChunkBuckets: number;
  /** Scores of a warm start are kept for this many days back. */
  readonly warmScoreDays: number;
  /** Of the drifts found in buckets that close together so many are told one by one, the widest first. */
  readonly driftAlertsMax: number;
  readonly bucketMessageEntriesMax: number;
  /** Larger ones are cut: below what any log takes as one record. */
  readonly bucketMessageBytesMax: number;
  readonly bucketBatchRecordsMax: number;
  readonly storeRowsPerInsert: number;
  /** How often silence is looked for. */
  readonly ingestTickMs: number;
  /** The pause before something outside that does not answer is tried again; it doubles up to the maximum. */
  readonly outageRetryMs: number;
  readonly outageRetryMsMax: number;
  /** What is in work at a stop, or when a partition is taken away, has this long to end; then it is left for the next. */
  readonly drainMsMax: number;
  readonly feed: {
    readonly clientsMax: number;
    readonly subscriptionsPerClientMax: number;
    /** No more is written to a client with this many bytes unsent; it then gets the latest of each series. */
    readonly bufferedBytesMax: number;
    readonly resumeMessagesMax: number;
    readonly pingEveryMs: number;
    /** A client that takes nothing for this long is dropped. */
    readonly stallMsMax: number;
    readonly messageBytesMax: number;
    readonly messagesPerSecondMax: number;
  };
  readonly http: {
    readonly bodyBytesMax: number;
    readonly transactionsPerRequestMax: number;
    readonly recentEventIdsMax: number;
    /** A request must have come in, and have been answered, within this time. */
    readonly requestMsMax: number;
    readonly idleSocketMsMax: number;
    readonly historyRowsMax: number;
    /** Alerts kept to be asked for: those that are over go first. */
    readonly alertsMax: number;
  };
  readonly log: LogLimits;
  readonly kafka: KafkaLimits;
  readonly store: StoreLimits;
  readonly engine: EngineLimits;
  readonly schemaRegistry: SchemaRegistryLimits;
};

export const DEFAULT_CONFIG: Config = {
  currency: 'USD',
  timeZone: 'UTC',
  businessDayStartMinutes: 0,
  granularities: {
    hour: { levels: ['total', 'store', 'category', 'store-category'], horizon: 48 },
    day: { levels: ['total', 'store', 'category', 'store-category', 'product'], horizon: 28 },
  },
  reconciliation: { levels: 'min-trace', hours: 'to-days' },
  productsMax: 200,
  transactionPartitions: 4,
  shards: 1,
  allowedLatenessMs: 2 * MINUTE_MS,
  futureSkewMsMax: 5 * MINUTE_MS,
  earliestTimeMs: Date.UTC(2000, 0, 1),
  idleAfterMs: MINUTE_MS,
  businessDateSkewDaysMax: 1,
  ingestBatchRecordsMax: 5_000,
  ingestInFlightMax: 3,
  openTicketsMax: 500_000,
  checkpointEveryMs: MINUTE_MS,
  checkpointMessagesMax: 10_000,
  retention: {
    transactionsMs: 7 * DAY_MS,
    bucketsMs: 7 * DAY_MS,
    alertsMs: 30 * DAY_MS,
    deadLettersMs: 90 * DAY_MS,
  },
  deadLetterBytesMax: 17 * 1_048_576,
  nowcastEveryMs: 60,
  nowcastSeriesMax: 100,
  nowcastRefreshMax: 20,
  seriesMax: 1_000_000,
  snapshotsMax: 12,
  snapshotBytesMax: 256 * 1_048_576,
  foldChunkBuckets: 336,
  warmScoreDays: 28,
  driftAlertsMax: 20,
  bucketMessageEntriesMax: 5_000,
  bucketMessageBytesMax: 524_288,
  bucketBatchRecordsMax: 500,
  storeRowsPerInsert: 100_000,
  ingestTickMs: 100,
  outageRetryMs: 100,
  outageRetryMsMax: 5_000,
  drainMsMax: 8_000,
  feed: {
    clientsMax: 2_000,
    subscriptionsPerClientMax: 32,
    bufferedBytesMax: 262_144,
    resumeMessagesMax: 10_000,
    pingEveryMs: 30_000,
    stallMsMax: 10_000,
    messageBytesMax: 16_384,
    messagesPerSecondMax: 50,
  },
  http: {
    bodyBytesMax: 8 * 1_048_576,
    transactionsPerRequestMax: 5_000,
    recentEventIdsMax: 100_000,
    requestMsMax: 30_000,
    idleSocketMsMax: 75_000,
    historyRowsMax: 50_000,
    alertsMax: 2_000,
  },
  log: {
    recordBytesMax: 16 * 1_048_576,
    appendBytesInFlightMax: 64 * 1_048_576,
    groupCommitBytesMax: 8 * 1_048_576,
    rowBytesMax: 256 * 1024,
    fetchBytesMax: 2 * 1_048_576,
    commitMetadataBytesMax: 4096,
    fileBytesMax: 0,
    maintenanceEveryMs: MINUTE_MS,
    maintenanceSliceBytesMax: 4 * 1_048_576,
    compactionRecordsMin: 20_000,
    compactionKeysMax: 1_000_000,
    tombstoneGraceMs: HOUR_MS,
  },
  kafka: {
    sessionTimeoutMs: 8_000,
    heartbeatMs: 2_000,
    rebalanceTimeoutMs: MINUTE_MS,
    connectMsMax: 5_000,
    requestMsMax: 10_000,
    fetchWaitMs: 50,
    fetchBytesMax: 8 * 1_048_576,
    fetchBytesPerPartitionMax: 2 * 1_048_576,
    recordBytesMax: 900_000,
    batchBytesMax: 900_000,
    batchRecordsMax: 5_000,
    produceBytesMax: 4 * 1_048_576,
    appendBytesInFlightMax: 64 * 1_048_576,
    appendMsMax: 20_000,
    questionMsMax: 10_000,
    closeMsMax: 3_000,
    retryDelayMs: 100,
    retryDelayMsMax: 2_000,
    topicReadyMsMax: 30_000,
    topicAgeMsMax: MINUTE_MS,
    stalledMsMax: MINUTE_MS,
    commitMetadataBytesMax: 4_096,
    compression: 'lz4',
  },
  store: {
    inFlightMax: 8,
    waitingMax: 1_000,
    requestMsMax: 120_000,
    requestsMsMax: 45_000,
    pingMsMax: 5_000,
    attemptsMax: 12,
    retryDelayMs: 50,
    retryDelayMsMax: 4_000,
    idleSocketMsMax: 2_500,
  },
  engine: {
    sessions: 4,
    memoryBytesMax: 4 * 1_073_741_824,
    bodyBytesMax: 256 * 1_048_576,
    restartsMax: 30,
    restartDelayMs: 50,
    restartDelayMsMax: 4_000,
    lockWaitMs: 15_000,
    drainMsMax: 10_000,
  },
  schemaRegistry: {
    requestMsMax: 5_000,
    responseBytesMax: 4 * 1_048_576,
    inFlightMax: 8,
    waitingMax: 20_000,
    attemptsMax: 4,
    retryDelayMs: 100,
    retryDelayMsMax: 2_000,
    waitSaidEveryMs: 5_000,
    unknownIdMs: 30_000,
    unknownIdsMax: 100_000,
    cachedSchemasMax: 1_000,
  },
};

/** Any part of the configuration, as `foretill.json` has it. */
export type ConfigOverrides = PartOf<Config>;

/**
 * Returns `overrides` laid over the defaults, after checking their names and types and how the limits relate. Throws
 * CONFIG_INVALID; `source` is where the overrides come from.
 */
export function resolveConfig(overrides: ConfigOverrides = {}, source = 'Configuration'): Config {
  const config = layOver<Config>(DEFAULT_CONFIG, overrides, source);
  const demand = (condition: boolean, message: string, remedy: string): void => {
    if (!condition) throw new ForetillError('CONFIG_INVALID', `${source}: ${message}.`, { remedy });
  };
  demand(
    /^[A-Z]{3}$/.test(config.currency),
    `currency "${config.currency}" is not an ISO 4217 code`,
    'Use a code such as USD.',
  );
  demand(
    isTimeZone(config.timeZone),
    `time zone "${config.timeZone}" is unknown`,
    'Use an IANA name such as America/New_York.',
  );
  demand(
    config.businessDayStartMinutes >= 0 && config.businessDayStartMinutes < 1440,
    `business day start ${config.businessDayStartMinutes} is not within a day`,
    'Give local minutes after midnight, 0 to 1439.',
  );
  for (const granularity of GRANULARITIES) {
    const { levels, horizon } = config.granularities[granularity];
    demand(
      horizon >= 1 && levels.length > 0 && levels.every((level) => LEVELS.includes(level)),
      `granularities.${granularity} has no horizon or no levels, or an unknown level`,
      `Use a horizon of 1 or more, and levels of: ${LEVELS.join(', ')}.`,
    );
  }
  const { levels, hours } = config.reconciliation;
  demand(
    LEVELS_RECONCILED.includes(levels) && HOURS_RECONCILED.includes(hours),
    `reconciliation is of levels "${levels}", of hours "${hours}"`,
    `Use for levels one of: ${LEVELS_RECONCILED.join(', ')}; for hours: ${HOURS_RECONCILED.join(', ')}.`,
  );
  demand(
    config.transactionPartitions >= 1 && config.shards >= 1 && config.ingestInFlightMax >= 1,
    'there must be at least one partition, one shard and one batch in work',
    'Use 1 or more.',
  );
  demand(
    config.feed.resumeMessagesMax >= 1 && config.feed.bufferedBytesMax >= 65_536,
    'the feed needs room for at least one message',
    'Use at least 64 KiB of buffer.',
  );
  demand(
    config.log.recordBytesMax <= config.log.appendBytesInFlightMax &&
      config.log.rowBytesMax <= config.log.fetchBytesMax,
    'the log must have room for its largest record in flight, and for a row in a read',
    'Raise appendBytesInFlightMax and fetchBytesMax.',
  );
  demand(
    config.log.recordBytesMax + 65_536 <= config.deadLetterBytesMax &&
      config.deadLetterBytesMax <= config.log.appendBytesInFlightMax,
    'a refused record must fit into a dead letter with 64 KiB to spare, and a dead letter into what is in flight',
    'Raise deadLetterBytesMax and appendBytesInFlightMax.',
  );
  demand(
    config.schemaRegistry.unknownIdMs >= 30_000 && config.schemaRegistry.unknownIdsMax >= 1,
    'a schema id that is unknown may be asked for once in 30 s at most, and one must be remembered',
    'Raise schemaRegistry.unknownIdMs and unknownIdsMax.',
  );
  const { store } = config;
  demand(
    2 * store.pingMsMax <= store.requestsMsMax,
    'a store must have been asked twice before it counts as silent',
    'Use a store.pingMsMax of at most half of store.requestsMsMax.',
  );
  const { kafka } = config;
  demand(
    COMPRESSIONS.includes(kafka.compression),
    `kafka.compression "${kafka.compression}" is unknown`,
    `Use one of: ${COMPRESSIONS.join(', ')}.`,
  );
  demand(
    kafka.recordBytesMax <= kafka.batchBytesMax &&
      kafka.batchBytesMax <= kafka.produceBytesMax &&
      kafka.produceBytesMax <= kafka.appendBytesInFlightMax &&
      kafka.fetchBytesPerPartitionMax <= kafka.fetchBytesMax,
    'Kafka’s sizes must fit into each other: record, batch, request, all in flight; a partition’s read into a read',
    'Raise the larger of the two, or lower the smaller.',
  );
  demand(
    2 * kafka.appendMsMax <= kafka.stalledMsMax,
    'an append that fails must be told of before whoever waits for it counts as stuck',
    'Use an appendMsMax of at most half of stalledMsMax.',
  );
  demand(
    3 * kafka.heartbeatMs <= kafka.sessionTimeoutMs,
    'a member of a group must be able to miss two heartbeats without losing its partitions',
    'Use a heartbeatMs of at most a third of sessionTimeoutMs.',
  );
  return config;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}
