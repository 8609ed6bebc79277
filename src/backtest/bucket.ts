/** Buckets of a panel as forecasters meet them: everything that is known when one closes. */
import type { Bucket, FoldSpec } from './forecaster.ts';
import type { PanelSeries } from './panel.ts';

/** Room for one bucket; no recorded paths in it. */
export function createBucket(spec: FoldSpec): Bucket {
  return {
    y: 0,
    calendar: { slot: 0, ahead: new Int32Array(spec.horizon) },
    known: new Float64Array((1 + spec.horizon) * spec.known.length),
    past: new Float64Array(spec.past.length),
    paths: new Float64Array(spec.horizon).fill(Number.NaN),
  };
}

/**
 * Bucket number `t` of a series, but for recorded paths. Slots ahead are those of the rows that follow, which may leave days out, and beyond the last row of every
 * bucket.
 */
export function fillBucket(bucket: Bucket, series: PanelSeries, t: number, spec: FoldSpec): void {
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
