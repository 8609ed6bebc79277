import type { Layout } from '../stats/layout.ts';
import type { SeenRange } from '../stats/seen-range.ts';
import type { Slab } from '../stats/slab.ts';
import { normalQuantile } from '../stats/normal.ts';

/** Adaptive conformal intervals of a series: per horizon band a dispersion and one tracked z per probability. */
export type Conformal = {
  init(slab: Slab, at: number): void;
  /** Lets `band`, about to be scored for the first time, begin where `from` stands. */
  inherit(slab: Slab, at: number, band: number, from: number): void;
  /** Local standard error of a forecast `mean`, in the series' own units; 0 where nothing but zeros was seen. */
  scale(slab: Slab, at: number, band: number, mean: number): number;
  /** Writes the quantiles around `mean` to `out[from…from + P)`: rising, within the range of the series. */
  quantiles(
    slab: Slab,
    at: number,
    band: number,
    mean: number,
    scale: number,
    out: Float64Array,
    from: number,
  ): void;
  /** Writes the quantiles around each of `means[from…to)` to its row of `out`. */
  fan(
    slab: Slab,
    at: number,
    band: number,
    means: Float64Array,
    from: number,
    to: number,
    out: Float64Array,
  ): void;
  /** Learns from `y`, forecast as `mean` with `scale`; `n` forecasts of the band were scored before it. */
  learn(slab: Slab, at: number, band: number, n: number, mean: number, scale: number, y: number): void;
  /** Variance of the band's errors over the mean they were made at. */
  dispersion(slab: Slab, at: number, band: number): number;
};

/** Before anything was scored: standard error as a part of the mean, and room for the model's own uncertainty. */
const START_VARIATION = 0.5;
const START_WIDENING = 1.1;
/** Part of the overall magnitude that counts as mean everywhere, so that an hour without sales is not certain. */
const FLOOR_SHARE = 0.02;
/** Relative standard error that even a series without any error is given. */
const RELATIVE_MIN = 1e-4;
/** An error is never set against less than this part of itself. */
const ERROR_SHARE = 0.05;
const START_COUNT = 3;
const DISPERSION_GAIN_MIN = 0.01;
const TRACKER_GAIN = 3;
const TRACKER_DELAY = 20;
const TRACKER_GAIN_MIN = 0.02;
/** Buckets forecast below this part of the overall magnitude (closed hours) teach the quantiles nothing. */
const TRACKED_SHARE_MIN = 0.05;
/** A quantile further than this many scales below the floor says nothing about its probability. */
const FROZEN_BELOW = 0.25;
const Z_MAX = 12;

/**
 * Quantile q(p) = mean + z(p)·σ with σ² = d·(|mean| + 0.02·m) + (1e-4·m)², m the series' mean magnitude.
 *
 * d, the dispersion, is the moving mean of error² over the bracket (Pearson's statistic): the spread of a Poisson-
 * like series is known at every level from errors at any level, at one square root per step. Each z(p) is tracked on
 * its own: `z ← z + g·(p − 1[y ≤ q(p)])`, gradient descent on the pinball loss, which reaches frequency p whatever
 * the distribution. They begin as a normal's, g falls as 3/(n + 20) to 0.02, and after each step they are put
 * back in order, so quantiles never cross. A band that was not scored yet uses the nearest shorter one that was.
 *
 * Bounds: quantiles stay within the range seen (never below zero for a series that never was). A quantile lying
 * clearly below the floor is not tracked: where zeros are more frequent than p its value is simply the floor; nor
 * do buckets in which next to nothing was expected (closed hours) teach anything: they are always hit and would narrow
 * the intervals of the rest. So where zeros are frequent an interval covers more often than its name says.
 * Limits: one z per band for all hours; coverage adapts over some 1/g scored forecasts.
 * Source: Gibbs & Candès (2021), Adaptive conformal inference under distribution shift; Angelopoulos, Candès &
 * Tibshirani (2023), Conformal PID control (quantile tracking); McCullagh & Nelder (1989), §9.2 (dispersion).
 */
