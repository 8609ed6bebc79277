/**
 * The stage before the folds: the pooled expert goes through the whole panel bucket by bucket, all series side by
 * side, so that at any moment it knows what any series has sold by then and nothing later. What it forecasts is
 * recorded, and is an input of each series' fold.
 */
import { bandsOf } from '../models/bands.ts';
import { createPooled } from '../models/pooled/pooled.ts';
import { createBucket, fillBucket } from './bucket.ts';
import { originsOf } from './origins.ts';
import type { Panel } from './panel.ts';
import { foldSpecOf } from './plan.ts';
import type { BacktestPlan } from './plan.ts';

/** In shared memory, series after series. */
export type PooledPaths = {
  /** per bucket the steps that the engine scores, see stepsScored */
  readonly atBuckets: Float64Array;
  /** per origin the whole horizon */
  readonly atOrigins: Float64Array;
};

/** Runs the pooled expert over the panel. */
export function runPooledStage(panel: Panel, plan: BacktestPlan): PooledPaths {
  const spec = foldSpecOf(plan, panel, panel.series.length);
  const { grain, horizon, known, past } = spec;
  const pooled = createPooled({ ...spec, granularity: grain, known: known.length, past: past.length });
  const places = placesOf(panel, plan);
  const scored = stepsScored(spec.grain, horizon);
  const all = Int32Array.from({ length: horizon }, (_, i) => i + 1);
  const atBuckets = sharedDoubles(places.buckets.at(-1)! * scored.length);
  const atOrigins = sharedDoubles(places.origins.at(-1)! * horizon);
  const origins = panel.series.map((series) => originsOf(plan.origins, series, horizon));
  const nextOrigin = new Int32Array(panel.series.length);
  const bucket = createBucket(spec);
  for (const moment of moments(panel)) {
    for (const [series, t] of moment) {
      fillBucket(bucket, panel.series[series]!, t, spec);
      pooled.learn(series, bucket);
    }
    pooled.close();
    for (const [series, t] of moment) {
      fillBucket(bucket, panel.series[series]!, t, spec);
      const at = (places.buckets[series]! + t) * scored.length;
      pooled.forecast(series, bucket, scored, atBuckets, at);
      const next = nextOrigin[series]!;
      if (origins[series]![next] !== t + 1) continue;
      pooled.forecast(series, bucket, all, atOrigins, (places.origins[series]! + next) * horizon);
      nextOrigin[series] = next + 1;
    }
  }
  return { atBuckets, atOrigins };
}

/**
 * Writes what is recorded for bucket `t` of a series to `out[step − 1]`: the whole horizon at an origin (`origin`:
 * which of the series' own), otherwise the steps that are scored; the rest NaN.
 */
export type PathReader = (series: number, t: number, origin: number | null, out: Float64Array) => void;

export function createPathReader(panel: Panel, plan: BacktestPlan, paths: PooledPaths): PathReader {
  const { grain, horizon } = foldSpecOf(plan, panel, 1);
  const places = placesOf(panel, plan);
  const scored = stepsScored(grain, horizon);
  return (series, t, origin, out) => {
    if (origin !== null) {
      const at = (places.origins[series]! + origin) * horizon;
      out.set(paths.atOrigins.subarray(at, at + horizon));
      return;
    }
    out.fill(Number.NaN);
    const at = (places.buckets[series]! + t) * scored.length;
    for (let i = 0; i < scored.length; i++) out[scored[i]! - 1] = paths.atBuckets[at + i]!;
  };
}

function stepsScored(...[grain, horizon]: Parameters<typeof bandsOf>): Int32Array {
  return Int32Array.from(new Set(bandsOf(grain, horizon).map(({ scoredStep }) => scoredStep)));
}

/** How many buckets and origins lie before each series', and in all. */
function placesOf(panel: Panel, plan: BacktestPlan): { buckets: number[]; origins: number[] } {
  const buckets = [0];
  const origins = [0];
  for (const [i, series] of panel.series.entries()) {
    buckets.push(buckets[i]! + series.y.length);
    origins.push(origins[i]! + originsOf(plan.origins, series, plan.horizon).length);
  }
  return { buckets, origins };
}

/** Moment after moment, the series that have a bucket there, and which of its buckets it is. */
function* moments({ series }: Panel): Generator<readonly (readonly [series: number, t: number])[], void> {
  const next = new Int32Array(series.length);
  for (;;) {
    let moment = Infinity;
    for (const [i, { index }] of series.entries()) moment = Math.min(moment, index[next[i]!] ?? Infinity);
    if (moment === Infinity) return;
    const here: [number, number][] = [];
    for (const [i, { index }] of series.entries()) {
      const t = next[i]!;
      if (index[t] !== moment) continue;
      here.push([i, t]);
      next[i] = t + 1;
    }
    yield here;
  }
}

function sharedDoubles(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * length));
}
