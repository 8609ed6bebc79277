import type { Layout } from '../stats/layout.ts';
import type { SeenRange } from '../stats/seen-range.ts';
import type { Slab } from '../stats/slab.ts';
import { normalDensity, normalQuantile } from '../stats/normal.ts';
import { createPositiveShift } from './positive-shift.ts';
import { createZeroMass } from './zero-mass.ts';

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
  /**
   * Learns from `y`, forecast as `mean` with `scale` and quantiles `quantiles[from…]`; `n` forecasts of the band were
   * scored before it.
   */
  learn(
    slab: Slab,
    at: number,
    band: number,
    n: number,
    mean: number,
    scale: number,
    quantiles: Float64Array,
    from: number,
    y: number,
  ): void;
  /** Variance of the band's errors over the mean they were made at. */
  dispersion(slab: Slab, at: number, band: number): number;
};

/** Before anything was scored: standard error as a part of the mean. */
const START_VARIATION = 0.5;
/** Part of the overall magnitude that counts as mean everywhere, so that an hour without sales is not certain. */
const FLOOR_SHARE = 0.02;
/** Relative standard error that even a series without any error is given. */
const RELATIVE_MIN = 1e-4;
/** Up to so many times that standard error there is nothing to learn quantiles from. */
const LEARNED_MIN = 2;
/** An error of more local scales than this counts in proportion to its size, no longer to its square (Huber). */
const ERROR_MAX = 2;
/** The n-th squared error enters with gain (3 + 1)/(n + 3 + 1): what lies k times as far back counts k³ times less. */
const DECAY_POWER = 3;
const SPREAD_GAIN_MIN = 0.01;
/** What a band took over from a shorter one counts as so many of its own. */
const INHERITED = 5;
/** The normal's quantiles weigh as much as this many scored forecasts at first… */
const TRACKER_PRIOR = 30;
/** …and what z stands on never exceeds about this many. */
const TRACKER_WINDOW = 300;
const Z_MAX = 12;
/** A mass at zero below it moves no quantile that anyone asks for. */
const MASS_MIN = 1e-3;
/** Of the sales that do come, the least standard error, as a part of their mean. */
const POSITIVE_VARIATION_MIN = 0.1;

const SQUARES = 0;
const MEANS = 1;
const FIELDS = 2;

/**
 * Quantile q(p) = mean + z(p)·σ with σ² = d·(|mean| + 0.02·m) + (1e-4·m)², m the series' mean magnitude.
 *
 * d, the dispersion, is the moving mean of error² over that of the bracket (Pearson's statistic): the spread of a
 * Poisson-like series is known at every level from errors at any level, at one square root per step. Errors beyond 2σ
 * count in proportion and not squared, so that a Christmas does not widen the rest of the year. Both means are of
 * polynomial decay, so that what a series did before its first season was known is soon forgotten. Each z(p) is tracked
 * on its own: `z ← z + g·(p − 1[y ≤ q(p)])`, gradient descent on the pinball loss, which reaches frequency p whatever the
 * distribution. They begin as a normal's; g = 1/(φ(z)·min(n + 30, 300)) is the rate at which a quantile of a normal is
 * found soonest. After each step they are put back in order, so quantiles never cross. A band that was not
 * scored yet uses the nearest shorter one that was.
 *
 * Zeros: with P₀ the mass at zero that this mean makes likely (see zero-mass.ts), q(p) = 0 for p ≤ P₀, and the rest is
 * what it is of the sales that do come: their mean μ⁺ = mean/(1 − P₀), their variance σ⁺² from those of the whole, and
 * their probability p⁺ = (p − P₀)/(1 − P₀),
 *
 *     q(p) = μ⁺ + σ⁺·(z(p) + Φ⁻¹(p⁺) − Φ⁻¹(p))        P₀ → 0: as above
 *
 * so that a slack hour has short and skewed intervals and a busy one long and even ones, from one set of z. A z learns
 * only where p > P₀.
 *
 * Coverage among zeros: a closed interval whose lower end is zero holds every empty bucket. Where P₀ is above its lower
 * tail it therefore covers 1 − its upper tail at least (90 % for one called 80 %), and all where P₀ > 0.9 and it is a
 * single point, whatever is done; there its name cannot be met, and its upper end is what can be judged: q(0.9) is
 * exceeded by a tenth of the buckets wherever P₀ < 0.9.
 *
 * Bounds: quantiles stay within the range seen (never below zero for a series that never was). Limits: one z per band
 * for all hours; a series that was ever below zero has no mass at zero; coverage adapts over some 300 scored forecasts.
 * Source: Gibbs & Candès (2021), Adaptive conformal inference under distribution shift; Angelopoulos, Candès &
 * Tibshirani (2023), Conformal PID control (quantile tracking); McCullagh & Nelder (1989), §9.2 (dispersion); Shamir &
 * Zhang (2013), Stochastic gradient descent for non-smooth optimization (polynomial decay averaging).
 */
