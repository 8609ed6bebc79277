/** Accuracy over any cut of `scores`, for GET /accuracy. */
import type { Granularity, Level, Measure } from '../../sales/series.ts';
import type { Store } from './client.ts';
import { seriesFilter } from './series-filter.ts';
import type { SeriesFilter } from './series-filter.ts';

export type AccuracyRequest = SeriesFilter & {
  /** Scored buckets with `fromMs` ≤ start < `beforeMs`. */
  readonly fromMs: number;
  readonly beforeMs: number;
};

/** Over all scored buckets and series of the cut; `e` = actual − mean. Null where the divisor is zero. */
export type Accuracy = {
  readonly granularity: Granularity;
  readonly measure: Measure;
  readonly level: Level;
  /** Buckets ahead. */
  readonly step: number;
  readonly n: number;
  /** mean |e| */
  readonly mae: number;
  /** √ mean e² */
  readonly rmse: number;
  /** Σ |e| / Σ |actual| */
  readonly wape: number | null;
  /** mean (mean − actual): above zero it forecasts too much. */
  readonly bias: number;
  /**
   * Σ |e| / Σ |actual − seasonal naive|, both at the same step and out of sample. (Hyndman and Koehler 2006 scale by
   * the naive error within the training data; a stream has no such split, so the naive forecasts' own scores are the
   * scale.)
   */
  readonly mase: number | null;
  /** 1 − mase: the part of the seasonal naive error that is done away with. */
  readonly skill: number | null;
  /** The share of actuals within the interval, ends included. */
  readonly coverage80: number;
  readonly coverage95: number;
  /** mean (upper80 − lower80) */
  readonly width80: number;
};

/** One row per granularity, measure, level and step, in this order. */
export function readAccuracy(store: Store, request: AccuracyRequest): Promise<Accuracy[]> {
  const filter = seriesFilter(request);
  return store.query<Accuracy>(
    `SELECT granularity, measure, level, step, count() AS n,
       avg(abs(actual - mean)) AS mae,
       sqrt(avg(pow(actual - mean, 2))) AS rmse,
       sum(abs(actual - mean)) / nullIf(sum(abs(actual)), 0) AS wape,
       avg(mean - actual) AS bias,
       sum(abs(actual - mean)) / nullIf(sum(abs(actual - seasonal_naive)), 0) AS mase,
       1 - mase AS skill,
       avg(actual BETWEEN lower80 AND upper80) AS coverage80,
       avg(actual BETWEEN lower95 AND upper95) AS coverage95,
       avg(upper80 - lower80) AS width80
     FROM scores FINAL
     WHERE ${filter.sql}
       AND bucket >= toDateTime({from_s:Int64}, 'UTC') AND bucket < toDateTime({before_s:Int64}, 'UTC')
     GROUP BY granularity, measure, level, step
     ORDER BY granularity, measure, level, step`,
    {
      ...filter.params,
      from_s: Math.max(0, Math.ceil(request.fromMs / 1_000)),
      before_s: Math.min(DATE_TIME_MAX_S, Math.max(0, Math.ceil(request.beforeMs / 1_000))),
    },
  );
}

const DATE_TIME_MAX_S = 2 ** 32 - 1;
