import { gammaQuantile } from '../stats/gamma.ts';

export type NowcastInput = {
  /** total of the open bucket so far */
  readonly sold: number;
  /** forecast of the bucket's total */
  readonly expected: number;
  /** 0…1 of the bucket's expected sales that lie behind */
  readonly elapsedShare: number;
  /** variance over mean of the forecast's errors, in the unit of `sold` */
  readonly dispersion: number;
  /** rising */
  readonly probabilities: readonly number[];
};

/** Part of the dispersion that is chance from sale to sale; the rest is doubt about the bucket's own rate. */
const CHANCE_SHARE = 0.5;

/**
 * How the open bucket will end: `total = sold + remaining`, exactly. Writes the quantiles of the total to
 * `quantilesOut` (one per probability, rising, none below `sold`) and returns the means.
 *
 * Gamma-Poisson: sales come in lots of size u at a rate λ·expected, λ ~ Gamma(a, a) with mean 1. The forecast's
 * variance d·E is u·E of chance and E²/a of doubt about λ; with u = d/2 the prior weighs as much as one whole bucket
 * of sales. After the share s has sold S, the posterior gives
 *
 *     remaining = (1 − s)·(E + S)/(1 + s)        variance = u·R + R²/(a + S/u),  a = E/u
 *
 * and quantiles from the gamma distribution of that mean and variance. On pace (S = s·E) the remainder is (1 − s)·E,
 * and everything shrinks to no width as s → 1. `nowcast({sold: 50, expected: 100, elapsedShare: 0.5, …})` → remaining
 * 50; with 80 sold instead: 60, not 80, since the pace may not last.
 *
 * Net negative sales or expectations count as none for the rate. Limits: the share elapsed is taken as known; a
 * remainder of returns is not foreseen. Source: Gelman et al., Bayesian Data Analysis, 3rd ed., §2.6.
 */
export function nowcast(
  input: NowcastInput,
  quantilesOut: Float64Array,
): { remaining: number; total: number } {
  const { sold, probabilities } = input;
  const share = Math.min(1, Math.max(0, input.elapsedShare));
  const evidence = Math.max(0, input.expected) + Math.max(0, sold);
  const remaining = ((1 - share) / (1 + share)) * evidence;
  const lot = CHANCE_SHARE * Math.max(0, input.dispersion);
  const variance = remaining > 0 ? lot * remaining * (1 + remaining / evidence) : 0;
  let previous = sold;
  for (let i = 0; i < probabilities.length; i++) {
    const rest = variance > 0 ? spread(probabilities[i]!, remaining, variance) : remaining;
    previous = Math.max(previous, sold + rest);
    quantilesOut[i] = previous;
  }
  return { remaining, total: sold + remaining };
}

function spread(p: number, mean: number, variance: number): number {
  return (gammaQuantile(p, (mean / variance) * mean) * variance) / mean;
}