export function createConformal(
  layout: Layout,
  range: SeenRange,
  options: { readonly bands: number; readonly probabilities: readonly number[] },
): Conformal {
  const { bands } = options;
  const p = Float64Array.from(options.probabilities);
  const count = p.length;
  const start = Float32Array.from(p, normalQuantile);
  const perDensity = Float64Array.from(p, (value) => 1 / normalDensity(normalQuantile(value)));
  const shift = createPositiveShift(p);
  const zeros = createZeroMass(layout);
  const spread = 2 * layout.takeSingles('spread', bands * FIELDS);
  const tracked = 2 * layout.takeSingles(`z(${options.probabilities.join()})`, bands * count);

  const dispersion = (slab: Slab, at: number, band: number): number => {
    const i = 2 * at + spread + band * FIELDS;
    const squares = slab.f32[i + SQUARES]!;
    const magnitude = range.magnitude(slab, at);
    if (squares < 0) return START_VARIATION * START_VARIATION * magnitude;
    const base = bracket(slab.f32[i + MEANS]!, magnitude);
    return base > 0 ? squares / base : 0;
  };

  /** What holds for every step of a fan, unpacked: the band's z, the bounds of the series, what is known of zeros. */
  const z = new Float64Array(count);
  let lowest = 0;
  let highest = 0;
  let arrivalRate = 0;
  let floorVariance = 0;

  function unpack(slab: Slab, at: number, band: number): void {
    const from = 2 * at + tracked + band * count;
    for (let i = 0; i < count; i++) z[i] = slab.f32[from + i]!;
    lowest = range.lowestQuantile(slab, at);
    highest = range.highestQuantile(slab, at);
    arrivalRate = lowest < 0 ? 0 : zeros.rate(slab, at);
    floorVariance = dispersion(slab, at, band) * FLOOR_SHARE * range.magnitude(slab, at);
  }

  /** Mass at zero of a bucket forecast as `mean`, of the series that is unpacked. */
  function massAt(mean: number): number {
    return arrivalRate === 0 ? 0 : Math.exp(-arrivalRate * Math.max(0, mean));
  }

  function writeRow(mean: number, scale: number, out: Float64Array, from: number): void {
    const mass = massAt(mean);
    if (mass >= MASS_MIN) {
      writeRowAboveZeros(mean, scale, mass, out, from);
      return;
    }
    for (let i = 0; i < count; i++) {
      const value = mean + scale * z[i]!;
      out[from + i] = value < lowest ? lowest : value > highest ? highest : value;
    }
  }

  function writeRowAboveZeros(
    mean: number,
    scale: number,
    mass: number,
    out: Float64Array,
    from: number,
  ): void {
    const above = 1 - mass;
    const centre = mean / above;
    const least = POSITIVE_VARIATION_MIN * centre;
    const square = Math.max(0, scale * scale - mass * floorVariance) + mean * mean;
    const width = Math.sqrt(Math.max(least * least, square / above - centre * centre));
    let previous = 0;
    for (let i = 0; i < count; i++) {
      if (p[i]! > mass) {
        const value = centre + width * (z[i]! + shift(i, mass));
        if (value > previous) previous = value < highest ? value : highest;
      }
      out[from + i] = previous;
    }
  }

  function learnSpread(
    slab: Slab,
    at: number,
    band: number,
    n: number,
    mean: number,
    scale: number,
    y: number,
  ): void {
    const { f32 } = slab;
    const i = 2 * at + spread + band * FIELDS;
    const size = Math.abs(mean);
    if (f32[i + SQUARES]! < 0) {
      f32[i + SQUARES] = scale * scale;
      f32[i + MEANS] = size;
    }
    const error = Math.abs(y - mean);
    const most = ERROR_MAX * scale;
    const square = scale > 0 && error > most ? most * error : error * error;
    const known = n + (band > 0 ? INHERITED : 0);
    const gain = Math.max(SPREAD_GAIN_MIN, (DECAY_POWER + 1) / (known + DECAY_POWER + 2));
    f32[i + SQUARES]! += gain * (square - f32[i + SQUARES]!);
    f32[i + MEANS]! += gain * (size - f32[i + MEANS]!);
  }

  return {
    init(slab, at) {
      const base = 2 * at;
      zeros.init(slab, at);
      for (let band = 0; band < bands; band++) {
        slab.f32[base + spread + band * FIELDS + SQUARES] = -1;
        slab.f32[base + spread + band * FIELDS + MEANS] = 0;
        slab.f32.set(start, base + tracked + band * count);
      }
    },
    inherit(slab, at, band, from) {
      copyRow(slab.f32, 2 * at + spread, FIELDS, band, from);
      copyRow(slab.f32, 2 * at + tracked, count, band, from);
    },
    scale(slab, at, band, mean) {
      return localScale(mean, dispersion(slab, at, band), range.magnitude(slab, at));
    },
    quantiles(slab, at, band, mean, scale, out, from) {
      unpack(slab, at, band);
      writeRow(mean, scale, out, from);
    },
    fan(slab, at, band, means, from, to, out) {
      unpack(slab, at, band);
      const magnitude = range.magnitude(slab, at);
      const spread = dispersion(slab, at, band);
      for (let i = from; i < to; i++) {
        const mean = means[i]!;
        writeRow(mean, localScale(mean, spread, magnitude), out, i * count);
      }
    },
    learn(slab, at, band, n, mean, scale, quantiles, from, y) {
      const { f32 } = slab;
      unpack(slab, at, band);
      const mass = massAt(mean);
      learnSpread(slab, at, band, n, mean, scale, y);
      if (band === 0 && lowest >= 0) zeros.learn(slab, at, n, mean, y === 0);
      if (scale <= LEARNED_MIN * RELATIVE_MIN * range.magnitude(slab, at)) return;
      const tracker = 2 * at + tracked + band * count;
      const base = 1 / Math.min(n + TRACKER_PRIOR, TRACKER_WINDOW);
      for (let i = 0; i < count; i++) {
        const quantile = quantiles[from + i]!;
        const hit = y <= quantile;
        if (p[i]! <= mass || (hit && quantile <= lowest)) continue;
        const moved = f32[tracker + i]! + base * perDensity[i]! * (hit ? p[i]! - 1 : p[i]!);
        f32[tracker + i] = Math.min(Z_MAX, Math.max(-Z_MAX, moved));
      }
      putInOrder(f32, tracker, count);
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

function copyRow(f32: Float32Array, base: number, width: number, to: number, from: number): void {
  f32.copyWithin(base + to * width, base + from * width, base + (from + 1) * width);
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
