import type { Layout } from '../stats/layout.ts';
import type { Slab } from '../stats/slab.ts';

/** The combination of K experts, one set of weights per horizon band. */
export type Combination = {
  init(slab: Slab, at: number): void;
  /** Writes the band's weights (positive, sum 1) to `out[0…K)`. */
  weights(slab: Slab, at: number, band: number, out: Float64Array): void;
  /**
   * Lets `band` begin with the weights `weights[from…from + K)` that experts have earned with series alike; they fade
   * as its own forecasts are scored.
   */
  begin(slab: Slab, at: number, band: number, weights: Float64Array, from: number): void;
  /** Whether the band has weights of its own. */
  begun(slab: Slab, at: number, band: number): boolean;
  /** Lets `band` begin where `from` stands. */
  inherit(slab: Slab, at: number, band: number, from: number): void;
  /** Learns from the experts' forecasts `f32[place…place + K)` of `y`, their combination `mean` and its `scale`. */
  learn(slab: Slab, at: number, band: number, place: number, mean: number, scale: number, y: number): void;
};

/** What a scored forecast still counts after one more. */
const MEMORY = 0.98;
/** Errors beyond this many local scales pull no harder: a wild bucket must not choose the experts. */
const ERROR_MAX = 3;
const DEVIATION_MAX = 3;
/** Part of the loss that is the absolute error, which the median serves best; the rest is for the mean. */
const MEDIAN_PART = 0.25;
const RATE_MAX = 0.5;
/** Squared losses assumed before the first, so that early rates stay calm. */
const START_SQUARES = 1;
/** Part of the weight that is always dealt out by the priors, so that no expert is ever lost. */
const SHARE = 0.01;
/** What is handed over from another series leaves every expert at least this part of its prior. */
const HANDED_MIN = 0.01;
/** Stands for "begun" where nothing was learned yet. */
const BEGUN = 1e-9;

/**
 * Bernstein online aggregation with forgetting. With ŷ the combination, σ its local scale and e = (ŷ − y)/σ, expert
 * k's regret in one scored forecast is a linearised loss relative to the combination's,
 *
 *     xₖ = (¾·clip(e, ±3) + ¼·sign(e)) · clip((ŷₖ − ŷ)/σ, ±3)
 *     Vₖ ← λ·Vₖ + xₖ²      ηₖ = min(½, √(ln K / Vₖ))      Rₖ ← λ·Rₖ − xₖ − ηₖ·xₖ²
 *     wₖ ∝ priorₖ·ηₖ·exp(ηₖ·Rₖ), and then 0.99·w + 0.01·prior
 *
 * The loss is Huber's for three quarters, so that the mean stays right (totals, bias), and absolute for one quarter,
 * which settles on the median and hears no outlier at all. Linearising makes it compete with the best fixed mixture and
 * not only with the best expert; the second-order term and the rate per expert make it quick where one expert is plainly
 * better and slow where all are alike. Forgetting (λ = 0.98) and the fixed share let it follow a change. Losses are
 * divided by the local scale, so it does not depend on units. Limits: experts whose errors are all alike keep their prior
 * weights. Source: Wintenberger (2017), Optimal learning with Bernstein online aggregation; Herbster & Warmuth (1998),
 * Tracking the best expert (fixed share).
 */
export function createCombination(
  layout: Layout,
  options: {
    readonly bands: number;
    readonly priors: readonly number[];
    /** Standings that depend on the series, adding up to 1; always the priors where there is none. */
    readonly standings?: (slab: Slab, at: number) => Float64Array;
  },
): Combination {
  const experts = options.priors.length;
  const priors = normalised(options.priors);
  const standings = options.standings ?? ((): Float64Array => priors);
  const logExperts = Math.log(Math.max(2, experts));
  const regrets = 2 * layout.takeSingles(`boa(${MEMORY},${SHARE}).regrets`, options.bands * experts);
  const squares = 2 * layout.takeSingles('boa.squares', options.bands * experts);

  const rate = (square: number): number =>
    Math.min(RATE_MAX, Math.sqrt(logExperts / (START_SQUARES + square)));

  return {
    init(slab, at) {
      slab.f32.fill(0, 2 * at + regrets, 2 * at + regrets + options.bands * experts);
      slab.f32.fill(0, 2 * at + squares, 2 * at + squares + options.bands * experts);
    },
    weights(slab, at, band, out) {
      const { f32 } = slab;
      const prior = standings(slab, at);
      const r = 2 * at + regrets + band * experts;
      const v = 2 * at + squares + band * experts;
      let highest = -Infinity;
      for (let k = 0; k < experts; k++) {
        const eta = rate(f32[v + k]!);
        const exponent = eta * f32[r + k]!;
        out[k] = exponent;
        if (exponent > highest) highest = exponent;
      }
      let sum = 0;
      for (let k = 0; k < experts; k++) {
        const weight = prior[k]! * rate(f32[v + k]!) * Math.exp(out[k]! - highest);
        out[k] = weight;
        sum += weight;
      }
      const keep = (1 - SHARE) / sum;
      for (let k = 0; k < experts; k++) out[k] = keep * out[k]! + SHARE * prior[k]!;
    },
    begin(slab, at, band, handed, from) {
      const { f32 } = slab;
      const r = 2 * at + regrets + band * experts;
      const v = 2 * at + squares + band * experts;
      const prior = standings(slab, at);
      for (let k = 0; k < experts; k++) {
        const weight = Math.max(HANDED_MIN * prior[k]!, handed[from + k]!);
        f32[v + k] = BEGUN;
        f32[r + k] = Math.log(weight / prior[k]!) / rate(BEGUN);
      }
    },
    begun: (slab, at, band) => slab.f32[2 * at + squares + band * experts]! > 0,
    inherit(slab, at, band, from) {
      for (const part of [regrets, squares]) {
        const base = 2 * at + part;
        slab.f32.copyWithin(base + band * experts, base + from * experts, base + (from + 1) * experts);
      }
    },
    learn(slab, at, band, place, mean, scale, y) {
      if (scale <= 0) return;
      const { f32 } = slab;
      const r = 2 * at + regrets + band * experts;
      const v = 2 * at + squares + band * experts;
      const error = (mean - y) / scale;
      const pull = (1 - MEDIAN_PART) * clip(error, ERROR_MAX) + MEDIAN_PART * Math.sign(error);
      for (let k = 0; k < experts; k++) {
        const x = pull * clip((f32[place + k]! - mean) / scale, DEVIATION_MAX);
        const square = MEMORY * f32[v + k]! + x * x;
        f32[v + k] = square;
        f32[r + k] = MEMORY * f32[r + k]! - x - rate(square) * x * x;
      }
    },
  };
}

/** The same proportions, adding up to 1. */
export function normalised(priors: readonly number[]): Float64Array {
  const total = priors.reduce((sum, prior) => sum + prior, 0);
  return Float64Array.from(priors, (prior) => prior / total);
}

function clip(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}
