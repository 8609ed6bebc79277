/**
 * Every setting and every limit in one place. A queue, buffer, cache, retry or window without a maximum here does not
 * exist; what a maximum makes us drop is counted.
 */
import { ForetillError } from './errors.ts';
import type { Granularity, Level } from './sales/series.ts';

export type GranularityConfig = {
  readonly levels: readonly Level[];
  /** How many buckets ahead are forecast. */
  readonly horizon: number;
};

export type Config = {
  /** ISO 4217; transactions in another currency are refused. */
  readonly currency: string;
  /** The zone and business day of the chain's own series (levels without a store) and of stores not in `stores`. */
  readonly timeZone: string;
  readonly businessDayStartMinutes: number;
  readonly granularities: Readonly<Record<Granularity, GranularityConfig>>;
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
  /** Tickets of open buckets remembered for exact running totals; beyond it the nowcast's hints get coarser. */
  readonly openTicketsMax: number;
  readonly checkpointEveryMs: number;
  /** How long records stay in the topics that are not compacted. */
  readonly retention: {
    readonly transactionsMs: number;
    readonly bucketsMs: number;
    readonly alertsMs: number;
    readonly deadLettersMs: number;
  };
  /** Open buckets' nowcasts are published at most this often… */
  readonly nowcastEveryMs: number;
  /** …and at most this many series at a time, wider levels first. */
  readonly nowcastSeriesMax: number;
  readonly seriesMax: number;
  readonly feed: {
    readonly clientsMax: number;
    readonly subscriptionsPerClientMax: number;
    readonly bufferedBytesMax: number;
    readonly resumeMessagesMax: number;
    readonly pingEveryMs: number;
  };
  readonly http: {
    readonly bodyBytesMax: number;
    readonly transactionsPerRequestMax: number;
    readonly recentEventIdsMax: number;
  };
};

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export const DEFAULT_CONFIG: Config = {
  currency: 'USD',
  timeZone: 'UTC',
  businessDayStartMinutes: 0,
  granularities: {
    hour: { levels: ['total', 'store', 'category', 'store-category'], horizon: 48 },
    day: { levels: ['total', 'store', 'category', 'store-category', 'product'], horizon: 28 },
  },
  productsMax: 200,
  transactionPartitions: 4,
  shards: 1,
  allowedLatenessMs: 2 * MINUTE_MS,
  futureSkewMsMax: 5 * MINUTE_MS,
  earliestTimeMs: Date.UTC(2000, 0, 1),
  idleAfterMs: MINUTE_MS,
  businessDateSkewDaysMax: 2,
  ingestBatchRecordsMax: 5_000,
  openTicketsMax: 500_000,
  checkpointEveryMs: MINUTE_MS,
  retention: {
    transactionsMs: 7 * DAY_MS,
    bucketsMs: 7 * DAY_MS,
    alertsMs: 30 * DAY_MS,
    deadLettersMs: 90 * DAY_MS,
  },
  nowcastEveryMs: 100,
  nowcastSeriesMax: 400,
  seriesMax: 1_000_000,
  feed: {
    clientsMax: 2_000,
    subscriptionsPerClientMax: 32,
    bufferedBytesMax: 1_048_576,
    resumeMessagesMax: 10_000,
    pingEveryMs: 30_000,
  },
  http: {
    bodyBytesMax: 8 * 1_048_576,
    transactionsPerRequestMax: 5_000,
    recentEventIdsMax: 100_000,
  },
};

/** Returns `overrides` laid over the defaults, after checking how the limits relate; throws CONFIG_INVALID. */
export function resolveConfig(overrides: Partial<Config> = {}): Config {
  const config: Config = { ...DEFAULT_CONFIG, ...overrides };
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
  demand(
    config.transactionPartitions >= 1 && config.shards >= 1,
    'there must be at least one partition and one shard',
    'Use 1 or more.',
  );
  demand(
    config.feed.resumeMessagesMax >= 1 && config.feed.bufferedBytesMax >= 65_536,
    'the feed needs room for at least one message',
    'Use at least 64 KiB of buffer.',
  );
  return config;
}

function demand(condition: boolean, message: string, remedy: string): void {
  if (!condition) throw new ForetillError('CONFIG_INVALID', `Configuration: ${message}.`, { remedy });
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}
