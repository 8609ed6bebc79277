/**
 * Forecasts and nowcasts as clients see them, on the feed and over HTTP alike: JSON with ISO times (UTC, to the
 * second), figures in units of the measure (pieces; major units of the currency) to four decimals.
 */
import type { BandScore, ForecastMessage } from '../../pipeline/messages.ts';
import type { Granularity, Level, Measure } from '../../sales/series.ts';

export type SeriesView = {
  readonly series: string;
  readonly granularity: Granularity;
  readonly measure: Measure;
  readonly level: Level;
  readonly store?: string;
  readonly category?: string;
  readonly product?: string;
};

/** The n-th bucket's mean and quantiles (at `probabilities`) stand at the n-th place. */
export type ForecastView = SeriesView & {
  readonly kind: 'issue' | 'amendment';
  readonly origin: string;
  readonly issued_at: string;
  readonly watermark: string | null;
  readonly model_version: string;
  readonly reconciled: boolean;
  readonly probabilities: readonly number[];
  readonly buckets: readonly string[];
  readonly mean: readonly number[];
  readonly quantiles: readonly (readonly number[])[];
  readonly scores: readonly BandScore[];
  readonly experts: readonly { readonly name: string; readonly weight: number }[];
};

/** Of the open bucket: `sold` so far, `mean` expected by its end, and the quantiles of the latter. */
export type NowcastView = SeriesView & {
  readonly bucket: string;
  readonly as_of: string;
  readonly watermark: string | null;
  readonly sold: number;
  readonly mean: number;
  readonly probabilities: readonly number[];
  readonly quantiles: readonly number[];
};

/** How the forecasts of a series have done, with the bucket that has just closed. */
export type ScoreView = SeriesView & { readonly bucket: string; readonly scores: readonly BandScore[] };

export function seriesView(
  message: Pick<
    ForecastMessage,
    'series' | 'granularity' | 'measure' | 'level' | 'store' | 'category' | 'product'
  >,
): SeriesView {
  const { series, granularity, measure, level, store, category, product } = message;
  return {
    series,
    granularity,
    measure,
    level,
    ...(store === null ? {} : { store }),
    ...(category === null ? {} : { category }),
    ...(product === null ? {} : { product }),
  };
}

export function scoreView(message: ForecastMessage): ScoreView {
  return { ...seriesView(message), bucket: isoSeconds(message.origin_ms), scores: message.scores };
}

export function forecastView(message: ForecastMessage): ForecastView {
  return {
    ...seriesView(message),
    kind: message.kind === 'AMENDMENT' ? 'amendment' : 'issue',
    origin: isoSeconds(message.origin_ms),
    issued_at: new Date(message.issued_at_ms).toISOString(),
    watermark: message.watermark_ms === null ? null : isoSeconds(message.watermark_ms),
    model_version: message.model_version,
    reconciled: message.reconciled,
    probabilities: message.probabilities,
    buckets: message.points.map((point) => isoSeconds(point.bucket_ms)),
    mean: message.points.map((point) => fourDecimals(point.mean)),
    quantiles: message.points.map((point) => point.quantiles.map(fourDecimals)),
    scores: message.scores,
    experts: message.experts,
  };
}

/** Null for a nowcast without a point or a total, which says nothing. */
export function nowcastView(message: ForecastMessage): NowcastView | null {
  const point = message.points[0];
  if (point === undefined || message.sold === null) return null;
  return {
    ...seriesView(message),
    bucket: isoSeconds(point.bucket_ms),
    as_of: new Date(message.issued_at_ms).toISOString(),
    watermark: message.watermark_ms === null ? null : isoSeconds(message.watermark_ms),
    sold: fourDecimals(message.sold),
    mean: fourDecimals(point.mean),
    probabilities: message.probabilities,
    quantiles: point.quantiles.map(fourDecimals),
  };
}

/** `2017-09-01T13:00:00Z` */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function fourDecimals(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
