import type { Layout } from './layout.ts';
import type { Slab } from './slab.ts';

/** Puts errors on a common scale: less their usual mean, over their usual spread. */
export type Standardiser = {
  init(slab: Slab, at: number): void;
  /** `error` standardised by what was learned before it, within ±3. */
  standardise(slab: Slab, at: number, error: number): number;
  /** The spread by which errors are divided, at least 1. */
  spread(slab: Slab, at: number): number;
  learn(slab: Slab, at: number, error: number): void;
  /** Moves the mean to where errors lie after a shift. */
  settle(slab: Slab, at: number): void;
  /** errors learned */
  count(slab: Slab, at: number): number;
};

/** One wild error counts as this many spreads, here and in the tests that are handed it. */
const REACH = 3;
/** Errors that the start value counts as. */
const PRIOR = 8;
const CORRELATION_MAX = 0.7;
const [MEAN, VARIANCE, COVARIANCE, LAST, COUNT] = [0, 1, 2, 3, 4] as const;
const FIELDS = 5;

/**
 * z = (e − μ)/s with μ, γ₀ and γ₁ moving means (gain max(1/(n + 8), 1/memory)) of error, squared deviation and product of
 * neighbouring deviations, and
 *
 *     s² = max(1, γ₀·(1 + ρ)/(1 − ρ)),   ρ = γ₁/γ₀ held within 0…0.7
 *
 * the long-run variance of a first-order autoregression: sums of n such errors spread like sums of n independent ones
 * of this variance, so that a test which adds up is not misled by errors that hang together. Errors come
 * divided by their forecast's own standard error; that they spread by less than 1 is not believed.
 * Source: Bartlett (1946); Lu & Reynolds (2001), CUSUM charts for monitoring an autocorrelated process.
 */
export function createStandardiser(layout: Layout, memory: number): Standardiser {
  const state = 2 * layout.takeSingles(`standardiser(${memory})`, FIELDS);

  const spread = ({ f32 }: Slab, at: number): number => {
    const i = 2 * at + state;
    const variance = f32[i + VARIANCE]!;
    const rho = Math.min(CORRELATION_MAX, Math.max(0, f32[i + COVARIANCE]! / variance));
    return Math.sqrt(Math.max(1, (variance * (1 + rho)) / (1 - rho)));
  };
  const within = (value: number, limit: number): number => Math.min(limit, Math.max(-limit, value));

  return {
    init({ f32 }, at) {
      const i = 2 * at + state;
      f32.fill(0, i, i + FIELDS);
      f32[i + VARIANCE] = 1;
    },
    spread,
    standardise: (slab, at, error) =>
      within((error - slab.f32[2 * at + state + MEAN]!) / spread(slab, at), REACH),
    learn(slab, at, error) {
      const { f32 } = slab;
      const i = 2 * at + state;
      const n = f32[i + COUNT]!;
      const gain = Math.max(1 / (n + PRIOR), 1 / memory);
      const off = within(error - f32[i + MEAN]!, REACH * spread(slab, at));
      f32[i + MEAN]! += gain * off;
      f32[i + VARIANCE]! += gain * (off * off - f32[i + VARIANCE]!);
      f32[i + COVARIANCE]! += gain * (off * f32[i + LAST]! - f32[i + COVARIANCE]!);
      f32[i + LAST] = off;
      f32[i + COUNT] = n + 1;
    },
    settle({ f32 }, at) {
      f32[2 * at + state + MEAN] = 0;
      f32[2 * at + state + LAST] = 0;
    },
    count: (slab, at) => slab.f32[2 * at + state + COUNT]!,
  };
}
