import type { Layout } from '../stats/layout.ts';
import type { Slab } from '../stats/slab.ts';

/** How likely a bucket of a series is empty, by the mean it is forecast with. */
export type ZeroMass = {
  init(slab: Slab, at: number): void;
  /** Arrivals per unit sold, in 1/units; 0 while no bucket was empty that was expected not to be. */
  rate(slab: Slab, at: number): number;
  /** Learns whether a bucket forecast as `mean` was empty; `n` were learned before it. */
  learn(slab: Slab, at: number, n: number, mean: number, empty: boolean): void;
};

/** What a bucket still counts after one more. */
const MEMORY = 0.99;
/** Information assumed before the first bucket, in buckets that are as telling as can be. */
const PRIOR_INFORMATION = 1;
/** No bucket moves the logarithm of the rate further. */
const MOVE_MAX = 1;
/** Expected arrivals beyond it are as good as certain. */
const ARRIVALS_MAX = 30;
/** Keeps a single finite; sales are counted in no such units. */
const RATE_MAX = 1e30;

/**
 * P(Y = 0) = exp(−θ·mean): sales come in lots, and lots come by chance, θ of them per unit sold. So it is for a
 * Poisson (θ = 1), for a compound Poisson of lots of mean size 1/θ, and for a negative binomial whose variance is d
 * times its mean, θ = ln d/(d − 1).
 *
 * θ follows the gradient of the log-likelihood over the information it has gathered, both forgetting. With a = θ·mean:
 *
 *     I ← 0.99·I + a²/(eᵃ − 1)      ln θ ← ln θ + clip((1[y > 0] − (1 − e⁻ᵃ))·a/(1 − e⁻ᵃ) / (I + 1), ±1)
 *
 * A series without an empty bucket has no θ and no mass at zero; the first empty one sets it to where one empty bucket
 * in n is likely. Limits: one θ for all hours and horizons. Source: McCullagh & Nelder (1989), §4.3 (the complementary
 * log-log link); Amari (1998), Natural gradient works efficiently in learning.
 */
export function createZeroMass(layout: Layout): ZeroMass {
  const state = 2 * layout.takeSingles(`zero-mass(${MEMORY})`, 2);
  return {
    init(slab, at) {
      slab.f32.fill(0, 2 * at + state, 2 * at + state + 2);
    },
    rate: (slab, at) => slab.f32[2 * at + state]!,
    learn(slab, at, n, mean, empty) {
      const { f32 } = slab;
      const i = 2 * at + state;
      if (mean <= 0 || (f32[i] === 0 && !empty)) return;
      if (f32[i] === 0) {
        const start = Math.log(n + 2);
        f32[i] = Math.min(RATE_MAX, start / mean);
        f32[i + 1] = start * start;
      }
      const arrivals = Math.min(ARRIVALS_MAX, f32[i]! * mean);
      const none = Math.exp(-arrivals);
      const some = -Math.expm1(-arrivals);
      const perArrival = some > 0 ? arrivals / some : 1;
      const information = MEMORY * f32[i + 1]! + arrivals * perArrival * none;
      const move = (((empty ? 0 : 1) - some) * perArrival) / (information + PRIOR_INFORMATION);
      f32[i + 1] = information;
      const moved = f32[i]! * Math.exp(Math.min(MOVE_MAX, Math.max(-MOVE_MAX, move)));
      f32[i] = Math.min(RATE_MAX, Math.max(1 / RATE_MAX, moved));
    },
  };
}
