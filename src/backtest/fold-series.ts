/** A backtest is the fold over history: one pass through a series serves all its origins. */
import { createForecastBuffer } from '../models/engine.ts';
import type { ForecastBuffer } from '../models/engine.ts';
import type { Bucket, FoldSpec, PanelForecaster } from './forecaster.ts';
import { addForecast, createTally, scaleOf } from './metrics.ts';
import type { SeriesTally } from './metrics.ts';
import { originsOf } from './origins.ts';
import type { Panel, PanelSeries } from './panel.ts';
import type { BacktestPlan } from './plan.ts';
import { foldSpecOf, quantilePlaces } from './plan.ts';

/** Forecasts of all origins of a series, one after another: a row per step that has an actual. */
export type SeriesForecasts = {
  readonly mean: Float64Array;
  /** a row of all probabilities per step */
  readonly quantiles: Float64Array;
};

export type SeriesOutcome = {
  readonly tally: SeriesTally;
  /** buckets learned */
  readonly updates: number;
  /** null unless they were asked for */
  readonly forecasts: SeriesForecasts | null;
};

/** Folds the series numbered `from…to − 1`, each up to its last origin; in the order of the panel. */
export function foldSeries(
  panel: Panel,
  plan: BacktestPlan,
  forecaster: PanelForecaster,
  share: { readonly from: number; readonly to: number; readonly keepForecasts: boolean },
): readonly SeriesOutcome[] {
  const spec = foldSpecOf(plan, panel, share.to - share.from);
  const fold = forecaster.create(spec);
  const out = createForecastBuffer({ ...spec, granularity: spec.grain });
  const bucket = createBucket(spec);
  return panel.series.slice(share.from, share.to).map((series, number): SeriesOutcome => {
    const origins = originsOf(plan.origins, series, plan.horizon);
    const judge = createJudge(series, plan, origins, share.keepForecasts);
    let next = 0;
    const updates = origins.at(-1) ?? 0;
    for (let t = 0; t < updates; t++) {
      fillBucket(bucket, series, t, spec);
      fold.learn(number, bucket);
      if (origins[next] !== t + 1) continue;
      fold.forecast(number, bucket, out);
      judge.add(next, out);
      next += 1;
    }
    return { tally: judge.tally, updates, forecasts: judge.forecasts };
  });
}

type Judge = {
  readonly tally: SeriesTally;
  readonly forecasts: SeriesForecasts | null;
  add(origin: number, out: ForecastBuffer): void;
};

function createJudge(
  series: PanelSeries,
  plan: BacktestPlan,
  origins: readonly number[],
  keepForecasts: boolean,
): Judge {
  const places = quantilePlaces(plan.levels);
  const tally = createTally(plan.horizon, origins.length, plan.levels.length);
  const stepsAt = (cutoff: number): number => Math.min(plan.horizon, series.y.length - cutoff);
  const rows = origins.reduce((sum, cutoff) => sum + stepsAt(cutoff), 0);
  const forecasts = keepForecasts
    ? { mean: new Float64Array(rows), quantiles: new Float64Array(rows * places.count) }
    : null;
  let row = 0;
  const first = origins[0] ?? 0;
  const fixed = plan.origins.kind === 'prequential' ? scaleOf(series.y, first, plan.scaleSeason) : null;
  return {
    tally,
    forecasts,
    add(origin, { mean, quantiles }) {
      const cutoff = origins[origin]!;
      const steps = stepsAt(cutoff);
      const scale = fixed ?? scaleOf(series.y, cutoff, plan.scaleSeason);
      addForecast(tally, origin, { actual: series.y, from: cutoff, steps, mean, quantiles, scale }, places);
      forecasts?.mean.set(mean.subarray(0, steps), row);
      forecasts?.quantiles.set(quantiles.subarray(0, steps * places.count), row * places.count);
      row += steps;
    },
  };
}

function createBucket(spec: FoldSpec): Bucket {
  return {
    y: 0,
    calendar: { slot: 0, ahead: new Int32Array(spec.horizon) },
    known: new Float64Array((1 + spec.horizon) * spec.known.length),
    past: new Float64Array(spec.past.length),
  };
}

/** Slots ahead are those of the rows that follow, which may leave days out, and beyond the last row of every bucket. */
function fillBucket(bucket: Bucket, series: PanelSeries, t: number, spec: FoldSpec): void {
  const { season, horizon } = spec;
  const { index } = series;
  const n = index.length;
  const { calendar } = bucket;
  bucket.y = series.y[t]!;
  calendar.slot = slotOf(index[t]!, season);
  for (let h = 1; h <= horizon; h++) {
    const at = t + h < n ? index[t + h]! : index[n - 1]! + (t + h - n + 1);
    calendar.ahead[h - 1] = slotOf(at, season);
  }
  fillCovariates(bucket, series, t, spec);
}

function fillCovariates(bucket: Bucket, series: PanelSeries, t: number, spec: FoldSpec): void {
  const known = spec.known.length;
  const past = spec.past.length;
  const end = Math.min(series.known.length, (t + 1 + spec.horizon) * known);
  if (known > 0) {
    bucket.known.fill(Number.NaN);
    bucket.known.set(series.known.subarray(t * known, end));
  }
  if (past > 0) bucket.past.set(series.past.subarray(t * past, (t + 1) * past));
}

function slotOf(index: number, season: number): number {
  return ((index % season) + season) % season;
}
