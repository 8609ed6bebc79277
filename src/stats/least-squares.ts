import type { Layout } from './layout.ts';
import type { Slab } from './slab.ts';

export type LeastSquaresSettings = {
  readonly name: string;
  /** number of regressors */
  readonly terms: number;
  /** what a row still counts after one more row, ≤ 1 */
  readonly memory: number;
  /** rows of size one that say "nought" to every coefficient at the start, > 0 */
  readonly ridge: number;
};

/** A row with a number beyond this is made smaller as a whole: its equation holds, but it outweighs no thousand others. */
const ROW_MAX = 8;

export type LeastSquares = {
  init(slab: Slab, at: number): void;
  /** Σ coefficient · x, over `x[0…terms)` */
  predict(slab: Slab, at: number, x: Float64Array): number;
  /** Learns one row: regressors `x[0…terms)` and what came, both without unit and most of them about one in size. */
  learn(slab: Slab, at: number, x: Float64Array, y: number): void;
};

/**
 * Recursive least squares with forgetting. With P the inverse of the weighted sum of x·xᵀ:
 *
 *     k = P·x / (λ + xᵀ·P·x)      θ ← θ + k·(y − θᵀ·x)      P ← (P − k·xᵀ·P) / λ
 *
 * With λ = 1 it is ridge regression over all rows, exactly: `θ = (XᵀX + ridge·I)⁻¹·Xᵀy`.
 *
 * Online: no matrix is inverted; the coefficients and the lower half of P are packed singles. What lets the textbook
 * form diverge is shut out: where no news comes in, forgetting would let P grow without bound, so nothing is
 * forgotten (λ = 1) while P is as wide as it began; and should rounding make P indefinite, P begins anew and the
 * coefficients stay. Limits: scaling is the caller's; cost is terms².
 * Source: Haykin, Adaptive Filter Theory, 5th ed., ch. 10; Åström & Wittenmark, Adaptive Control, 2nd ed., §11.5
 * (wind-up and how to bound it).
 */
export function createLeastSquares(layout: Layout, settings: LeastSquaresSettings): LeastSquares {
  const { terms, memory, ridge } = settings;
  const size = (terms * (terms + 1)) / 2;
  const start = 1 / ridge;
  const widest = terms * start;
  const coefficients =
    2 * layout.takeSingles(`least-squares-${settings.name}(${memory},${ridge})`, terms + size);
  const covariance = coefficients + terms;
  const spread = new Float64Array(terms);

  function begin(slab: Slab, at: number): void {
    const base = 2 * at + covariance;
    slab.f32.fill(0, base, base + size);
    for (let i = 0; i < terms; i++) slab.f32[base + (i * (i + 3)) / 2] = start;
  }

  /** Writes P·x to `spread`, returns xᵀ·P·x. */
  function spreadOf(slab: Slab, at: number, x: Float64Array): number {
    const { f32 } = slab;
    let place = 2 * at + covariance;
    spread.fill(0);
    for (let i = 0; i < terms; i++) {
      for (let j = 0; j < i; j++, place++) {
        const value = f32[place]!;
        spread[i]! += value * x[j]!;
        spread[j]! += value * x[i]!;
      }
      spread[i]! += f32[place++]! * x[i]!;
    }
    let square = 0;
    for (let i = 0; i < terms; i++) square += spread[i]! * x[i]!;
    return square;
  }

  function width(slab: Slab, at: number): number {
    const base = 2 * at + covariance;
    let trace = 0;
    for (let i = 0; i < terms; i++) trace += slab.f32[base + (i * (i + 3)) / 2]!;
    return trace;
  }

  /** What a row counts: 1, or less where a number in it is beyond the largest. */
  function weightOf(x: Float64Array, y: number): number {
    let largest = Math.abs(y);
    for (let i = 0; i < terms; i++) largest = Math.max(largest, Math.abs(x[i]!));
    return largest > ROW_MAX ? (ROW_MAX / largest) ** 2 : 1;
  }

  function predict(slab: Slab, at: number, x: Float64Array): number {
    const base = 2 * at + coefficients;
    let sum = 0;
    for (let i = 0; i < terms; i++) sum += slab.f32[base + i]! * x[i]!;
    return sum;
  }

  return {
    init(slab, at) {
      const base = 2 * at + coefficients;
      slab.f32.fill(0, base, base + terms);
      begin(slab, at);
    },
    predict,
    learn(slab, at, x, y) {
      const { f32 } = slab;
      const weight = weightOf(x, y);
      const square = weight * spreadOf(slab, at, x);
      if (!(square >= 0)) {
        begin(slab, at);
        return;
      }
      const error = weight * (y - predict(slab, at, x));
      const keep = width(slab, at) < widest ? memory : 1;
      const divisor = keep + square;
      let place = 2 * at + covariance;
      for (let i = 0; i < terms; i++) {
        const gain = spread[i]! / divisor;
        f32[2 * at + coefficients + i]! += gain * error;
        for (let j = 0; j <= i; j++, place++) f32[place] = (f32[place]! - gain * weight * spread[j]!) / keep;
      }
    },
  };
}
