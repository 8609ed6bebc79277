import type { CalendarWindow, ForecastBuffer, Grain } from '../models/engine.ts';

/** What a forecaster is built for. */
export type FoldSpec = {
  readonly grain: Grain;
  /** slots of the calendar cycle, made of whole short seasons: 168 and 24 */
  readonly season: number;
  readonly shortSeason: number;
  /** lag of the seasonal naive */
  readonly naiveSeason: number;
  /** buckets that the seasonal naive's interval is taken from; null: all */
  readonly naiveWindow: number | null;
  readonly horizon: number;
  /** rising; 0.1, 0.5 and 0.9 are among them */
  readonly probabilities: readonly number[];
  /** names of covariates known ahead, and of those known only with their bucket */
  readonly known: readonly string[];
  readonly past: readonly string[];
  /** a heavy forecaster fits anew at every so-manyth origin; between them it only takes up new buckets */
  readonly refitEvery: number;
  /** series that this fold holds, numbered from 0 */
  readonly series: number;
};

/** One bucket of one series: all that is known when it closes. The same object is filled again for the next one. */
export type Bucket = {
  y: number;
  /** slot of this bucket and of those ahead */
  readonly calendar: CalendarWindow & { slot: number };
  /**
   * covariates known ahead: a row for this bucket and one for each step of the horizon, (1 + horizon) rows in all;
   * NaN beyond the end of the data
   */
  readonly known: Float64Array;
  /** covariates of this bucket that were not known before */
  readonly past: Float64Array;
  /** the pooled expert's forecasts of the steps ahead, as far as they are recorded, otherwise NaN */
  readonly paths: Float64Array;
};

/** State of many series that are learned bucket by bucket, each in the order of time, as the live system does. */
export type PanelFold = {
  learn(series: number, bucket: Bucket): void;
  /**
   * Writes the forecast of the `horizon` buckets after the last one learned, which `bucket` still holds. Quantiles
   * are NaN where the forecaster has none.
   */
  forecast(series: number, bucket: Bucket, out: ForecastBuffer): void;
};

/**
 * Something that forecasts series of a panel. `create` is called once per share of the panel, so nothing may pass
 * from series to series: what is learned across them belongs into a stage of its own that runs over the whole panel
 * before, in time order, and whose forecasts the fold is then given with each bucket.
 */
export type PanelForecaster = {
  readonly name: string;
  /** online: learns every bucket at once; heavy: is fitted to the history at an origin */
  readonly kind: 'online' | 'heavy';
  /** whether it takes what the pooled stage records */
  readonly pooled: boolean;
  create(spec: FoldSpec): PanelFold;
};
