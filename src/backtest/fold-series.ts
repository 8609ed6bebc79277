/** A backtest is the fold over history: one pass through a series serves all its origins. */
import { createForecastBuffer } from '../models/engine.ts';
import type { ForecastBuffer } from '../models/engine.ts';
import { createBucket, fillBucket } from './bucket.ts';
import type { PanelForecaster } from './forecaster.ts';
import { addForecast, createTally, scaleOf } from './metrics.ts';
import type { SeriesTally } from './metrics.ts';
import { originsOf } from './origins.ts';
import type { Panel, PanelSeries } from './panel.ts';
import type { BacktestPlan } from './plan.ts';
import { foldSpecOf, quantilePlaces } from './plan.ts';
import { createPathReader } from './pooled-stage.ts';
import type { PooledPaths } from './pooled-stage.ts';

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

export type FoldShare = {
  readonly from: number;
  readonly to: number;
  readonly keepForecasts: boolean;
  /** what the pooled stage has recorded; without it the pooled expert is silent */
  readonly paths?: PooledPaths | null;
};

/** Folds the series numbered `from…to − 1`, each up to its last origin; in the order of the panel. */
export function foldSeries(
  panel: Panel,
  plan: BacktestPlan,
  forecaster: PanelForecaster,
  share: FoldShare,
): readonly SeriesOutcome[] {
  const spec = foldSpecOf(plan, panel, share.to - share.from);
  const fold = forecaster.create(spec);
  const out = createForecastBuffer({ ...spec, granularity: spec.grain });
  const bucket = createBucket(spec);
  const readPaths = share.paths ? createPathReader(panel, plan, share.paths) : null;
  return panel.series.slice(share.from, share.to).map((series, number): SeriesOutcome => {
    const origins = originsOf(plan.origins, series, plan.horizon);
    const judge = createJudge(series, plan, origins, share.keepForecasts);
    let next = 0;
    const updates = origins.at(-1) ?? 0;
    for (let t = 0; t < updates; t++) {
      fillBucket(bucket, series, t, spec);
      readPaths?.(share.from + number, t, origins[next] === t + 1 ? next : null, bucket.paths);
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
