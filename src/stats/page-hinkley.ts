import type { Layout } from './layout.ts';
import type { Slab } from './slab.ts';

/** Two one-sided sums of standardised errors: has their mean gone up or down, and stayed there? */
export type PageHinkley = {
  init(slab: Slab, at: number): void;
  /** Learns one standardised error; returns 1 or −1 where the mean has risen or fallen, else 0. NaN teaches nothing. */
  learn(slab: Slab, at: number, z: number): number;
  /** The larger sum over the threshold, with the sign of its direction: ±1 is an alarm, 0 nothing at all. */
  suspicion(slab: Slab, at: number): number;
};

/** Shifts of the mean up to half of what is looked for are let pass: looked for is one standard error. */
const TOLERANCE = 0.5;

/**
 * Page-Hinkley's test in both directions, in the form that stays bounded:
 *
 *     up ← max(0, up + z − δ)      down ← max(0, down − z − δ)      alarm: either ≥ h
 *
 * which is the original's `mₜ − min m` with `mₜ = Σ(zᵢ − δ)`. z is an error less its usual mean over its usual spread
 * (see standardiser.ts), so the test does not depend on units. A shift by s > δ is found after some h/(s − δ) errors.
 * The caller begins anew (`init`) after an alarm.
 * Source: Page (1954), Continuous inspection schemes; Hinkley (1971), Inference about the change-point from
 * cumulative sum tests.
 */
export function createPageHinkley(layout: Layout, name: string, threshold: number): PageHinkley {
  const sums = 2 * layout.takeSingles(`page-hinkley(${TOLERANCE},${threshold}).${name}`, 2);
  return {
    init(slab, at) {
      slab.f32.fill(0, 2 * at + sums, 2 * at + sums + 2);
    },
    learn({ f32 }, at, z) {
      if (Number.isNaN(z)) return 0;
      const i = 2 * at + sums;
      const up = Math.max(0, f32[i]! + z - TOLERANCE);
      const down = Math.max(0, f32[i + 1]! - z - TOLERANCE);
      f32[i] = Math.min(threshold, up);
      f32[i + 1] = Math.min(threshold, down);
      return up >= threshold ? 1 : down >= threshold ? -1 : 0;
    },
    suspicion({ f32 }, at) {
      const up = f32[2 * at + sums]!;
      const down = f32[2 * at + sums + 1]!;
      return (up >= down ? up : -down) / threshold;
    },
  };
}

/**
 * The threshold at which independent standard normal errors raise a false alarm, in either direction, once in
 * `runLength` errors on average. Siegmund's approximation for one direction, which two directions halve:
 *
 *     L(h) = (exp(2δb) − 2δb − 1) / (2δ²),   b = h + 1.166
 *
 * `pageHinkleyThreshold(365)` → 4.76 (exact by Markov chains: 4.77); errors clipped at ±3 make it a little rarer.
 * Source: Siegmund (1985), Sequential Analysis, §10.2; Montgomery, Introduction to Statistical Quality Control, §9.1.
 */
export function pageHinkleyThreshold(runLength: number): number {
  const wanted = 2 * runLength * 2 * TOLERANCE * TOLERANCE;
  let x = Math.log1p(wanted);
  for (let i = 0; i < 50; i++) x = Math.log(wanted + x + 1);
  return Math.max(0, x / (2 * TOLERANCE) - 1.166);
}