export function createConformal(
  layout: Layout,
  range: SeenRange,
  options: { readonly bands: number; readonly probabilities: readonly number[] },
): Conformal {
  const { bands } = options;
  const p = Float64Array.from(options.probabilities);
  const count = p.length;
  const start = Float32Array.from(p, (value) => START_WIDENING * normalQuantile(value));
  const spread = 2 * layout.takeSingles('dispersion', bands);
  const tracked = 2 * layout.takeSingles(`z(${options.probabilities.join()})`, bands * count);

  const dispersion = (slab: Slab, at: number, band: number): number => {
    const value = slab.f32[2 * at + spread + band]!;
    return value < 0 ? START_VARIATION * START_VARIATION * range.magnitude(slab, at) : value;
  };

  /** The band's z and the bounds of the series, unpacked: they hold for every step of a fan. */
  const z = new Float64Array(count);
  let lowest = 0;
  let highest = 0;

  function takeBounds(slab: Slab, at: number, band: number): void {
    const from = 2 * at + tracked + band * count;
    for (let i = 0; i < count; i++) z[i] = slab.f32[from + i]!;
    lowest = range.lowestQuantile(slab, at);
    highest = range.highestQuantile(slab, at);
  }

  function writeRow(mean: number, scale: number, out: Float64Array, from: number): void {
    for (let i = 0; i < count; i++) {
      const value = mean + scale * z[i]!;
      out[from + i] = value < lowest ? lowest : value > highest ? highest : value;
    }
  }

  return {
    init(slab, at) {
      slab.f32.fill(-1, 2 * at + spread, 2 * at + spread + bands);
      for (let band = 0; band < bands; band++) slab.f32.set(start, 2 * at + tracked + band * count);
    },
    inherit(slab, at, band, from) {
      const base = 2 * at;
      slab.f32[base + spread + band] = slab.f32[base + spread + from]!;
      slab.f32.copyWithin(
        base + tracked + band * count,
        base + tracked + from * count,
        base + tracked + (from + 1) * count,
      );
    },
    scale(slab, at, band, mean) {
      return localScale(mean, dispersion(slab, at, band), range.magnitude(slab, at));
    },
    quantiles(slab, at, band, mean, scale, out, from) {
      takeBounds(slab, at, band);
      writeRow(mean, scale, out, from);
    },
    fan(slab, at, band, means, from, to, out) {
      takeBounds(slab, at, band);
      const magnitude = range.magnitude(slab, at);
      const spread = dispersion(slab, at, band);
      for (let i = from; i < to; i++) {
        const mean = means[i]!;
        writeRow(mean, localScale(mean, spread, magnitude), out, i * count);
      }
    },
    learn(slab, at, band, n, mean, scale, y) {
      const { f32 } = slab;
      const error = y - mean;
      const base = bracket(mean, range.magnitude(slab, at)) + ERROR_SHARE * Math.abs(error);
      if (base > 0) {
        const before = dispersion(slab, at, band);
        const gain = Math.max(DISPERSION_GAIN_MIN, 1 / (n + START_COUNT));
        f32[2 * at + spread + band] = before + gain * ((error * error) / base - before);
      }
      if (scale <= 0 || Math.abs(mean) <= TRACKED_SHARE_MIN * range.magnitude(slab, at)) return;
      const z = 2 * at + tracked + band * count;
      const gain = Math.max(TRACKER_GAIN_MIN, TRACKER_GAIN / (n + TRACKER_DELAY));
      const frozen = range.lowestQuantile(slab, at) - FROZEN_BELOW * scale;
      for (let i = 0; i < count; i++) {
        const quantile = mean + scale * f32[z + i]!;
        if (quantile < frozen) continue;
        const moved = f32[z + i]! + gain * (p[i]! - (y <= quantile ? 1 : 0));
        f32[z + i] = Math.min(Z_MAX, Math.max(-Z_MAX, moved));
      }
      putInOrder(f32, z, count);
    },
    dispersion,
  };
}

/** What variance is proportional to. */
function bracket(mean: number, magnitude: number): number {
  return Math.abs(mean) + FLOOR_SHARE * magnitude;
}

function localScale(mean: number, dispersion: number, magnitude: number): number {
  const least = RELATIVE_MIN * magnitude;
  return Math.sqrt(dispersion * bracket(mean, magnitude) + least * least);
}

/** Insertion sort: the values are in order but for what one step has moved. */
function putInOrder(values: Float32Array, from: number, count: number): void {
  for (let i = from + 1; i < from + count; i++) {
    const value = values[i]!;
    let j = i - 1;
    while (j >= from && values[j]! > value) {
      values[j + 1] = values[j]!;
      j--;
    }
    values[j + 1] = value;
  }
}
