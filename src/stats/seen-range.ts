import type { Layout } from './layout.ts';
import type { Slab } from './slab.ts';

/** Beyond this many local standard errors… */
const WILD_ERRORS = 8;
/** …and this many times everything seen so far, a bucket is wild. */
const WILD_RANGE = 4;
/** Forecasts and quantiles stay within these multiples of the range seen. */
const FORECAST_RANGE = 2;
const QUANTILE_RANGE = 4;

/**
 * What a series has shown so far: highest and lowest value, and its exponentially weighted mean magnitude. It
 * keeps one wild bucket out of every model's state and every forecast within sight of the past.
 *
 * A bucket beyond both `WILD_ERRORS` standard errors of its forecast and `WILD_RANGE` times all seen before is
 * learned as that bound; if the new height is real, the bound quadruples with every such bucket, so a shift by a
 * factor of a million is believed after ten. Limits: the first non-zero bucket is believed whatever it is.
 *
 * Lower bound: a series that never went below zero has forecasts and quantiles of at least zero; one that did
 * (returns) may go as far below as the multiple of its lowest value.
 */
export type SeenRange = {
  init(slab: Slab, at: number): void;
  /** The value to learn: `y`, or the bound that it lies beyond. */
  tame(slab: Slab, at: number, y: number, mean: number, scale: number): number;
  update(slab: Slab, at: number, y: number, gain: number): void;
  magnitude(slab: Slab, at: number): number;
  lowestForecast(slab: Slab, at: number): number;
  highestForecast(slab: Slab, at: number): number;
  lowestQuantile(slab: Slab, at: number): number;
  highestQuantile(slab: Slab, at: number): number;
};

export function createSeenRange(layout: Layout): SeenRange {
  const high = layout.take('seen-high', 1);
  const low = layout.take('seen-low', 1);
  const size = layout.take('magnitude', 1);
  return {
    init(slab, at) {
      slab.f64[at + high] = 0;
      slab.f64[at + low] = 0;
      slab.f64[at + size] = 0;
    },
    tame(slab, at, y, mean, scale) {
      const seen = Math.max(slab.f64[at + high]!, -slab.f64[at + low]!);
      if (seen === 0) return y;
      const reach = WILD_RANGE * seen;
      const upper = Math.max(reach, mean + WILD_ERRORS * scale);
      const lower = Math.min(-reach, mean - WILD_ERRORS * scale);
      return Math.min(upper, Math.max(lower, y));
    },
    update(slab, at, y, gain) {
      const { f64 } = slab;
      if (y > f64[at + high]!) f64[at + high] = y;
      if (y < f64[at + low]!) f64[at + low] = y;
      f64[at + size]! += gain * (Math.abs(y) - f64[at + size]!);
    },
    magnitude: (slab, at) => slab.f64[at + size]!,
    lowestForecast: (slab, at) => FORECAST_RANGE * slab.f64[at + low]!,
    highestForecast: (slab, at) => FORECAST_RANGE * slab.f64[at + high]!,
    lowestQuantile: (slab, at) => QUANTILE_RANGE * slab.f64[at + low]!,
    highestQuantile: (slab, at) => QUANTILE_RANGE * slab.f64[at + high]!,
  };
}
