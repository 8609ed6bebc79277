/**
 * The messages of every topic as they are on the wire (schemas/topics/*.avsc, snake_case as there).
 *
 * Times are UTC milliseconds, `bucket_ms` the start of a bucket as in ARCHITECTURE.md. Figures of forecasts are in
 * units of the measure: pieces for units, major units of the currency for revenue.
 */
import type { Granularity, Level, Measure } from '../sales/series.ts';
import type { TransactionMessage } from '../sales/transaction-message.ts';

/** How a granularity is spelt in bucket messages. */
export const GRANULARITY_SYMBOLS = { hour: 'HOUR', day: 'DAY' } as const satisfies Record<
  Granularity,
  string
>;
export type GranularitySymbol = (typeof GRANULARITY_SYMBOLS)[Granularity];

export function granularityOfSymbol(symbol: GranularitySymbol): Granularity {
  return symbol === 'HOUR' ? 'hour' : 'day';
}

/** Running total of one leaf in one open bucket; it replaces what was said before. */
export type OpenTotal = {
  readonly granularity: GranularitySymbol;
  readonly bucket_ms: number;
  readonly store_id: string;
  readonly category: string;
  readonly sku: string;
  readonly units_thousandths: number;
  readonly revenue_minor: number;
};

/** A closed bucket of one store whose totals in `sales` changed. */
export type AmendedBucket = {
  readonly granularity: GranularitySymbol;
  readonly bucket_ms: number;
  readonly store_id: string;
};

export type BucketMessage = {
  readonly source_topic: string;
  readonly source_partition: number;
  /** Buckets that end at or before it are complete for the partition. Null: not known yet. */
  readonly watermark_ms: number | null;
  /** HISTORY: an import, which declares everything up to the watermark complete. */
  readonly kind: 'LIVE' | 'HISTORY';
  readonly open: readonly OpenTotal[];
  readonly amended: readonly AmendedBucket[];
  /** When the newest transaction of the batch was written to its topic. */
  readonly last_event_ms: number | null;
};

export type ForecastPoint = {
  readonly bucket_ms: number;
  /** Buckets after the origin, from 1; 0: the open bucket. */
  readonly step: number;
  readonly mean: number;
  /** At the message's probabilities, never decreasing. */
  readonly quantiles: readonly number[];
};

export type BandScore = {
  readonly band: string;
  readonly step: number;
  readonly n: number;
  readonly mase: number | null;
  readonly wape: number | null;
  readonly bias: number | null;
  readonly coverage80: number | null;
  readonly coverage95: number | null;
  readonly skill: number | null;
};

type SeriesFields = {
  readonly series: string;
  readonly granularity: Granularity;
  readonly measure: Measure;
  readonly level: Level;
  readonly store: string | null;
  readonly category: string | null;
  readonly product: string | null;
};

export type ForecastMessage = SeriesFields & {
  readonly origin_ms: number;
  readonly issued_at_ms: number;
  readonly watermark_ms: number | null;
  /** When the newest transaction it rests on was written to its topic. */
  readonly event_ms: number | null;
  readonly model_version: string;
  readonly kind: 'ISSUE' | 'NOWCAST' | 'AMENDMENT';
  readonly probabilities: readonly number[];
  readonly points: readonly ForecastPoint[];
  /** Of a nowcast: `sold + remaining` is the mean of its one point. */
  readonly sold: number | null;
  readonly remaining: number | null;
  readonly experts: readonly { readonly name: string; readonly weight: number }[];
  readonly scores: readonly BandScore[];
  readonly reconciled: boolean;
  readonly override: string | null;
};

type ExpertMessage = SeriesFields & {
  readonly expert: string;
  readonly origin_ms: number;
  readonly model_version: string;
  readonly probabilities: readonly number[];
  readonly points: readonly ForecastPoint[];
  readonly recorded_at_ms: number;
};

export type AlertMessage = { readonly [K in keyof SeriesFields]: SeriesFields[K] | null } & {
  readonly alert_id: string;
  readonly kind: string;
  readonly severity: 'INFO' | 'WARNING' | 'CRITICAL';
  readonly message: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly since_ms: number;
  readonly resolved_ms: number | null;
  /** Σ|error| / Σ|actual| of forecasts before it began and since, where that is what it is about. */
  readonly error_before: number | null;
  readonly error_after: number | null;
};

export type MessageOfTopic = {
  readonly 'retail.pos.transaction.v1': TransactionMessage;
  readonly 'retail.sales.bucket.v1': BucketMessage;
  readonly 'retail.sales.forecast.v1': ForecastMessage;
  readonly 'retail.sales.expert.v1': ExpertMessage;
  readonly 'retail.sales.alert.v1': AlertMessage;
};

export type Topic = keyof MessageOfTopic;
